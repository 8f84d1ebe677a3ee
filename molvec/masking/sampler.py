"""Several masks per graph, a pure function of (seed, epoch, sample)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from molvec.graph import POS
from molvec.masking.ball import spatial_ball
from molvec.masking.random_nodes import random_nodes
from molvec.masking.subgraph import connected_subgraph


def neighbours_of(graph: Data) -> list[list[int]]:
    """Return the neighbours of each node."""
    neighbours: list[list[int]] = [[] for _ in range(graph.x.shape[0])]
    for source, target in zip(*graph.edge_index.tolist(), strict=True):
        neighbours[source].append(target)
    return neighbours


def positions_of(graph: Data) -> NDArray[np.floating]:
    """Return the positions, ``[num_nodes, 3]``.

    Raises:
        ValueError: if the graph has none.
    """
    if POS not in graph:
        raise ValueError("a mask of kind 'ball' needs positions, and this graph has none")
    positions: NDArray[np.floating] = graph[POS].numpy()
    return positions


Draw = Callable[[Any, int, np.random.Generator], NDArray[np.bool_]]
"""``(what it looks at, nodes to hide, rng) -> bool [num_nodes]``."""

MASKS: dict[str, tuple[Callable[[Data], Any], Draw]] = {
    "subgraph": (neighbours_of, connected_subgraph),
    "random": (neighbours_of, random_nodes),
    "ball": (positions_of, spatial_ball),
}
"""What a sampler looks at, computed once per graph, and the sampler."""


@dataclass(frozen=True)
class MaskSampler:
    """Draw ``views`` masks for a graph.

    Every graph of two or more nodes gets at least one hidden and one visible node in each view; a
    graph of one node is never hidden.

    Args:
        kind: a key of ``MASKS``.
        ratio: hidden share of the nodes, in (0, 1).
        views: masks per graph.
        seed: with the epoch and the sample's number, the only source of randomness.
    """

    kind: str = "subgraph"
    ratio: float = 0.5
    views: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in MASKS:
            raise ValueError(f"unknown mask kind {self.kind!r}; known: {', '.join(MASKS)}")
        if not 0 < self.ratio < 1:
            raise ValueError(f"mask ratio must lie between 0 and 1, got {self.ratio}")
        if self.views < 1:
            raise ValueError(f"views must be at least 1, got {self.views}")

    def __call__(self, graph: Data, *, epoch: int, sample: int) -> Tensor:
        """Return bool ``[views, num_nodes]``, ``True`` where hidden."""
        num_nodes = graph.x.shape[0]
        if num_nodes == 1:
            return torch.zeros(self.views, 1, dtype=torch.bool)
        count = min(max(round(self.ratio * num_nodes), 1), num_nodes - 1)
        rng = np.random.default_rng((self.seed, epoch, sample))
        look, draw = MASKS[self.kind]
        seen = look(graph)
        masks = [draw(seen, count, rng) for _ in range(self.views)]
        return torch.from_numpy(np.stack(masks))
