"""Cheap molecular properties that need no labels: the targets of the frozen linear probe.

Two families, for they ask for different things. **Functional groups** (`FUNCTIONAL_GROUPS`) depend
on how an atom is surrounded: the same C=O is an amide, an ester, an acid or a ketone. **Bulk
properties** are nearly sums over atoms of what an atom's closest surroundings say (logP and TPSA
are defined so), and a linear probe reads sums from random features too.

Left out on purpose: Ipc (grows exponentially with size) and Kappa3 (reaches thousands on salts).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import QED, Fragments, GraphDescriptors, rdMolDescriptors

from molvec.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Property:
    """One number per molecule: its ``name``, ``function``, ``unit`` ("" if none) and meaning."""

    name: str
    function: Callable[[Chem.Mol], float]
    unit: str
    meaning: str


def _log_p(mol: Chem.Mol) -> float:
    return float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0])


def _balaban_j(mol: Chem.Mol) -> float:
    # RDKit returns 0 for a disconnected graph or a single atom, where the index (a sum over bonds
    # of inverse distance sums) is not defined; a 0 would pass for a measured value.
    if mol.GetNumAtoms() < 2 or len(Chem.GetMolFrags(mol)) > 1:
        return math.nan
    return float(GraphDescriptors.BalabanJ(mol))


def _fragment(name: str) -> Callable[[Chem.Mol], float]:
    """RDKit's counter of a functional group; the module makes its functions when imported."""
    counter: Callable[[Chem.Mol], float] = getattr(Fragments, name)
    return counter


PROPERTIES: dict[str, Property] = {
    p.name: p
    for p in (
        # Wildman and Crippen 1999, doi:10.1021/ci990307l
        Property("logP", _log_p, "log10", "octanol-water partition, Crippen estimate"),
        # Ertl et al. 2000, doi:10.1021/jm000942e; RDKit counts N and O only by default
        Property("TPSA", rdMolDescriptors.CalcTPSA, "Å²", "polar surface area from N and O"),
        # Bickerton et al. 2012, doi:10.1038/nchem.1243
        Property("QED", QED.qed, "", "drug-likeness, 0 to 1"),
        # Bertz 1981, doi:10.1021/ja00402a071
        Property("BertzCT", GraphDescriptors.BertzCT, "", "complexity of bonds and elements"),
        Property(
            "fraction_sp3", rdMolDescriptors.CalcFractionCSP3, "", "share of carbons that are sp3"
        ),
        Property(
            "rotatable_bonds",
            rdMolDescriptors.CalcNumRotatableBonds,
            "bonds",
            "single bonds that turn freely",
        ),
        # Balaban 1982, doi:10.1016/0009-2614(82)80009-2
        Property("Balaban_J", _balaban_j, "", "branching, from distances in the graph"),
        Property(
            "aromatic_rings",
            rdMolDescriptors.CalcNumAromaticRings,
            "rings",
            "rings with a closed aromatic system",
        ),
        # Functional groups, by RDKit's fragment patterns
        Property("amides", _fragment("fr_amide"), "groups", "N on a carbonyl"),
        Property("esters", _fragment("fr_ester"), "groups", "O-C on a carbonyl"),
        Property("carboxylic_acids", _fragment("fr_COO"), "groups", "OH or O- on a carbonyl"),
        Property("ketones", _fragment("fr_ketone"), "groups", "carbonyl between carbons"),
        Property("alcohols", _fragment("fr_Al_OH"), "groups", "OH on an aliphatic carbon"),
        Property("phenols", _fragment("fr_phenol"), "groups", "OH on an aromatic ring"),
        Property("anilines", _fragment("fr_aniline"), "groups", "N on an aromatic ring"),
        Property(
            "aromatic_heterocycles",
            rdMolDescriptors.CalcNumAromaticHeterocycles,
            "rings",
            "aromatic rings with N, O or S",
        ),
    )
}

FUNCTIONAL_GROUPS = (
    "amides",
    "esters",
    "carboxylic_acids",
    "ketones",
    "alcohols",
    "phenols",
    "anilines",
    "aromatic_heterocycles",
)
"""What tells surroundings apart: carbonyls, hydroxyls, nitrogens and rings of different kinds."""


def compute_properties(
    mols: Iterable[Chem.Mol | None], names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compute properties of molecules.

    Args:
        mols: sanitised RDKit molecules with implicit hydrogens (explicit ones change Balaban J).
        names: which of ``PROPERTIES``, in this order; all by default.

    Returns:
        float64 frame ``[num_mols, num_properties]``, row i for molecule i, in the units that
        ``PROPERTIES`` names. NaN where a property is not defined or RDKit fails. A row of NaN for
        ``None``, for a molecule without atoms (RDKit would give it a QED of 0.34), and for one
        that was not sanitised (RDKit would find no aromatic ring in benzene).

    Raises:
        UserError: a name that is not in ``PROPERTIES``.
    """
    chosen = list(PROPERTIES) if names is None else list(names)
    for name in chosen:
        if name not in PROPERTIES:
            raise UserError(
                f"There is no property {name!r}.{did_you_mean(name, PROPERTIES)} "
                f"Known: {', '.join(PROPERTIES)}."
            )
    with rdBase.BlockLogs():  # a failed property is a NaN, not a page of C++ stack trace
        rows = [_row(mol, chosen) for mol in mols]
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(chosen))
    return pd.DataFrame(values, columns=pd.Index(chosen))


def _row(mol: Chem.Mol | None, names: Sequence[str]) -> list[float]:
    if mol is None or mol.GetNumAtoms() == 0 or mol.NeedsUpdatePropertyCache():
        return [math.nan] * len(names)
    return [_value(PROPERTIES[name], mol) for name in names]


def _value(prop: Property, mol: Chem.Mol) -> float:
    try:
        value = float(prop.function(mol))
    except (ValueError, RuntimeError, ArithmeticError):  # RuntimeError: violated invariants
        return math.nan
    return value if math.isfinite(value) else math.nan
