"""A distance as numbers that a network can read."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RadialBasis(nn.Module):
    r"""A distance as ``size`` Gaussians, and an envelope that falls smoothly to 0 at the cutoff.

    .. math:: u(d) = 1 - 28 d^6 + 48 d^7 - 21 d^8, \qquad d = r / r_\mathrm{cut}

    (the polynomial of DimeNet, arXiv 2003.03123, with p = 6). The Gaussians are evenly spaced from
    0 to the cutoff, and as wide as they are apart.

    Shapes:
        - distance: any, Angstrom; outputs: the same with ``size`` numbers more, and the same.
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
        basis = torch.exp(-(((distance[..., None] - centers) / self.width) ** 2))
        d = (distance / self.cutoff).clamp(max=1)
        return basis, 1 - 28 * d**6 + 48 * d**7 - 21 * d**8
