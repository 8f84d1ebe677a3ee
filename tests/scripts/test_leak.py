"""The leak probe finds what distances give away, and nothing where there is nothing to find."""

from functools import partial

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from benchmarks.leak import (
    ALL,
    HEAVY,
    NOISE,
    in_2d,
    in_3d,
    point_cloud,
    read_kinds,
    shares,
    smallest_noise,
)
from benchmarks.leak_features import from_sequence, from_space, from_topology
from molvec.featurize.neighbours import radius_edges
from molvec.masking import CoordinateNoise, MaskSampler
from molvec.testing import perturb_hidden
from tests.graphs import molecule

read = partial(from_space, kinds=[1, 2], radii=(1.25, 1.5, 2.5))


def pairs(seed, count=20, side=40.0):
    """Points in pairs: 1.0 apart, both are of kind 1; 1.5 apart, of kind 2, a third of them."""
    rng = np.random.default_rng(seed)
    kind = np.where(rng.random(count) < 1 / 3, 2, 1)
    grid = 8.0 * np.stack(np.meshgrid(*[np.arange(5)] * 3), -1).reshape(-1, 3)
    first = grid[rng.permutation(len(grid))[:count]]
    along = rng.normal(size=(count, 3))
    along *= (np.where(kind == 2, 1.5, 1.0) / np.linalg.norm(along, axis=1))[:, None]
    pos = torch.from_numpy(np.concatenate([first, first + along])).float()
    edge_index = radius_edges(pos, 3.0)
    return Data(
        x=torch.from_numpy(np.concatenate([kind, kind]))[:, None],
        pos=pos,
        edge_index=edge_index,
        edge_attr=torch.ones(edge_index.shape[1], 1, dtype=torch.int64),
    )


@pytest.fixture(scope="module")
def clouds():
    return [pairs(seed) for seed in range(90)]


def test_distances_give_kinds_away_until_noise_hides_them(clouds):
    right = {}
    for noise in (0.0, 0.2, 20.0):
        sampler = MaskSampler("random", 0.5, 1, 0)
        found = shares(*read_kinds(clouds, 60, read, sampler, noise, rounds=30))
        assert found["nodes"] == 30 * 20
        assert found["commonest"] == pytest.approx(2 / 3, abs=0.06)
        right[noise] = found["right"]
    assert right[0.0] > 0.95
    assert found["commonest"] + 0.03 < right[0.2] < right[0.0] - 0.01
    assert right[20.0] == pytest.approx(found["commonest"], abs=0.06)


def test_columns_are_what_is_seen_and_nothing_else():
    cloud = CoordinateNoise(0.1)(pairs(0), epoch=0, sample=0)
    (mask,) = MaskSampler("ball", 0.3, 1, 0)(cloud, epoch=0, sample=0)
    columns = read(cloud, mask)
    assert len(columns) == int(mask.sum()) == 12
    changed = perturb_hidden(cloud, mask)  # features and true positions
    np.testing.assert_array_equal(read(changed, mask), columns)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    changed.student_pos = cloud.student_pos @ rotation.T
    np.testing.assert_allclose(read(changed, mask), columns, atol=1e-3)
    changed.student_pos = cloud.student_pos * 1.1
    assert np.nanmax(np.abs(read(changed, mask) - columns)) > 0.1


def test_columns_of_topology_are_what_is_seen_and_nothing_else():
    graph = molecule("CC(=O)Oc1ccccc1C(=O)O")
    mask = torch.zeros(13, dtype=torch.bool)
    mask[[1, 4, 12]] = True
    topology = partial(from_topology, kinds=[1, 6, 7, 8])
    columns = topology(Batch.from_data_list([graph]), mask)
    again = topology(Batch.from_data_list([perturb_hidden(graph, mask)]), mask)
    np.testing.assert_array_equal(columns, again)
    assert columns[:, 0].tolist() == [3, 3, 1]  # degree
    ring = perturb_hidden(graph, torch.arange(13) == 6)  # two bonds from atom 4
    other = topology(Batch.from_data_list([ring]), mask)
    assert (other[1] != columns[1]).any()


def test_neighbours_along_the_chain():
    graph = Data(
        x=torch.tensor([[3], [4], [5], [6]]),
        edge_index=torch.zeros(2, 0, dtype=torch.int64),
        edge_attr=torch.zeros(0, 1, dtype=torch.int64),
    )
    mask = torch.tensor([False, True, False, True])
    columns = from_sequence(graph, mask, reach=2)
    nan = np.nan
    np.testing.assert_array_equal(columns, [[nan, 3, 5, 0], [0, 5, nan, nan]])


def test_a_molecule_as_points():
    water = point_cloud(np.array([8, 1, 1]), np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]]))
    assert water.x.tolist() == [[8], [1], [1]]
    assert water.edge_index.shape == (2, 6)
    columns = from_space(water, torch.tensor([True, False, False]), kinds=[1, 2], radii=(1.3, 1.8))
    assert columns[0, :3] == pytest.approx([0.96, 0.9605, np.nan], abs=1e-3, nan_ok=True)


def test_smallest_noise_that_leaves_no_more_than_topology_says():
    def scores(*right):
        views = {in_3d(ALL, noise): right for noise, right in zip(NOISE, right, strict=True)}
        views |= {in_2d(HEAVY): 0.75, in_2d(ALL): 0.93}
        return {view: {"random": {"right": value}} for view, value in views.items()}

    assert NOISE == (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
    falling = scores(0.99, 0.97, 0.95, 0.9, 0.85, 0.77)
    assert smallest_noise(falling, ALL, HEAVY, "random") == 0.3
    assert smallest_noise(falling, ALL, ALL, "random") == 0.1
    high = scores(*[0.99] * 6)
    assert smallest_noise(high, ALL, ALL, "random") is None
    assert smallest_noise(scores(*[0.7] * 6), ALL, HEAVY, "random") == 0.0
