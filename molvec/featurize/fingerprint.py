"""Morgan fingerprints: bits (grounding targets) and counts (a baseline)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from torch import Tensor


def fingerprint(mol: Chem.Mol, *, size: int, radius: int = 2) -> Tensor:
    """Presence bits of the Morgan fingerprint (ECFP4 at radius 2), float32 ``[1, size]``.

    Source: Rogers and Hahn 2010, doi:10.1021/ci100050t.
    """
    bits = _generator(size, radius).GetFingerprintAsNumPy(mol)
    return torch.from_numpy(bits).float().unsqueeze(0)


def fingerprint_counts(mol: Chem.Mol, size: int = 2048, radius: int = 2) -> NDArray[np.float32]:
    """How often each folded Morgan environment occurs, float32 ``[size]``: counts of ECFP4.

    Counts tell chain lengths apart, which bits do not. Source: as for ``fingerprint``.
    """
    counts: NDArray[np.uint32] = _generator(size, radius).GetCountFingerprintAsNumPy(mol)
    return counts.astype(np.float32)


@cache
def _generator(size: int, radius: int) -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=size)
