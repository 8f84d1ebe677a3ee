"""Hide edges from the student: what is not known of a network is missing, not absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch_geometric.data import Data

from molvec.graph import STUDENT_EDGES


@dataclass(frozen=True)
class EdgeMask:
    """Choose edges that the student and the predictor do not see; the teacher sees all.

    Drawn over pairs of joined nodes: all edges between two nodes are hidden together, both ways,
    since each tells of the others. What follows from the edges of a sample (paths, random walks,
    degrees in it) is computed without the hidden ones; a node's degree in the whole network is a
    feature of the node and stays, on its coarse scale.

    Args:
        share: of the joined pairs, in [0, 1).
        seed: with the epoch and the sample's number, the only source of randomness.
    """

    share: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"the share of hidden edges must be in [0, 1), got {self.share}")

    def __call__(self, graph: Data, *, epoch: int, sample: int) -> Data:
        """Return a copy with ``student_edges``, bool ``[num_edges]``, True where visible."""
        rng = np.random.default_rng((self.seed, epoch, sample, 4))  # masks draw without the 4
        source, target = graph.edge_index.numpy()
        pair = np.minimum(source, target) * len(graph.x) + np.maximum(source, target)
        pairs, place = np.unique(pair, return_inverse=True)
        hidden = np.zeros(len(pairs), dtype=bool)
        hidden[rng.permutation(len(pairs))[: round(self.share * len(pairs))]] = True
        seen = graph.clone()
        seen[STUDENT_EDGES] = torch.from_numpy(~hidden[place])
        return seen
