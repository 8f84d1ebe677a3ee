"""Noise on coordinates, so that exact distances do not tell the student what is hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from molvec.graph import POS, STUDENT_POS


@dataclass(frozen=True)
class CoordinateNoise:
    """Add Gaussian noise to the positions that the student and the predictor see.

    In clean conformers four distances give a hidden atom's element away (97 %); noise of 0.1 to
    0.2 Angstrom brings that down to what topology tells (75 to 80 %). The teacher reads the
    positions as they are.

    Args:
        scale: standard deviation of each coordinate, Angstrom.
        seed: with the epoch and the sample's number, the only source of randomness.
    """

    scale: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scale < 0:
            raise ValueError(f"the scale of noise must not be negative, got {self.scale}")

    def __call__(self, graph: Data, *, epoch: int, sample: int) -> Data:
        """Return a copy of the graph with ``student_pos``; nothing else changes."""
        rng = np.random.default_rng((self.seed, epoch, sample, 1))  # masks draw without the 1
        shift = rng.normal(scale=self.scale, size=graph[POS].shape)
        noisy = graph.clone()
        noisy[STUDENT_POS] = graph[POS] + torch.from_numpy(shift).to(graph[POS])
        return noisy
