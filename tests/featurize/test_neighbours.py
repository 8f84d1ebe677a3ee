import numpy as np
import pytest
import torch

from molvec.featurize import neighbours
from molvec.featurize.neighbours import radius_edges


def naive(pos, cutoff, most=None):
    points = pos.double().numpy()
    edges = []
    for target in range(len(points)):
        found = []
        for source in range(len(points)):
            distance = np.linalg.norm(points[source] - points[target])
            if source != target and distance <= cutoff:
                found.append((distance, source))
        edges += sorted((target, source) for _, source in sorted(found)[:most])
    return [[source for _, source in edges], [target for target, _ in edges]]


@pytest.fixture
def cloud():
    return 10 * torch.rand(60, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("most", [None, 1, 4])
@pytest.mark.parametrize("small", [0, 1000])
def test_both_searches_find_what_a_loop_finds(cloud, most, small, monkeypatch):
    monkeypatch.setattr(neighbours, "SMALL", small)
    edges = radius_edges(cloud, 3.5, max_neighbours=most)
    assert edges.dtype == torch.int64
    assert edges.tolist() == naive(cloud, 3.5, most)
    assert edges.shape[1] > 50
    assert (edges[1].diff() >= 0).all()


@pytest.mark.parametrize("small", [0, 1000])
def test_a_lattice_where_many_distances_equal_the_cutoff(small, monkeypatch):
    monkeypatch.setattr(neighbours, "SMALL", small)
    axis = torch.arange(5) * 0.1
    lattice = torch.cartesian_prod(axis, axis, axis)
    edges = radius_edges(lattice, float(np.float32(0.1)) + 1e-7)
    assert edges.shape[1] == 2 * 3 * 4 * 5 * 5  # each direction: 4 steps on 25 lines


def test_edge_cases():
    assert radius_edges(torch.zeros(1, 3), 5.0).shape == (2, 0)
    assert radius_edges(torch.zeros(0, 3), 5.0).shape == (2, 0)
    together = radius_edges(torch.zeros(3, 3), 1.0)  # three points at one place
    assert together.tolist() == [[1, 2, 0, 2, 0, 1], [0, 0, 1, 1, 2, 2]]
    with pytest.raises(ValueError, match="positions must be finite"):
        radius_edges(torch.tensor([[0.0, torch.nan, 0.0]]), 1.0)
    with pytest.raises(ValueError, match="cutoff must be positive, got 0"):
        radius_edges(torch.zeros(2, 3), 0)
