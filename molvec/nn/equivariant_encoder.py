"""The equivariant encoder for point clouds: what it returns does not turn with the molecule."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import Encoder, EncoderOutput
from molvec.nn.embedding import NodeEmbedding
from molvec.nn.equivariant import EquivariantBlock, channels_by_degree, from_scalars, norms
from molvec.nn.neighbourhood import EdgeGeometry
from molvec.nn.visible import edges_between, number_tokens


class EquivariantEncoder(Encoder):
    """Encoder for graphs with positions (the contract is :class:`molvec.graph.Encoder`).

    Hidden nodes and every edge that touches one leave the graph: neither their features nor their
    positions enter. Returned are scalars, which rotations, reflections and shifts leave alone.

    Args:
        node_sizes: vocabulary sizes of the node features.
        edge_sizes: vocabulary sizes of the edge features; empty without any.
        dim: scalars per node; vectors (and tensors) are a quarter as many.
        depth: number of blocks.
        lmax: highest degree of features and spherical harmonics, 1 or 2.
        cutoff: distance at which messages fade out, Angstrom; that of the edges, or less.
        num_basis: Gaussians that describe a distance.
        radial: functions of the distance that a block learns.
        neighbours: a typical number of neighbours, to scale sums of messages.
        norms: hidden states hold the lengths of vectors (and tensors), too.

    Shapes:
        - output: ``[T, dim]``, with ``T`` visible nodes over all views, view by view in node
          order; each of ``depth`` hidden states: ``[T, hidden_dim]``, scalars first.
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
        radial: int = 8,
        neighbours: float = 12.0,
        norms: bool = False,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.norms = norms
        self.depth = depth
        self.channels = channels_by_degree(dim, lmax)
        self.nodes = NodeEmbedding(node_sizes, dim)
        self.geometry = EdgeGeometry(lmax, cutoff, num_basis)
        tables = [nn.Embedding(size, num_basis) for size in edge_sizes]
        for table in tables:
            nn.init.normal_(table.weight, std=num_basis**-0.5)  # as large as a distance's Gaussians
        self.edges = nn.ModuleList(tables)
        self.blocks = nn.ModuleList(
            EquivariantBlock(
                self.channels,
                described=num_basis * (1 + bool(edge_sizes)),
                radial=radial,
                neighbours=neighbours,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim)

    @property
    def hidden_dim(self) -> int:
        """Width of the hidden states."""
        return sum(self.channels) if self.norms else self.dim

    def layers(self) -> list[list[nn.Module]]:
        """Return all parts from the input up, see ``Encoder``."""
        layers: list[list[nn.Module]] = [[self.nodes, self.geometry, self.edges]]
        layers += [[block] for block in self.blocks]
        layers[-1].append(self.norm)
        return layers

    def forward(self, batch: Batch, visible: Tensor | None = None) -> EncoderOutput:
        """Encode the visible nodes; ``visible`` is ``[num_nodes]`` or ``[V, num_nodes]``."""
        num_nodes = len(batch.batch)
        if visible is None:
            visible = torch.ones(num_nodes, dtype=torch.bool, device=batch.x.device)
        visible = visible.view(-1, num_nodes)
        node = visible.nonzero(as_tuple=True)[1]  # of each token
        edge_index, edge = edges_between(number_tokens(visible), batch.edge_index)
        ends = (
            batch.pos.index_select(0, node)
            .index_select(0, edge_index.flatten())
            .unflatten(0, (2, -1))
        )
        kind = None
        if self.edges:
            tables = [table(batch.edge_attr[edge, i]) for i, table in enumerate(self.edges)]
            kind = torch.stack(tables).sum(0)
        around = self.geometry(ends[0] - ends[1], edge_index, len(node), kind)

        embedded = self.nodes(batch.x).index_select(0, node)
        features = from_scalars(embedded, self.channels)
        hidden_states = []
        for block in self.blocks:
            features, messages = block(features, around)
            hidden = messages[0].squeeze(1)
            if self.norms:
                hidden = torch.cat([hidden, *map(norms, messages[1:])], dim=1)
            hidden_states.append(hidden)
        output = self.norm(features[0].squeeze(1))
        return EncoderOutput(output, tuple(hidden_states), embedded)
