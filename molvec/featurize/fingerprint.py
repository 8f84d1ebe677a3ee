"""What a molecule says of itself: fingerprint bits as targets of the grounding term."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from torch import Tensor


def fingerprint(mol: Chem.Mol, *, size: int, radius: int = 2) -> Tensor:
    """Presence bits of the Morgan fingerprint (ECFP4 at radius 2), float32 ``[1, size]``.

    Source: Rogers and Hahn 2010, doi:10.1021/ci100050t.
    """
    bits = _generator(size, radius).GetFingerprintAsNumPy(mol)
    return torch.from_numpy(bits).float().unsqueeze(0)


@cache
def _generator(size: int, radius: int) -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=size)
