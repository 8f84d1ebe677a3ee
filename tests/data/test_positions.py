"""Positions: the decomposition of the matrix it says, nothing for nodes without an edge."""

import numpy as np
import pytest

from molvec.data import positions
from molvec.data.positions import network_positions, with_positions
from molvec.errors import UserError
from molvec.records import make_network


def cliques(size=8):
    """Two cliques joined by one edge, and a node alone."""
    pairs = [(i, j) for i in range(size) for j in range(i)]
    one, two = np.array([*pairs, *((i + size, j + size) for i, j in pairs), (0, size)]).T
    names = [str(i) for i in range(2 * size + 1)]
    return make_network(names, one.astype(np.int64), two.astype(np.int64))


def matrix(network):
    """The matrix of the formula, by powers of the matrix of steps."""
    size = len(network)
    adjacency = np.zeros((size, size))
    adjacency[network.source, network.target] = adjacency[network.target, network.source] = 1
    degree = np.maximum(adjacency.sum(axis=1), 1)
    step = adjacency / degree[:, None]
    walks = sum(np.linalg.matrix_power(step, r) for r in range(1, 11)) / 10
    return np.log(np.maximum(adjacency.sum() * walks / degree[None, :], 1))


def test_columns_are_the_leading_directions_of_the_matrix(monkeypatch):
    network = cliques()
    values, vectors = np.linalg.eigh(matrix(network))
    order = np.argsort(-np.abs(values))[:2]
    found = network_positions(network, 2)
    lengths = np.sqrt(np.abs(values[order]))
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), lengths, rtol=0.05)
    same = np.linalg.svd(vectors[:, order].T @ (found / lengths), compute_uv=False)
    assert (same > 0.99).all()  # one plane: the two eigenvalues are nearly equal
    monkeypatch.setattr(positions, "_BLOCK", 5)
    # Signs, and the axes within that plane, follow rounding: products of rows do not.
    blocks = network_positions(network, 2)
    np.testing.assert_allclose(blocks @ blocks.T, found @ found.T, atol=1e-4)


def test_sparse_and_dense_eigenpairs_agree(monkeypatch):
    network = cliques(12)
    dense = network_positions(network, 3)
    monkeypatch.setattr(positions, "RANK", 20)
    sparse = network_positions(network, 3)
    np.testing.assert_allclose(np.abs(sparse), np.abs(dense), atol=0.05)


def test_they_tell_communities_apart():
    found = network_positions(cliques(), 2)
    near = np.linalg.norm(found[1:8] - found[1], axis=1).max()
    far = np.linalg.norm(found[9:16] - found[1], axis=1).min()
    assert far > 5 * near
    np.testing.assert_allclose(found[16], 0, atol=1e-6)


def test_a_network_of_fewer_nodes_than_numbers():
    found = network_positions(cliques(3), 16)
    assert found.shape == (7, 16)
    assert (found[:, 7:] == 0).all()


def test_beside_features():
    network = cliques()
    alone = with_positions(network, 4, seed=1)
    np.testing.assert_allclose(alone.features.std(axis=0), 1, atol=1e-5)
    both = with_positions(alone, 2, seed=1)
    assert both.features.shape == (17, 6)
    np.testing.assert_array_equal(both.features[:, :4], alone.features)


def test_too_many_nodes(monkeypatch):
    monkeypatch.setattr(positions, "MAX_NODES", 10)
    with pytest.raises(
        UserError, match=r"17 nodes are too many \(at most 10\): set data.positions"
    ):
        network_positions(cliques(), 2)


def test_components_are_found_one_by_one_and_always_the_same(monkeypatch):
    """Forty triangles have the eigenvalue 1 forty times, of which one iteration finds a few."""
    one = np.arange(120)
    two = one // 3 * 3 + (one + 1) % 3
    network = make_network([str(i) for i in range(121)], one, two)
    monkeypatch.setattr(positions, "RANK", 60)
    found = network_positions(network, 40)
    # The eigenvalue -1/2 is worth less than nothing over ten steps, and left out.
    np.testing.assert_allclose(found @ found.T, matrix(network), atol=0.15)
    np.testing.assert_array_equal(network_positions(network, 40), found)


def test_a_ring_is_decomposed_the_same_way_twice(monkeypatch):
    """Steps that start along an eigenvector end at once, and start again somewhere."""
    one = np.arange(90)
    network = make_network([str(i) for i in one], one, (one + 1) % 90)
    monkeypatch.setattr(positions, "RANK", 20)
    np.testing.assert_array_equal(network_positions(network, 8), network_positions(network, 8))
