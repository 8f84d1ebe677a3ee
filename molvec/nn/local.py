"""An optional message-passing branch: what attention over all pairs may miss, bond by bond."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import GINEConv

from molvec.nn.embedding import embed_sum
from molvec.nn.packing import Packing
from molvec.nn.visible import edges_between


class LocalBranch(nn.Module):
    """GINE over the edges whose two ends are visible, as a residual branch before attention.

    Source: GINE (Hu et al. 2020, arXiv 1905.12265) beside attention as in GPS (Rampasek et al.
    2022, arXiv 2205.12454); layer norm in place of batch norm, which would tie an embedding to its
    neighbours in the batch.

    Shapes:
        - tokens and output: ``[T, dim]``; edges: from :func:`visible_edges`, of the same batch.
    """

    def __init__(self, dim: int, edge_sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.edges = nn.ModuleList(nn.Embedding(size, dim) for size in edge_sizes)
        self.conv = GINEConv(nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim)))

    def forward(self, tokens: Tensor, edges: VisibleEdges) -> Tensor:
        """Add one round of messages among the visible nodes."""
        messages = embed_sum(self.edges, edges.edge_attr)  # [E, dim]
        return tokens + self.conv(self.norm(tokens), edges.edge_index, messages)


class VisibleEdges(NamedTuple):
    """Edges whose two ends are visible, view by view.

    Shapes:
        - ``edge_index``: int64 ``[2, E]``, over tokens.
        - ``edge_attr``: int64 ``[E, num_edge_features]``.
    """

    edge_index: Tensor
    edge_attr: Tensor


def visible_edges(batch: Batch, packing: Packing) -> VisibleEdges:
    """Find the edges between tokens: once per call of an encoder, for all of its blocks."""
    num_nodes = len(batch.batch)
    num_views = len(packing.graph) // (len(batch.ptr) - 1)
    row = torch.arange(len(packing.graph), device=packing.slot.device)
    view_of_token = row.repeat_interleave(packing.used.sum(1)) // (len(batch.ptr) - 1)
    token = torch.full((num_views, num_nodes), -1, device=packing.slot.device)
    token[view_of_token, packing.node] = torch.arange(len(packing.node), device=token.device)
    edge_index, edge = edges_between(token, batch.edge_index)
    return VisibleEdges(edge_index, batch.edge_attr[edge])
