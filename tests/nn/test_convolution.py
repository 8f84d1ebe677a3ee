"""The convolution sums before it mixes; e3nn's product of every edge gives the same."""

import pytest
import torch
from e3nn import o3

from molvec.featurize.neighbours import radius_edges
from molvec.nn.equivariant import SILU, Convolution
from molvec.nn.neighbourhood import EdgeGeometry, paths

PARITY = {0: "0e", 1: "1o", 2: "2e"}


@pytest.mark.parametrize("lmax", [1, 2])
def test_messages_are_those_of_the_uvu_product(lmax):
    torch.manual_seed(0)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        channels = (6, 4, 4)[: lmax + 1]
        pos = 5 * torch.rand(15, 3)
        edge_index = radius_edges(pos, 4.0)
        along = pos[edge_index[0]] - pos[edge_index[1]]
        features = [torch.randn(15, 2 * degree + 1, width) for degree, width in enumerate(channels)]
        geometry = EdgeGeometry(lmax, 4.0, 8)
        around = geometry(along, edge_index, 15)
        every = [
            sum(
                channels[l1]
                for l1 in range(lmax + 1)
                for result in [*([l1] if l1 else []), *(r for _, r in paths(l1, lmax))]
                if result == l3
            )
            for l3 in range(lmax + 1)
        ]
        conv = Convolution(channels, every, described=8, radial=1, neighbours=9.0)
        for part in conv.mix.maps:
            torch.nn.init.eye_(part.weight)
        found = conv(features, around)

        sphere = o3.Irreps.spherical_harmonics(lmax)
        direction = o3.spherical_harmonics(sphere, along, normalize=True, normalization="component")
        basis, envelope = geometry.basis(along.norm(dim=1))
        weight = SILU / 3 * torch.nn.functional.silu(conv.radial(basis)) * envelope[:, None]
        expected = [[] for _ in channels]
        for l1, width in enumerate(channels):
            here = features[l1][edge_index[0]].transpose(1, 2).flatten(1)  # e3nn: channel first
            for l2, l3 in [*([(0, l1)] if l1 else []), *paths(l1, lmax)]:
                product = o3.TensorProduct(
                    f"{width}x{PARITY[l1]}",
                    PARITY[l2],
                    f"{width}x{PARITY[l3]}",
                    [(0, 0, 0, "uvu", True)],
                    shared_weights=False,
                    internal_weights=False,
                    path_normalization="none",
                )
                message = product(here, direction[:, sphere.slices()[l2]], weight.expand(-1, width))
                total = torch.zeros(15, message.shape[1]).index_add(0, edge_index[1], message)
                expected[l3].append(total.unflatten(1, (width, -1)).transpose(1, 2))
        for l3, parts in enumerate(expected):
            difference = found[l3] - torch.cat(parts, dim=2)
            assert float(difference.detach().abs().max()) < 1e-9
    finally:
        torch.set_default_dtype(usual)
