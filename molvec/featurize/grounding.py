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
    finite = [value if math.isfinite(value) else math.nan for value in values]
    return torch.tensor(finite, dtype=torch.float32).unsqueeze(0)


@dataclass(frozen=True)
class Grounding:
    """One family of targets, ``mol -> float32 [1, size]``.

    Args:
        kind: ``"fingerprint"`` (bits of ECFP4) or ``"descriptors"`` (values in different units).
        size: number of fingerprint bits; descriptors have theirs.
    """

    kind: str
    size: int = NUM_DESCRIPTORS

    def __post_init__(self) -> None:
        if self.kind not in ("fingerprint", "descriptors"):
            raise ValueError(f"unknown grounding {self.kind!r}; known: fingerprint, descriptors")
        if self.kind == "descriptors" and self.size != NUM_DESCRIPTORS:
            raise ValueError(f"there are {NUM_DESCRIPTORS} descriptors, not {self.size}")

    def __call__(self, mol: Chem.Mol) -> Tensor:
        """Compute the targets of one molecule."""
        if self.kind == "fingerprint":
            return fingerprint(mol, size=self.size)
        return fast_descriptors(mol)
