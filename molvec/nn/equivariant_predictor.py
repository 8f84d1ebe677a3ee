"""The predictor for point clouds: from what the student saw to what is hidden, in space."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.nn.equivariant import EquivariantBlock, channels_by_degree, from_scalars
from molvec.nn.neighbourhood import EdgeGeometry


class EquivariantPredictor(nn.Module):
    """A narrow equivariant network over all points: student outputs where visible, mask tokens.

    A mask token knows where it is, by the student's own, noisy positions, and nothing of what it
    is: no node features, no kinds of edges. The counterpart in space of
    :class:`molvec.nn.predictor.TransformerPredictor`.

    Args:
        dim: width of the student.
        target_dim: width of the targets; ``dim`` by default.
        width: scalars per node of the predictor.
        depth: blocks.
        lmax: highest degree of features and spherical harmonics.
        cutoff: distance at which messages fade out, Angstrom.
        num_basis: Gaussians that describe a distance.
        radial: functions of the distance that a block learns.
        neighbours: a typical number of neighbours.

    Shapes:
        - context: ``[num_visible, dim]``; mask: bool ``[V, num_nodes]``; output:
          ``[V, num_nodes, target_dim]``.
    """

    def __init__(
        self,
        *,
        dim: int,
        width: int,
        depth: int,
        target_dim: int | None = None,
        lmax: int = 1,
        cutoff: float = 5.0,
        num_basis: int = 16,
        radial: int = 8,
        neighbours: float = 12.0,
    ) -> None:
        super().__init__()
        self.channels = channels_by_degree(width, lmax)
        self.geometry = EdgeGeometry(lmax, cutoff, num_basis)
        self.project = nn.Linear(dim, width)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.blocks = nn.ModuleList(
            EquivariantBlock(
                self.channels, described=num_basis, radial=radial, neighbours=neighbours
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, target_dim or dim)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, context: Tensor, batch: Batch, mask: Tensor) -> Tensor:
        """Predict the targets of all nodes in every view."""
        views, num_nodes = mask.shape
        hidden = mask.flatten()
        projected = self.project(context)
        scalars = self.mask_token.to(projected.dtype).expand(len(hidden), -1)
        scalars = scalars.index_copy(0, (~hidden).nonzero().squeeze(1), projected)
        features = from_scalars(scalars, self.channels)

        # Every view has all points and all edges: described once, repeated.
        along = batch.pos[batch.edge_index[0]] - batch.pos[batch.edge_index[1]]
        around = self.geometry(along, batch.edge_index, num_nodes).repeat(views)
        for block in self.blocks:
            features, _ = block(features, around)
        return self.out(self.norm(features[0].squeeze(1))).unflatten(0, mask.shape)
