"""Blocks of the equivariant encoder: messages between points that turn with the molecule.

Features are scalars (degree 0) and vectors (degree 1; also tensors of degree 2, if asked for), a
tensor ``[num_nodes, 2 l + 1, channels]`` each. A rotation or reflection of the positions leaves
scalars as they are and turns the rest along. Spherical harmonics and coupling coefficients are
e3nn's (Geiger and Smidt 2022, arXiv 2207.09453); the block follows NequIP (Batzner et al. 2022,
doi:10.1038/s41467-022-29939-5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from molvec.nn.neighbourhood import Neighbourhood, results_of

Features = Sequence[Tensor]
"""By degree, ``[num_nodes, 2 l + 1, channels]``."""

SILU = 1.6766
"""Makes the second moment of silu(x) 1 for normal x (e3nn's ``normalize2mom``)."""


def channels_by_degree(dim: int, lmax: int) -> tuple[int, ...]:
    """``dim`` scalars, and a quarter as many features of every higher degree.

    Raises:
        ValueError: if ``lmax`` is neither 1 nor 2, or ``dim`` is no multiple of 4.
    """
    if lmax not in (1, 2):
        raise ValueError(f"lmax must be 1 or 2, got {lmax}")
    if dim % 4:
        raise ValueError(f"dim must be a multiple of 4, got {dim}")
    return (dim, *[dim // 4] * lmax)


CANCELLED = 1e-10
"""Mean square of vectors below which they are rounding, of sums of numbers about 1 in float32."""


class EquivariantNorm(nn.Module):
    r"""Layer norm of the scalars; the rest is divided by its root mean square over channels.

    .. math:: v \mapsto \frac{v}{\sqrt{s + \epsilon}} \cdot \frac{s}{s + \delta}, \qquad
        s = \operatorname{mean} v^2

    One layer norm over all numbers of a node would mix scalars with components of vectors, which
    is not equivariant. The second factor is 1 but where vectors cancel, as at the carbon of
    methane: what is left there is rounding, which points elsewhere when the molecule is turned, and
    would be made 300 times as large by every block.
    """

    def __init__(self, channels: Sequence[int], eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.scalars = nn.LayerNorm(channels[0])
        self.weights = nn.ParameterList(nn.Parameter(torch.ones(width)) for width in channels[1:])

    def forward(self, features: Features) -> list[Tensor]:
        """Normalise every node by itself."""
        normed = [self.scalars(features[0])]
        for tensor, weight in zip(features[1:], self.weights, strict=True):
            square = tensor.square().mean((1, 2), keepdim=True)
            scale = torch.rsqrt(square + self.eps) * (square / (square + CANCELLED))
            normed.append(tensor * scale * weight)
        return normed


class EquivariantLinear(nn.Module):
    """Mix channels, degree by degree; only scalars have a bias."""

    def __init__(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        super().__init__()
        maps = [
            nn.Linear(size, width, bias=degree == 0)
            for degree, (size, width) in enumerate(zip(inputs, outputs, strict=True))
        ]
        for part in maps:
            nn.init.normal_(part.weight, std=part.in_features**-0.5)
        nn.init.zeros_(maps[0].bias)
        self.maps = nn.ModuleList(maps)

    def forward(self, features: Features) -> list[Tensor]:
        """Apply each degree's map."""
        return [part(tensor) for part, tensor in zip(self.maps, features, strict=True)]


class Convolution(nn.Module):
    r"""Sum of messages from the neighbours, each a product with the direction they come from.

    .. math::
        A_{ik} = \frac{1}{\sqrt N} \sum_j u(r_{ij}) \, R_k(r_{ij}, e_{ij}) \,
        \big(n_j \otimes Y(\hat r_{ij})\big), \qquad
        f_i = \sum_k W_k A_{ik}

    The product is e3nn's ``uvu``, channel by channel, with weights :math:`\sum_k W_k R_k` from a
    radial network. Its last, linear layer :math:`W` is applied after the sum over neighbours and
    mixes channels too: nodes are fewer than edges, and what is summed needs no tensor of its own
    for each edge and channel (as in ACE, Drautz 2019, doi:10.1103/PhysRevB.99.014104).

    Args:
        inputs: channels of the features by degree.
        outputs: channels of the result by degree.
        described: numbers that describe a neighbour.
        radial: radial functions :math:`R`.
        neighbours: a typical number of neighbours, N.
    """

    def __init__(
        self,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        described: int,
        radial: int,
        neighbours: float,
    ) -> None:
        super().__init__()
        lmax = len(inputs) - 1
        self.scale = SILU / math.sqrt(neighbours)
        self.radial = nn.Linear(described, radial)
        nn.init.normal_(self.radial.weight)  # each function differs from the first step on
        self.results = [results_of(degree, lmax) for degree in range(lmax + 1)]
        incoming = [radial * inputs[degree] if degree else 0 for degree in range(lmax + 1)]
        for degree, results in enumerate(self.results):
            for result in results:
                incoming[result] += radial * inputs[degree]
        self.mix = EquivariantLinear(incoming, outputs)

    def forward(self, features: Features, around: Neighbourhood) -> list[Tensor]:
        """Sum over the neighbours."""
        num_nodes, width = around.envelope.shape
        weight = nn.functional.silu(self.radial(around.described))
        weight = weight * (self.scale * around.envelope)[:, :, None]  # [n, w, radial]
        products: list[list[Tensor]] = [[] for _ in features]
        for degree, (tensor, coupled) in enumerate(zip(features, around.coupled, strict=True)):
            near = tensor.flatten(1).index_select(0, around.source)
            near = near.unflatten(0, (num_nodes, width))  # [n, w, order * channels]
            size = weight.shape[2] * tensor.shape[2]
            if degree:  # with the constant part of the direction
                plain = torch.bmm(weight.transpose(1, 2), near)
                plain = plain.unflatten(2, tensor.shape[1:]).transpose(1, 2).flatten(2)
                products[degree].append(plain)  # [n, order, radial * channels]
            # [n, w, order, rows, radial], rows being the components of all results
            factors = (coupled[..., None] * weight[:, :, None, None]).flatten(3).flatten(1, 2)
            near = near.unflatten(2, tensor.shape[1:]).flatten(1, 2)
            summed = torch.bmm(factors.transpose(1, 2), near).reshape(num_nodes, -1, size)
            parts = summed.split([2 * result + 1 for result in self.results[degree]], dim=1)
            for result, part in zip(self.results[degree], parts, strict=True):
                products[result].append(part)
        return [_mixed(part, parts) for part, parts in zip(self.mix.maps, products, strict=True)]


def _mixed(linear: nn.Module, parts: Sequence[Tensor]) -> Tensor:
    """Apply a linear map to parts side by side, without moving them side by side."""
    assert isinstance(linear, nn.Linear)
    weights = linear.weight.split([part.shape[-1] for part in parts], dim=1)
    mixed = nn.functional.linear(parts[0], weights[0], linear.bias)
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        mixed = mixed + nn.functional.linear(part, weight)
    return mixed


class EquivariantBlock(nn.Module):
    r"""Messages, their sum at every node, a gate, and a residual add.

    .. math::
        f_i = L_2\, \mathrm{gate}\big(\mathrm{conv}(n)_i + L_1\, n_i\big), \qquad
        h_i' = h_i + f_i

    with :math:`n` the normalised features. The gate is silu for scalars; features of higher degree
    are multiplied by the sigmoid of a scalar each. Returns ``h'`` and the messages
    :math:`\mathrm{conv}(n)_i`, without the scalars that only gate: the targets of data2vec. They
    say what surrounds a point, not what it is: of :math:`f_i` half the variance is the point's own
    kind, which nothing around a hidden point tells.

    Args:
        channels: of the features by degree.
        described: numbers that describe a neighbour.
        radial: radial functions.
        neighbours: a typical number of neighbours.

    Shapes:
        - features, and both outputs: by degree ``[num_nodes, 2 l + 1, channels]``.
    """

    def __init__(
        self, channels: Sequence[int], *, described: int, radial: int, neighbours: float
    ) -> None:
        super().__init__()
        self.channels = tuple(channels)
        gated = (sum(channels), *channels[1:])
        self.norm = EquivariantNorm(channels)
        self.messages = Convolution(
            channels, gated, described=described, radial=radial, neighbours=neighbours
        )
        self.itself = EquivariantLinear(channels, gated)
        self.update = EquivariantLinear(channels, channels)

    def forward(
        self, features: Features, around: Neighbourhood
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Apply the block; see the class for what it returns."""
        normed = self.norm(features)
        messages = self.messages(normed, around)
        total = [a + b for a, b in zip(messages, self.itself(normed), strict=True)]
        scalars, *gates = total[0].split(self.channels, dim=2)
        gated = [SILU * nn.functional.silu(scalars)]
        gated += [t * torch.sigmoid(gate) for t, gate in zip(total[1:], gates, strict=True)]
        update = self.update(gated)
        after = [h + f for h, f in zip(features, update, strict=True)]
        return after, [messages[0][:, :, : self.channels[0]], *messages[1:]]


def norms(tensor: Tensor) -> Tensor:
    r"""Length of every vector, or tensor of higher degree, smooth where it is 0.

    .. math:: \sqrt{|v|^2 / (2 l + 1) + \epsilon}

    Shapes:
        - tensor: ``[num_nodes, 2 l + 1, channels]``; output: ``[num_nodes, channels]``.
    """
    return (tensor.square().mean(1) + 1e-5).sqrt()


def from_scalars(scalars: Tensor, channels: Sequence[int]) -> list[Tensor]:
    """Features that have nothing but scalars yet, ``[num_nodes, dim]``."""
    higher = [
        scalars.new_zeros(len(scalars), 2 * degree + 1, width)
        for degree, width in enumerate(channels)
        if degree
    ]
    return [scalars[:, None], *higher]
