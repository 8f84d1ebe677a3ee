"""Readouts: node representations of a graph become one vector per graph."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.utils import scatter


def mean(nodes: Tensor, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean over the nodes of each graph: ``[num_nodes, dim]`` -> ``[num_graphs, dim]``."""
    return scatter(nodes, graph, dim=0, dim_size=num_graphs, reduce="mean")


def mean_sum(nodes: Tensor, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean and sum side by side: what a molecule is made of, and how much of it there is.

    ``[num_nodes, dim]`` -> ``[num_graphs, 2 dim]``.
    """
    total = scatter(nodes, graph, dim=0, dim_size=num_graphs, reduce="sum")
    return torch.cat([mean(nodes, graph, num_graphs), total], dim=-1)


def mean_max_sum(nodes: Tensor, graph: Tensor, num_graphs: int) -> Tensor:
    """Mean, maximum and sum side by side: ``[num_nodes, dim]`` -> ``[num_graphs, 3 dim]``."""
    return torch.cat(
        [
            scatter(nodes, graph, dim=0, dim_size=num_graphs, reduce=reduce)
            for reduce in ("mean", "max", "sum")
        ],
        dim=-1,
    )


READOUTS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "mean": mean,
    "mean_sum": mean_sum,
    "mean_max_sum": mean_max_sum,
}
WIDTH = {"mean": 1, "mean_sum": 2, "mean_max_sum": 3}
"""How many times wider than a node a graph's vector is."""
