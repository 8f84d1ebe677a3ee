"""An optional message-passing branch: what attention over all pairs may miss, bond by bond."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import GINEConv

from molvec.nn.embedding import embed_sum
from molvec.nn.visible import edges_between, number_tokens


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


def visible_edges(batch: Batch, visible: Tensor | None = None) -> VisibleEdges:
    """Find the edges between tokens: once per call of an encoder, for all of its blocks.

    Args:
        batch: graphs with ``edge_attr``.
        visible: bool ``[num_nodes]`` or ``[V, num_nodes]``; ``None`` for all nodes, one view.
    """
    if visible is None:
        return VisibleEdges(batch.edge_index, batch.edge_attr)
    token = number_tokens(visible.view(-1, len(batch.batch)))
    edge_index, edge = edges_between(token, batch.edge_index)
    return VisibleEdges(edge_index, batch.edge_attr[edge])
