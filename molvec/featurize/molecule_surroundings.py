"""What a molecule's graph says of an atom's surroundings: targets of the grounding term, per atom.

Where embeddings are read by sums and means over atoms, most descriptors of a molecule are linear
in these: logP, refractivity, surface areas and counts are sums of contributions of atoms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors, rdPartialCharges
from torch import Tensor

SHELLS = (1, 2, 3, 4)
"""Bonds; what lies at each distance is counted."""

KINDS = (
    "aliphatic carbon",
    "aromatic carbon",
    "nitrogen",
    "oxygen",
    "sulfur or phosphorus",
    "halogen",
    "other element",
    "in a ring",
    "donor hydrogen",
    "charged",
)
"""What is counted in each shell. Hydrogens on N, O and S count one by one."""

NUM_CONTRIBUTIONS = 5
NUM_MOLECULE_SURROUNDINGS = NUM_CONTRIBUTIONS + len(SHELLS) * len(KINDS)

_HALOGENS = (9, 17, 35, 53)
_ELEMENT = {7: 2, 8: 3, 16: 4, 15: 4, **dict.fromkeys(_HALOGENS, 5)}


def molecule_surroundings(mol: Chem.Mol) -> Tensor:
    """Contributions and neighbours of every atom, float32 ``[n, NUM_MOLECULE_SURROUNDINGS]``.

    First the atom's contributions, with its hydrogens', to logP and molar refractivity (Wildman
    and Crippen 1999, doi:10.1021/ci990307l), to the surface area (Angstrom^2, without hydrogens;
    Labute 2000, doi:10.1016/S1093-3263(00)00068-1) and the polar surface area (Angstrom^2; Ertl et
    al. 2000, doi:10.1021/jm000942e), and its Gasteiger charge (e; 1980,
    doi:10.1016/0040-4020(80)80168-2); then how many atoms of each of ``KINDS`` lie at each
    distance of ``SHELLS``.

    NaN where RDKit has no value, as for charges of metals.

    Args:
        mol: of heavy atoms; hydrogens that are nodes have rows of their own.
    """
    with rdBase.BlockLogs():
        rdPartialCharges.ComputeGasteigerCharges(mol)
        log_p, refractivity = _crippen(mol).T
        area, _ = rdMolDescriptors._CalcLabuteASAContribs(mol)
        polar = rdMolDescriptors._CalcTPSAContribs(mol)
    atoms = list(mol.GetAtoms())
    charge = [atom.GetDoubleProp("_GasteigerCharge") for atom in atoms]
    own = np.stack([log_p, refractivity, list(area), polar, charge], axis=1)
    own[~np.isfinite(own)] = math.nan
    apart = Chem.GetDistanceMatrix(mol)
    kinds = _kinds(atoms)
    counts = [(apart == shell).astype(np.float64) @ kinds for shell in SHELLS]
    return torch.from_numpy(np.concatenate([own, *counts], axis=1)).float()


def _crippen(mol: Chem.Mol) -> NDArray[np.float64]:
    """Contributions to logP and refractivity, those of implicit hydrogens at their atoms."""
    full = Chem.AddHs(mol)
    each = np.array(rdMolDescriptors._CalcCrippenContribs(full))
    result: NDArray[np.float64] = each[: mol.GetNumAtoms()]
    added = list(full.GetAtoms())[mol.GetNumAtoms() :]
    parents = [hydrogen.GetNeighbors()[0].GetIdx() for hydrogen in added]
    np.add.at(result, parents, each[mol.GetNumAtoms() :])
    return result


def _kinds(atoms: Sequence[Chem.Atom]) -> NDArray[np.float64]:
    """Of each atom, how much it adds to the count of each of ``KINDS``, ``[n, kinds]``."""
    result = np.zeros((len(atoms), len(KINDS)))
    for row, atom in zip(result, atoms, strict=True):
        number = atom.GetAtomicNum()
        row[int(atom.GetIsAromatic()) if number == 6 else _ELEMENT.get(number, 6)] = 1
        row[7] = atom.IsInRing()
        row[8] = atom.GetTotalNumHs() if number in (7, 8, 16) else 0
        row[9] = atom.GetFormalCharge() != 0
    return result
