"""The neighbours of every point, described: how far, in which direction, joined how."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from e3nn import o3
from torch import Tensor, nn

from molvec.nn.radial import RadialBasis


class Neighbourhood(NamedTuple):
    """Neighbours of ``n`` nodes, padded to ``w``, the most that one of them has.

    Shapes:
        - ``source``: int64 ``[n * w]``, the neighbours; 0 where there is none.
        - ``coupled``: by degree ``[n, w, 2 l + 1, rows]``: the direction of each, multiplied with
          the coefficients by which features of that degree couple to it.
        - ``described``: ``[n, w, size]``, its distance and the kind of edge.
        - ``envelope``: ``[n, w]``: 1 near by, 0 at the cutoff and where there is none.
    """

    source: Tensor
    coupled: tuple[Tensor, ...]
    described: Tensor
    envelope: Tensor

    def repeat(self, views: int) -> Neighbourhood:
        """Return the same neighbours once for every view, over ``views * n`` nodes."""
        num_nodes = len(self.envelope)
        first = torch.arange(views, device=self.source.device)[:, None] * num_nodes
        return Neighbourhood(
            (self.source + first).flatten(),
            tuple(each.repeat(views, 1, 1, 1) for each in self.coupled),
            self.described.repeat(views, 1, 1),
            self.envelope.repeat(views, 1),
        )


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
        for degree in range(lmax + 1):
            self.register_buffer(f"coupling{degree}", couplings(degree, lmax), persistent=False)
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

        lined_up = line_up(direction)
        coupled = tuple(
            (lined_up @ self.get_buffer(f"coupling{degree}").to(lined_up.dtype)).unflatten(
                2, (2 * degree + 1, -1)
            )
            for degree in range(self.sphere.lmax + 1)
        )
        return Neighbourhood(
            source=line_up(edge_index[0]).flatten(),
            coupled=coupled,
            described=line_up(described),
            envelope=line_up(envelope),
        )


def paths(degree: int, lmax: int) -> list[tuple[int, int]]:
    """Which directions' degrees features of a degree meet, and the degree of what comes out.

    Kept are results up to ``lmax`` that are even or odd under reflection as their degree is. Of
    the constant direction only what scalars make of it is listed: all others stay what they are.
    """
    return [
        (other, result)
        for other in range(bool(degree), lmax + 1)
        for result in range(abs(degree - other), min(degree + other, lmax) + 1)
        if (degree + other + result) % 2 == 0
    ]


def results_of(degree: int, lmax: int) -> list[int]:
    """Return the degrees of the results of :func:`paths`."""
    return [result for _, result in paths(degree, lmax)]


def couplings(degree: int, lmax: int) -> Tensor:
    r"""Coefficients :math:`\sqrt{2 l_3 + 1} \, w(l_1, l_2, l_3)` of :func:`paths`, with Wigner's w.

    Shapes:
        - output: ``[(lmax + 1) ** 2, (2 degree + 1) * rows]``, ``rows`` being the components of
          all results.
    """
    tables = []
    for other, result in paths(degree, lmax):
        table = torch.zeros((lmax + 1) ** 2, 2 * degree + 1, 2 * result + 1)
        symbols = math.sqrt(2 * result + 1) * o3.wigner_3j(degree, other, result)
        table[other**2 : (other + 1) ** 2] = symbols.transpose(0, 1)
        tables.append(table)
    return torch.cat(tables, dim=2).flatten(1)


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
