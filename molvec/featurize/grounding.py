"""What a molecule says of itself, without labels: targets of the objective's grounding term."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors
from torch import Tensor

from molvec.featurize.fingerprint import fingerprint
from molvec.featurize.molecule_surroundings import (
    NUM_MOLECULE_SURROUNDINGS,
    molecule_surroundings,
)

# Of RDKit's descriptors those that cost little, 0.6 ms a molecule of 18 atoms (all of them 6 ms;
# the chi and kappa indices alone, sums over paths, 0.6 ms): single ones, surface areas by
# contributions to logP, refractivity and partial charge (Labute 2000,
# doi:10.1016/S1093-3263(00)00068-1), and molecular quantum numbers, counts of atoms, bonds, polar
# groups and rings (Nguyen et al. 2009, doi:10.1002/cmdc.200900317).
_NAMES = (
    "exactmw",
    "FractionCSP3",
    "NumAmideBonds",
    "NumAromaticRings",
    "NumSaturatedRings",
    "NumAromaticHeterocycles",
    "NumSaturatedHeterocycles",
    "NumSpiroAtoms",
    "NumBridgeheadAtoms",
    "labuteASA",
    "tpsa",
    "CrippenClogP",
    "CrippenMR",
    "hallKierAlpha",
)
_SINGLE = rdMolDescriptors.Properties(list(_NAMES))
_LISTS: tuple[tuple[Callable[[Chem.Mol], list[float]], int], ...] = (
    (rdMolDescriptors.MQNs_, 42),
    (rdMolDescriptors.SlogP_VSA_, 12),
    (rdMolDescriptors.SMR_VSA_, 10),
    (rdMolDescriptors.PEOE_VSA_, 14),
)
NUM_DESCRIPTORS = len(_NAMES) + sum(size for _, size in _LISTS)


def fast_descriptors(mol: Chem.Mol) -> Tensor:
    """Descriptors in RDKit's units, float32 ``[1, NUM_DESCRIPTORS]``.

    NaN where RDKit has no value (partial charges of metals, for instance).
    """
    with rdBase.BlockLogs():
        values = list(_SINGLE.ComputeProperties(mol))
        for function, _ in _LISTS:
            values.extend(function(mol))
    charges = (atom.GetDoubleProp("_GasteigerCharge") for atom in mol.GetAtoms())
    if not all(map(math.isfinite, charges)):  # then RDKit puts all of the surface into one bin
        by_charge = _LISTS[-1][1]
        values[-by_charge:] = [math.nan] * by_charge
    finite = [value if math.isfinite(value) else math.nan for value in values]
    return torch.tensor(finite, dtype=torch.float32).unsqueeze(0)


def surroundings(mol: Chem.Mol) -> Tensor:
    """Each atom's surroundings, then the molecule's descriptors, the same at all of its atoms.

    Float32 ``[n, NUM_MOLECULE_SURROUNDINGS + NUM_DESCRIPTORS]``.
    """
    own = molecule_surroundings(mol)
    return torch.cat([own, fast_descriptors(mol).expand(len(own), -1)], dim=1)


_SIZES = {
    "descriptors": NUM_DESCRIPTORS,
    "surroundings": NUM_MOLECULE_SURROUNDINGS + NUM_DESCRIPTORS,
}


@dataclass(frozen=True)
class Grounding:
    """One family of targets, ``mol -> float32 [1, size]``, or ``[n, size]`` for surroundings.

    Args:
        kind: ``"fingerprint"`` (bits of ECFP4), ``"descriptors"`` (values in different units) or
            ``"surroundings"`` (:func:`surroundings`).
        bits: of the fingerprint; has no meaning for the others.

    Attributes:
        size: number of columns.
        shared: how many of these, the last ones, are of the molecule though there is a row per
            atom.
    """

    kind: str
    bits: int = 1024

    def __post_init__(self) -> None:
        if self.kind not in ("fingerprint", *_SIZES):
            known = ", ".join(("fingerprint", *_SIZES))
            raise ValueError(f"unknown grounding {self.kind!r}; known: {known}")

    @property
    def size(self) -> int:
        """Number of columns."""
        return _SIZES.get(self.kind, self.bits)

    @property
    def shared(self) -> int:
        """Number of columns that are the molecule's."""
        return NUM_DESCRIPTORS if self.kind == "surroundings" else 0

    def __call__(self, mol: Chem.Mol) -> Tensor:
        """Compute the targets of one molecule."""
        if self.kind == "fingerprint":
            return fingerprint(mol, size=self.bits)
        return surroundings(mol) if self.kind == "surroundings" else fast_descriptors(mol)
