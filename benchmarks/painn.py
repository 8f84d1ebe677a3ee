r"""PaiNN in a page, as a yardstick of cost (Schütt et al. 2021, arXiv 2102.03150).

Scalars :math:`s` and as many vectors :math:`v` per node. Messages (equations 7 and 8) and updates
(equations 9 and 10):

.. math::
    x_{ij} = \phi(s_j) \circ W(r_{ij}), \qquad
    \Delta s_i = \sum_j x^1_{ij}, \qquad
    \Delta v_i = \sum_j x^2_{ij} v_j + x^3_{ij} \hat r_{ij}

.. math::
    a_i = \alpha(s_i, \lVert V v_i \rVert), \qquad
    \Delta s_i = a^1_i + a^2_i \langle U v_i, V v_i \rangle, \qquad
    \Delta v_i = a^3_i\, U v_i

It stands beside molvec's encoder on the same batch; nothing is trained with it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import POS, Encoder, EncoderOutput
from molvec.nn.embedding import NodeEmbedding


class PaiNNBlock(nn.Module):
    """One message and one update.

    Shapes:
        - s: ``[num_nodes, dim]``; v: ``[num_nodes, 3, dim]``; edge_index: ``[2, num_edges]``;
          direction: ``[num_edges, 3]``; radial: ``[num_edges, num_basis]``; envelope:
          ``[num_edges, 1]``; outputs like s and v.
    """

    def __init__(self, dim: int, num_basis: int) -> None:
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, 3 * dim))
        self.filter = nn.Linear(num_basis, 3 * dim)
        self.mix = nn.Linear(dim, 2 * dim, bias=False)  # U and V
        self.alpha = nn.Sequential(nn.Linear(2 * dim, dim), nn.SiLU(), nn.Linear(dim, 3 * dim))

    def forward(
        self,
        s: Tensor,
        v: Tensor,
        edge_index: Tensor,
        direction: Tensor,
        radial: Tensor,
        envelope: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Apply the block."""
        source, target = edge_index
        x = self.phi(s).index_select(0, source) * self.filter(radial) * envelope
        to_scalars, along, outward = x.chunk(3, dim=1)
        vectors = (
            along[:, None] * v.index_select(0, source) + outward[:, None] * direction[..., None]
        )
        s = s.index_add(0, target, to_scalars)
        v = v.index_add(0, target, vectors)
        u, w = self.mix(v).chunk(2, dim=-1)
        norm = (w.square().sum(1) + 1e-8).sqrt()
        own, product, scale = self.alpha(torch.cat([s, norm], dim=1)).chunk(3, dim=1)
        return s + own + product * (u * w).sum(1), v + scale[:, None] * u


class PaiNN(Encoder):
    """The network over whole graphs; see the module for its equations.

    Args:
        node_sizes: vocabulary sizes of the node features.
        dim: scalars per node, and vectors.
        depth: blocks.
        cutoff: Angstrom.
        num_basis: radial functions, sin(n pi r / cutoff) / r.
    """

    def __init__(
        self,
        *,
        node_sizes: tuple[int, ...],
        dim: int,
        depth: int,
        cutoff: float,
        num_basis: int = 20,
    ) -> None:
        super().__init__()
        self.dim, self.depth, self.cutoff = dim, depth, cutoff
        self.nodes = NodeEmbedding(node_sizes, dim)
        self.register_buffer("frequency", torch.arange(1, num_basis + 1) * math.pi / cutoff)
        self.blocks = nn.ModuleList(PaiNNBlock(dim, num_basis) for _ in range(depth))

    def forward(self, batch: Batch, visible: Tensor | None = None) -> EncoderOutput:
        """Encode all nodes."""
        assert visible is None, "a yardstick without masks"
        source, target = batch.edge_index
        along = batch[POS][source] - batch[POS][target]
        distance = (along.square().sum(1, keepdim=True) + 1e-12).sqrt()
        radial = torch.sin(distance * self.frequency) / distance
        envelope = 0.5 * (torch.cos(math.pi * distance / self.cutoff) + 1)
        envelope = envelope * (distance < self.cutoff)
        embedded = s = self.nodes(batch.x)
        v = s.new_zeros(len(s), 3, self.dim)
        hidden_states = []
        for block in self.blocks:
            s, v = block(s, v, batch.edge_index, along / distance, radial, envelope)
            hidden_states.append(s)
        return EncoderOutput(s, tuple(hidden_states), embedded)
