"""An optional message-passing branch: what attention over all pairs may miss, bond by bond."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import GINEConv

from molvec.nn.packing import Packing
from molvec.nn.visible import edges_between


class LocalBranch(nn.Module):
    """GINE over the edges whose two ends are visible, as a residual branch before attention.

    Source: GINE (Hu et al. 2020, arXiv 1905.12265) beside attention as in GPS (Rampasek et al.
    2022, arXiv 2205.12454); layer norm in place of batch norm, which would tie an embedding to its
    neighbours in the batch.

    Shapes:
        - tokens and output: ``[T, dim]``.
    """

    def __init__(self, dim: int, edge_sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.edges = nn.ModuleList(nn.Embedding(size, dim) for size in edge_sizes)
        self.conv = GINEConv(nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim)))

    def forward(self, tokens: Tensor, batch: Batch, packing: Packing) -> Tensor:
        """Add one round of messages among the visible nodes."""
        edge_index, edge = visible_edges(batch, packing)
        features = torch.stack(
            [table(batch.edge_attr[edge, i]) for i, table in enumerate(self.edges)]
        ).sum(0)
        return tokens + self.conv(self.norm(tokens), edge_index, features)


def visible_edges(batch: Batch, packing: Packing) -> tuple[Tensor, Tensor]:
    """Edges between tokens, view by view.

    Returns:
        ``edge_index`` int64 ``[2, E]`` over tokens, and the batch's edge behind each, ``[E]``.
    """
    num_nodes = len(batch.batch)
    num_views = len(packing.graph) // (len(batch.ptr) - 1)
    row = torch.arange(len(packing.graph), device=packing.slot.device)
    view_of_token = row.repeat_interleave(packing.used.sum(1)) // (len(batch.ptr) - 1)
    token = torch.full((num_views, num_nodes), -1, device=packing.slot.device)
    token[view_of_token, packing.node] = torch.arange(len(packing.node), device=token.device)
    return edges_between(token, batch.edge_index)
