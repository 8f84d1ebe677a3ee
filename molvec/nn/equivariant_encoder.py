"""The equivariant encoder for point clouds: what it returns does not turn with the molecule."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import Encoder, EncoderOutput
from molvec.nn.embedding import NodeEmbedding
from molvec.nn.equivariant import EdgeGeometry, EquivariantBlock, hidden_irreps
from molvec.nn.visible import edges_between, number_tokens


class EquivariantEncoder(Encoder):
    """Encoder for graphs with positions (the contract is :class:`molvec.graph.Encoder`).

    Hidden nodes and every edge that touches one leave the graph: neither their features nor their
    positions enter. Returned are scalars, which rotations, reflections and shifts leave alone.

    Args:
        node_sizes: vocabulary sizes of the node features.
        edge_sizes: vocabulary sizes of the edge features; empty without any.
        dim: scalars per node; vectors (and tensors) are half as many.
        depth: number of blocks.
        lmax: highest degree of features and spherical harmonics, 1 or 2.
        cutoff: distance at which messages fade out, Angstrom; that of the edges, or less.
        num_basis: Gaussians that describe a distance.
        neighbours: a typical number of neighbours, to scale sums of messages.

    Shapes:
        - output and each of ``depth`` hidden states: ``[T, dim]``, with ``T`` visible nodes over
          all views, view by view in node order.
    """

    def __init__(
        self,
        *,
        node_sizes: tuple[int, ...],
        edge_sizes: tuple[int, ...],
        dim: int,
        depth: int,
        lmax: int = 1,
        cutoff: float = 5.0,
        num_basis: int = 16,
        neighbours: float = 12.0,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.depth = depth
        self.irreps = hidden_irreps(dim, lmax)
        self.nodes = NodeEmbedding(node_sizes, dim)
        self.geometry = EdgeGeometry(lmax, cutoff, num_basis)
        self.edges = nn.ModuleList(nn.Embedding(size, num_basis) for size in edge_sizes)
        self.blocks = nn.ModuleList(
            EquivariantBlock(
                self.irreps,
                self.geometry.sphere,
                radial=num_basis * (1 + bool(edge_sizes)),
                neighbours=neighbours,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, batch: Batch, visible: Tensor | None = None) -> EncoderOutput:
        """Encode the visible nodes; ``visible`` is ``[num_nodes]`` or ``[V, num_nodes]``."""
        num_nodes = len(batch.batch)
        if visible is None:
            visible = torch.ones(num_nodes, dtype=torch.bool, device=batch.x.device)
        visible = visible.view(-1, num_nodes)
        node = visible.nonzero(as_tuple=True)[1]  # of each token
        edge_index, edge = edges_between(number_tokens(visible), batch.edge_index)
        direction, described, envelope = self.geometry(batch.pos, batch.edge_index[:, edge])
        if self.edges:
            kinds = [table(batch.edge_attr[edge, i]) for i, table in enumerate(self.edges)]
            described = torch.cat([described, torch.stack(kinds).sum(0)], dim=1)

        embedded = self.nodes(batch.x).index_select(0, node)
        rest = embedded.new_zeros(len(node), self.irreps.dim - self.dim)
        features = torch.cat([embedded, rest], dim=1)
        hidden_states = []
        for block in self.blocks:
            features, update = block(features, edge_index, direction, described, envelope)
            hidden_states.append(update)
        output = self.norm(features[:, : self.dim])
        return EncoderOutput(output, tuple(hidden_states), embedded)
