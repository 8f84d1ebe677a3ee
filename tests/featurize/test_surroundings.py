"""What surrounds a residue, against a loop over pairs."""

import numpy as np
import pytest
import torch

from molvec.featurize.protein import ProteinFeaturizer
from molvec.featurize.surroundings import NUM_SURROUNDINGS, PAIRS, RADII, surroundings
from molvec.graph import POS
from molvec.records import Chain


def featurized(ca, sequence):
    backbone = np.full((len(ca), 4, 3), np.nan, dtype=np.float32)
    backbone[:, 1] = ca
    numbers = tuple(map(str, range(len(ca))))
    return ProteinFeaturizer()(Chain("x", sequence, numbers, backbone))


@pytest.fixture
def graph():
    """A winding chain of 40 residues with a gap after the 25th."""
    angle = 1.745 * np.arange(40)
    ca = np.stack([2.3 * np.cos(angle), 2.3 * np.sin(angle), 1.5 * np.arange(40)], axis=1)
    ca[25:, 0] += 30.0
    return featurized(ca, "ACDEFGHIKL" * 4)


def test_distances_along_the_chain_stop_at_ends_and_gaps(graph):
    values = surroundings(graph)
    assert values.shape == (40, NUM_SURROUNDINGS)
    assert values.dtype == torch.float32
    pos = graph[POS]
    for i in range(40):
        for column, (first, second) in enumerate(PAIRS):
            a, b = i + first, i + second
            if a >= 0 and b < 40 and (a < 25) == (b < 25):
                expected = float((pos[a] - pos[b]).norm())
                assert float(values[i, column]) == pytest.approx(expected, abs=1e-3)
            else:
                assert values[i, column].isnan()


def test_neighbours_are_counted_and_named(graph):
    values = surroundings(graph)[:, len(PAIRS) :]
    pos, kinds = graph[POS], graph.x[:, 0]
    for i in (0, 12, 26):
        apart = (pos - pos[i]).norm(dim=1)
        assert values[i, :4].tolist() == [int((apart <= radius).sum()) for radius in RADII]
        near = kinds[apart <= 14.0]
        for kind in (1, 5, 20):
            share = float((near == kind).float().mean())
            assert float(values[i, 4 + kind]) == pytest.approx(share, abs=1e-6)
    assert torch.allclose(values[:, 4:].sum(1), torch.ones(40))


def test_motions_change_nothing_and_one_residue_has_surroundings_too(graph):
    before = surroundings(graph)
    turned = graph.clone()
    turned[POS] = graph[POS] @ torch.linalg.qr(torch.randn(3, 3))[0] + 5.0
    assert torch.allclose(surroundings(turned), before, atol=1e-3, equal_nan=True)
    alone = surroundings(featurized(np.zeros((1, 3)), "A"))
    assert alone[0, : len(PAIRS)].isnan().all()
    assert alone[0, len(PAIRS) : len(PAIRS) + 4].tolist() == [1, 1, 1, 1]
