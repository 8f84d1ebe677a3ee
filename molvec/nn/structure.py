"""Topology as numbers: shortest paths, degrees and random-walk return probabilities.

Everything here follows from ``edge_index`` alone and has no parameters, so it is computed once per
batch and shared by the teacher, all masked views of the student, and the predictor.

Source: shortest-path bias from Graphormer (Ying et al. 2021, arXiv 2106.05234), random-walk
structural encoding from Dwivedi et al. 2022 (arXiv 2110.07875).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Batch

from molvec.graph import STRUCTURE

MAX_DISTANCE = 10
WALK_STEPS = 12
MAX_DEGREE = 8


@dataclass(frozen=True)
class Structure:
    """Topology of a batch of ``B`` graphs of at most ``N`` nodes.

    Shapes:
        - ``index``: int64 ``[num_nodes]``, place of each node within its own graph.
        - ``distance``: int64 ``[B, N, N]``, bonds on the shortest path, clipped to
          ``MAX_DISTANCE + 1``, which also stands for "not connected".
        - ``edge``: int64 ``[B, N, N]``, row of ``edge_attr`` plus one, 0 where there is no edge.
        - ``degree``: int64 ``[num_nodes]``, clipped to ``MAX_DEGREE``.
        - ``walk``: float32 ``[num_nodes, WALK_STEPS]``, probability that a random walk of 1, 2, ...
          steps is back at its start.
        - ``parallel``: int64 ``[num_edges]``, where several edges join the same two nodes the row
          of the one that ``edge`` points to, for each edge; ``None`` where none do.
    """

    index: Tensor
    distance: Tensor
    edge: Tensor
    degree: Tensor
    walk: Tensor
    parallel: Tensor | None = None


def structure_of(batch: Batch) -> Structure:
    """Return the structure of a batch; computed on the first call, then kept on the batch."""
    if STRUCTURE not in batch:
        batch[STRUCTURE] = _compute(batch)
    return batch[STRUCTURE]


@torch.no_grad()
def _compute(batch: Batch) -> Structure:
    with torch.autocast(batch.edge_index.device.type, enabled=False):  # products in float32
        return _structure(batch)


def _structure(batch: Batch) -> Structure:
    graph, ptr, (source, target) = batch.batch, batch.ptr, batch.edge_index
    num_graphs, size = len(ptr) - 1, int(ptr.diff().max())
    index = torch.arange(len(graph), device=graph.device) - ptr[graph]

    edge = torch.zeros(num_graphs, size, size, dtype=torch.int64, device=graph.device)
    position = (graph[target], index[target], index[source])
    row = torch.arange(len(source), device=graph.device)
    edge[position] = row + 1
    stands = edge[position] - 1  # of parallel edges one stands for all

    # One chain of products serves both encodings: the k-step walk probability is non-zero exactly
    # where two nodes are joined by a walk of k edges, and its diagonal is the return probability.
    adjacency = (edge > 0).float()
    degree = adjacency.sum(-1)  # [num_graphs, size]
    step = adjacency / degree.clamp(min=1).unsqueeze(-1)
    distance = torch.full_like(edge, MAX_DISTANCE + 1)
    distance.diagonal(dim1=1, dim2=2).zero_()
    walk = torch.empty(num_graphs, size, WALK_STEPS, device=graph.device)
    power = step
    for k in range(1, WALK_STEPS + 1):
        if k > 1:
            power = power @ step
        walk[..., k - 1] = power.diagonal(dim1=1, dim2=2)
        if k <= MAX_DISTANCE:
            distance.masked_fill_((power > 0) & (distance > k), k)
    return Structure(
        index=index,
        distance=distance,
        edge=edge,
        degree=degree[graph, index].long().clamp(max=MAX_DEGREE),
        walk=walk[graph, index],
        parallel=None if torch.equal(stands, row) else stands,
    )
