"""Blocks of the equivariant encoder: messages between points that turn with the molecule.

Features are scalars (l = 0) and vectors (l = 1; also l = 2 tensors, if asked for). A rotation or
reflection of the positions leaves scalars as they are and turns the rest along. Tensor products,
linear maps and gates are e3nn's (Geiger and Smidt 2022, arXiv 2207.09453); the block is that of
NequIP (Batzner et al. 2022, doi:10.1038/s41467-022-29939-5).
"""

from __future__ import annotations

import math

import torch
from e3nn import o3
from e3nn.nn import Gate
from torch import Tensor, nn
from torch_geometric.utils import scatter

PARITY = {0: o3.Irrep("0e"), 1: o3.Irrep("1o"), 2: o3.Irrep("2e")}
"""The kinds of features: those of spherical harmonics. Pseudoscalars and the like are left out."""


def hidden_irreps(dim: int, lmax: int) -> o3.Irreps:
    """``dim`` scalars, and half as many features of every higher degree.

    Raises:
        ValueError: if ``lmax`` is neither 1 nor 2, or ``dim`` is odd.
    """
    if lmax not in (1, 2):
        raise ValueError(f"lmax must be 1 or 2, got {lmax}")
    if dim % 2:
        raise ValueError(f"dim must be even, got {dim}")
    return o3.Irreps([(dim // 2 if degree else dim, PARITY[degree]) for degree in range(lmax + 1)])


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
    """Where the source of an edge lies, seen from its target.

    Args:
        lmax: highest degree of the spherical harmonics.
        cutoff: where the envelope ends, Angstrom.
        num_basis: Gaussians that describe the distance.

    Shapes:
        - pos: ``[num_nodes, 3]``; edge_index: ``[2, num_edges]``; outputs: direction
          ``[num_edges, sphere.dim]``, distance ``[num_edges, num_basis]``, envelope
          ``[num_edges]``.
    """

    def __init__(self, lmax: int, cutoff: float, num_basis: int) -> None:
        super().__init__()
        self.sphere = o3.Irreps([(1, PARITY[degree]) for degree in range(lmax + 1)])
        self.basis = RadialBasis(cutoff, num_basis)

    def forward(self, pos: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Describe every edge."""
        along = pos[edge_index[0]] - pos[edge_index[1]]
        # Not the norm: its gradient is NaN where two points coincide.
        distance = (along.square().sum(1) + 1e-12).sqrt()
        direction = o3.spherical_harmonics(
            self.sphere, along, normalize=True, normalization="component"
        )
        return direction, *self.basis(distance)


class EquivariantNorm(nn.Module):
    """Layer norm of the scalars; the rest is divided by its root mean square over channels.

    One layer norm over all numbers of a node would mix scalars with components of vectors, which
    is not equivariant.

    Shapes:
        - input and output: ``[num_nodes, irreps.dim]``.
    """

    def __init__(self, irreps: o3.Irreps, eps: float = 1e-5) -> None:
        super().__init__()
        self.irreps = irreps
        self.eps = eps
        self.scalars = nn.LayerNorm(irreps[0].mul)
        self.weights = nn.ParameterList(nn.Parameter(torch.ones(mul)) for mul, _ in irreps[1:])

    def forward(self, features: Tensor) -> Tensor:
        """Normalise every node by itself."""
        parts = [self.scalars(features[:, : self.irreps[0].mul])]
        slices = self.irreps.slices()[1:]
        for place, (mul, irrep), weight in zip(slices, self.irreps[1:], self.weights, strict=True):
            tensor = features[:, place].unflatten(1, (mul, irrep.dim))
            square = tensor.square().mean((1, 2), keepdim=True)
            scaled = tensor * torch.rsqrt(square + self.eps) * weight[:, None]
            parts.append(scaled.flatten(1))
        return torch.cat(parts, dim=1)


def edge_product(irreps: o3.Irreps, edges: o3.Irreps) -> o3.TensorProduct:
    """Product of a neighbour's features with the direction towards it, channel by channel.

    ``uvu``: each channel meets each spherical harmonic with a weight of its own, which the radial
    network supplies; mixing channels is left to linear maps on nodes, which are fewer than edges.
    """
    outputs: list[tuple[int, o3.Irrep]] = []
    paths = []
    for i, (mul, irrep) in enumerate(irreps):
        for j, (_, direction) in enumerate(edges):
            for product in irrep * direction:
                if product in [kept for _, kept in irreps]:
                    paths.append((i, j, len(outputs), "uvu", True))
                    outputs.append((mul, product))
    ordered, place, _ = o3.Irreps(outputs).sort()
    instructions = [(i, j, place[k], mode, trained) for i, j, k, mode, trained in paths]
    return o3.TensorProduct(
        irreps, edges, ordered, instructions, shared_weights=False, internal_weights=False
    )


class EquivariantBlock(nn.Module):
    r"""Messages, their sum at every node, a gate, and a residual add.

    .. math::
        m_{ij} = u(r_{ij})\, W(r_{ij}, e_{ij})\, \big(n_j \otimes Y(\hat r_{ij})\big), \qquad
        f_i = L_3\, \mathrm{gate}\Big(L_1 \sum_j m_{ij} / \sqrt{N} + L_2\, n_i\Big), \qquad
        h_i' = h_i + f_i

    with :math:`n` the normalised features. Returns ``h'`` and the scalars of ``f``: the targets
    of data2vec, as the feed-forward output before the residual add is in a Transformer.

    Args:
        irreps: of the features, scalars first.
        edges: irreps of the spherical harmonics.
        radial: numbers per edge that the radial network reads.
        neighbours: a typical number of neighbours, N.

    Shapes:
        - features: ``[num_nodes, irreps.dim]``; edge_index: ``[2, num_edges]``; direction:
          ``[num_edges, edges.dim]``; described: ``[num_edges, radial]``; envelope:
          ``[num_edges]``; outputs: ``[num_nodes, irreps.dim]``, ``[num_nodes, dim]``.
    """

    def __init__(
        self, irreps: o3.Irreps, edges: o3.Irreps, *, radial: int, neighbours: float
    ) -> None:
        super().__init__()
        self.dim = irreps[0].mul
        self.scale = 1 / math.sqrt(neighbours)
        scalars, rest = irreps[:1], irreps[1:]
        gates = o3.Irreps([(rest.num_irreps, PARITY[0])])
        self.gate = Gate(scalars, [nn.functional.silu], gates, [torch.sigmoid], rest)
        self.norm = EquivariantNorm(irreps)
        self.before = o3.Linear(irreps, irreps)
        self.product = edge_product(irreps, edges)
        hidden = 64
        self.radial = nn.Sequential(
            nn.Linear(radial, hidden), nn.SiLU(), nn.Linear(hidden, self.product.weight_numel)
        )
        self.messages = o3.Linear(self.product.irreps_out, self.gate.irreps_in)
        self.itself = o3.Linear(irreps, self.gate.irreps_in)
        self.update = o3.Linear(irreps, irreps)

    def forward(
        self,
        features: Tensor,
        edge_index: Tensor,
        direction: Tensor,
        described: Tensor,
        envelope: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Apply the block; see the class for what it returns."""
        source, target = edge_index
        normed = self.norm(features)
        weights = self.radial(described) * envelope[:, None]
        message = self.product(self.before(normed).index_select(0, source), direction, weights)
        total = scatter(message, target, dim=0, dim_size=len(features), reduce="sum")
        gated = self.gate(self.messages(total * self.scale) + self.itself(normed))
        update = self.update(gated)
        return features + update, update[:, : self.dim]
