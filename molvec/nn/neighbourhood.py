"""The neighbours of every point, described: how far, in which direction, joined how."""

from __future__ import annotations

from typing import NamedTuple

import torch
from e3nn import o3
from torch import Tensor, nn


class Neighbourhood(NamedTuple):
    """Neighbours of ``n`` nodes, padded to ``w``, the most that one of them has.

    Shapes:
        - ``source``: int64 ``[n * w]``, the neighbours; 0 where there is none.
        - ``direction``: ``[n, w, (lmax + 1) ** 2]``, spherical harmonics of the way to each.
        - ``described``: ``[n, w, size]``, its distance and the kind of edge.
        - ``envelope``: ``[n, w]``: 1 near by, 0 at the cutoff and where there is none.
    """

    source: Tensor
    direction: Tensor
    described: Tensor
    envelope: Tensor

    def repeat(self, views: int) -> Neighbourhood:
        """Return the same neighbours once for every view, over ``views * n`` nodes."""
        num_nodes = len(self.envelope)
        first = torch.arange(views, device=self.source.device)[:, None] * num_nodes
        return Neighbourhood(
            (self.source + first).flatten(),
            self.direction.repeat(views, 1, 1),
            self.described.repeat(views, 1, 1),
            self.envelope.repeat(views, 1),
        )


class RadialBasis(nn.Module):
    r"""A distance as ``size`` Gaussians, and an envelope that falls smoothly to 0 at the cutoff.

    .. math:: u(d) = 1 - 28 d^6 + 48 d^7 - 21 d^8, \qquad d = r / r_\mathrm{cut}

    (the polynomial of DimeNet, arXiv 2003.03123, with p = 6).

    Shapes:
        - distance: ``[num_edges]``, Angstrom; outputs: ``[num_edges, size]``, ``[num_edges]``.
    """

    def __init__(self, cutoff: float, size: int) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.register_buffer("centers", torch.linspace(0, cutoff, size), persistent=False)
        self.width = cutoff / (size - 1)

    def forward(self, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Expand distances."""
        assert isinstance(self.centers, Tensor)
        centers = self.centers.to(distance.dtype)
        basis = torch.exp(-(((distance[:, None] - centers) / self.width) ** 2))
        d = (distance / self.cutoff).clamp(max=1)
        return basis, 1 - 28 * d**6 + 48 * d**7 - 21 * d**8


class EdgeGeometry(nn.Module):
    """Describe every node's neighbours.

    Args:
        lmax: highest degree of the spherical harmonics.
        cutoff: where the envelope ends, Angstrom.
        num_basis: Gaussians that describe the distance.

    Shapes:
        - along: ``[num_edges, 3]``, from target to source, Angstrom; edge_index:
          ``[2, num_edges]``, sorted by target; kind: ``[num_edges, any]``, more numbers about
          each edge.
    """

    def __init__(self, lmax: int, cutoff: float, num_basis: int) -> None:
        super().__init__()
        self.sphere = o3.Irreps.spherical_harmonics(lmax)
        self.basis = RadialBasis(cutoff, num_basis)

    def forward(
        self, along: Tensor, edge_index: Tensor, num_nodes: int, kind: Tensor | None = None
    ) -> Neighbourhood:
        """Describe the edges and line them up by target."""
        # Not the norm: its gradient is NaN where two points coincide.
        distance = (along.square().sum(1) + 1e-12).sqrt()
        direction = o3.spherical_harmonics(
            self.sphere, along, normalize=True, normalization="component"
        )
        basis, envelope = self.basis(distance)
        described = basis if kind is None else torch.cat([basis, kind], dim=1)
        place, width = places(edge_index[1], num_nodes)
        slots = num_nodes * width

        def line_up(values: Tensor) -> Tensor:
            empty = values.new_zeros(slots, *values.shape[1:])
            return empty.index_copy(0, place, values).unflatten(0, (num_nodes, width))

        return Neighbourhood(
            source=line_up(edge_index[0]).flatten(),
            direction=line_up(direction),
            described=line_up(described),
            envelope=line_up(envelope),
        )


def places(target: Tensor, num_nodes: int) -> tuple[Tensor, int]:
    """Where each edge goes in a table with a row per node: ``row * width + column``.

    Args:
        target: int64 ``[num_edges]``, ascending.
        num_nodes: rows.

    Returns:
        int64 ``[num_edges]``, and the width of the table.
    """
    count = torch.bincount(target, minlength=num_nodes)
    width = int(count.max()) if len(target) else 0
    first = count.cumsum(0) - count
    column = torch.arange(len(target), device=target.device) - first[target]
    return target * width + column, width
