"""Readouts: what an encoder returns for the nodes of a graph becomes one vector per graph.

Each takes an encoder's output for a batch, the graph of each node ``[num_nodes]`` and the number of
graphs, and returns ``[num_graphs, width]`` (see :func:`graph_width`). What it pools is what a
node's own vector is.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.utils import scatter

from molvec.graph import Encoder, EncoderOutput


def mean(encoded: EncoderOutput, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean over the nodes of each graph."""
    return _pool(encoded.output, graph, num_graphs, "mean")


def mean_sum(encoded: EncoderOutput, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean and sum side by side: what a molecule is made of, and how much of it there is."""
    return _pool(encoded.output, graph, num_graphs, "mean", "sum")


def mean_max_sum(encoded: EncoderOutput, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean, maximum and sum side by side; a maximum says whether something is there at all."""
    return _pool(encoded.output, graph, num_graphs, "mean", "max", "sum")


def last_end(encoded: EncoderOutput) -> Tensor:
    """Return the output, ``[num_nodes, dim]``."""
    return encoded.output


def both_ends(encoded: EncoderOutput) -> Tensor:
    """What the first block received beside the output, ``[num_nodes, 2 * dim]``.

    Jumping knowledge by concatenation (Xu et al. 2018, arXiv 1806.03536), of the two ends: the
    atoms themselves, and the atoms in their surroundings.
    """
    return torch.cat([encoded.embedded, encoded.output], dim=-1)


def jk_mean_max_sum(encoded: EncoderOutput, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean, maximum and sum of both ends."""
    return _pool(both_ends(encoded), graph, num_graphs, "mean", "max", "sum")


def every_layer(encoded: EncoderOutput) -> Tensor:
    """Both ends with all hidden states between them, ``[num_nodes, 2 dim + depth * hidden_dim]``.

    Jumping knowledge with every layer: each sees a wider surrounding than the one before.
    """
    return torch.cat([encoded.embedded, *encoded.hidden_states, encoded.output], dim=-1)


def layers_mean(encoded: EncoderOutput, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean of every layer."""
    return _pool(every_layer(encoded), graph, num_graphs, "mean")


def layers_mean_sum(encoded: EncoderOutput, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean and sum of every layer."""
    return _pool(every_layer(encoded), graph, num_graphs, "mean", "sum")


def _pool(nodes: Tensor, graph: Tensor, num_graphs: int, *reductions: str) -> Tensor:
    pooled = [
        scatter(nodes, graph, dim=0, dim_size=num_graphs, reduce=reduction)
        for reduction in reductions
    ]
    return torch.cat(pooled, dim=-1)


READOUTS: dict[str, Callable[[EncoderOutput, Tensor, int], Tensor]] = {
    "mean": mean,
    "mean_sum": mean_sum,
    "mean_max_sum": mean_max_sum,
    "jk_mean_max_sum": jk_mean_max_sum,
    "layers_mean": layers_mean,
    "layers_mean_sum": layers_mean_sum,
}
NODES: dict[str, Callable[[EncoderOutput], Tensor]] = {
    "mean": last_end,
    "mean_sum": last_end,
    "mean_max_sum": last_end,
    "jk_mean_max_sum": both_ends,
    "layers_mean": every_layer,
    "layers_mean_sum": every_layer,
}
"""What each readout pools: the vectors of single nodes."""

REDUCTIONS = {
    "mean": 1,
    "mean_sum": 2,
    "mean_max_sum": 3,
    "jk_mean_max_sum": 3,
    "layers_mean": 1,
    "layers_mean_sum": 2,
}
"""How many reductions of the nodes' vectors stand side by side."""


def node_width(readout: str, encoder: Encoder) -> int:
    """Width of a node's vector."""
    pooled, dim = NODES[readout], encoder.dim
    if pooled is every_layer:
        return 2 * dim + encoder.depth * encoder.hidden_dim
    return 2 * dim if pooled is both_ends else dim


def graph_width(readout: str, encoder: Encoder) -> int:
    """Width of a graph's vector."""
    return REDUCTIONS[readout] * node_width(readout, encoder)
