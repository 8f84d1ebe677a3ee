"""Readouts: what an encoder returns for the nodes of a graph becomes one vector per graph.

A readout says what a node's own vector is, and by which reductions those of a graph are pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from molvec.graph import POS, Encoder, EncoderOutput

PATCH = 24.0
"""Where a patch ends, Angstrom: docs/decisions/0024-patches.md."""
ROWS = 1024
"""How many points' distances to all others are held at once."""


def last_end(encoded: EncoderOutput, batch: Batch) -> Tensor:
    """Return the output, ``[num_nodes, dim]``."""
    return encoded.output


def both_ends(encoded: EncoderOutput, batch: Batch) -> Tensor:
    """What the first block received beside the output, ``[num_nodes, 2 * dim]``.

    Jumping knowledge by concatenation (Xu et al. 2018, arXiv 1806.03536), of the two ends: the
    atoms themselves, and the atoms in their surroundings.
    """
    return torch.cat([encoded.embedded, encoded.output], dim=-1)


def every_layer(encoded: EncoderOutput, batch: Batch) -> Tensor:
    """Both ends with all hidden states between them, ``[num_nodes, 2 dim + depth * hidden_dim]``.

    Jumping knowledge with every layer: each sees a wider surrounding than the one before.
    """
    return torch.cat([encoded.embedded, *encoded.hidden_states, encoded.output], dim=-1)


def every_layer_and_patch(encoded: EncoderOutput, batch: Batch) -> Tensor:
    r"""Every layer beside its mean over the node's patch; twice as wide as every layer.

    A patch is the points of the graph within ``PATCH``, the node itself included. They count less
    the farther they are, so that nothing jumps where a patch ends (the cutoff function of Behler
    and Parrinello 2007, doi:10.1103/PhysRevLett.98.146401):

    .. math:: w(d) = \tfrac{1}{2} (\cos(\pi d / d_\mathrm{patch}) + 1)
    """
    layers = every_layer(encoded, batch)
    return torch.cat([layers, torch.cat(list(_patch_means(layers, batch)))], dim=-1)


def _patch_means(nodes: Tensor, batch: Batch) -> Iterator[Tensor]:
    for start, end in pairwise(batch.ptr.tolist()):
        own, points = nodes[start:end], batch[POS][start:end]
        for some in points.split(ROWS):
            # By products of matrices they would be as inexact as points are far from the origin.
            distances = torch.cdist(some, points, compute_mode="donot_use_mm_for_euclid_dist")
            weights = 0.5 * (torch.cos(torch.pi * (distances / PATCH).clamp(max=1)) + 1)
            yield weights.to(own.dtype) @ own / weights.sum(1, keepdim=True)


@dataclass(frozen=True)
class Readout:
    """What a node's own vector is, and how those of a graph are pooled.

    Attributes:
        nodes: takes an encoder's output for a batch and the batch, gives ``[num_nodes, width]``.
        reductions: names of what stands side by side: mean; sum, which says how much of it there
            is; max, which says whether something is there at all.
        space: only for graphs with coordinates.
    """

    nodes: Callable[[EncoderOutput, Batch], Tensor]
    reductions: tuple[str, ...]
    space: bool = False

    def __call__(self, encoded: EncoderOutput, batch: Batch) -> Tensor:
        """Pool a batch: ``[num_graphs, width]``, see :func:`graph_width`."""
        nodes, graphs = self.nodes(encoded, batch), len(batch.ptr) - 1
        pooled = [
            scatter(nodes, batch.batch, dim=0, dim_size=graphs, reduce=reduction)
            for reduction in self.reductions
        ]
        return torch.cat(pooled, dim=-1)


READOUTS = {
    "mean": Readout(last_end, ("mean",)),
    "mean_sum": Readout(last_end, ("mean", "sum")),
    "mean_max_sum": Readout(last_end, ("mean", "max", "sum")),
    "jk_mean_max_sum": Readout(both_ends, ("mean", "max", "sum")),
    "layers_mean": Readout(every_layer, ("mean",)),
    "layers_mean_sum": Readout(every_layer, ("mean", "sum")),
    "layers_patch_mean": Readout(every_layer_and_patch, ("mean",), space=True),
}


def node_width(readout: str, encoder: Encoder) -> int:
    """Width of a node's vector."""
    nodes, layers = READOUTS[readout].nodes, 2 * encoder.dim + encoder.depth * encoder.hidden_dim
    if nodes is every_layer_and_patch:
        return 2 * layers
    if nodes is every_layer:
        return layers
    return 2 * encoder.dim if nodes is both_ends else encoder.dim


def graph_width(readout: str, encoder: Encoder) -> int:
    """Width of a graph's vector."""
    return len(READOUTS[readout].reductions) * node_width(readout, encoder)
