"""Distances in space as numbers that attention can add: one function per head."""

from __future__ import annotations

from torch import Tensor, nn

from molvec.nn.packing import Packing
from molvec.nn.radial import RadialBasis


class DistanceBias(nn.Module):
    r"""One learned function of the Euclidean distance per head, smoothly 0 from the reach on.

    .. math::
        b_{hij} = u(r_{ij}) \sum_k W_{hk} \exp\!\big(-(r_{ij} - \mu_k)^2 / \sigma^2\big), \qquad
        u(r) = 1 - 28 d^6 + 48 d^7 - 21 d^8, \quad d = \min(r / r_\mathrm{reach}, 1)

    A Gaussian basis of pair distances in the attention bias is that of Uni-Mol (Zhou et al. 2023,
    doi:10.26434/chemrxiv-2022-jjm0j-v4), Transformer-M (Luo et al. 2022, arXiv 2210.01765) and
    Graphormer's 3D version (Shi et al. 2022, arXiv 2203.04810). Theirs shift the distance by a
    learned amount for each pair of elements; here it stands alone, as a hidden node has no known
    element. Basis and envelope are :class:`molvec.nn.radial.RadialBasis`.

    Args:
        heads: attention heads.
        reach: distance from which the bias is 0, Angstrom.
        num_basis: Gaussians, evenly spaced from 0 to the reach, as wide as they are apart.

    Shapes:
        - pos: ``[num_nodes, 3]``, Angstrom; output: ``[R, W, W, heads]``.
    """

    def __init__(self, heads: int, reach: float, num_basis: int = 32) -> None:
        super().__init__()
        if not reach > 0:
            raise ValueError(f"the reach of a distance bias must be positive, got {reach}")
        self.basis = RadialBasis(reach, num_basis)
        self.weights = nn.Linear(num_basis, heads, bias=False)

    def forward(self, packing: Packing, pos: Tensor) -> Tensor:
        """Return the bias between the tokens of every packed row."""
        point = packing.pad(pos.index_select(0, packing.node))  # [R, W, 3]
        along = point[:, :, None, :] - point[:, None, :, :]
        # Not the norm: its gradient is NaN on the diagonal.
        distance = (along.square().sum(-1) + 1e-12).sqrt()  # [R, W, W]
        basis, envelope = self.basis(distance)
        bias: Tensor = self.weights(basis) * envelope[..., None]
        return bias
