"""What surrounds a node: by hand in a small network, by powers of a matrix in a drawn one."""

import numpy as np
import pytest

from molvec.data import network_surroundings as network_surroundings_module
from molvec.data.network_surroundings import (
    HOPS,
    network_surroundings,
    surroundings_size,
)
from molvec.errors import UserError
from molvec.records import make_network
from tests.networks import featurizer_of, knowledge


def drawn(nodes=30, edges=60, seed=0):
    rng = np.random.default_rng(seed)
    one, two = rng.integers(nodes, size=(2, edges))
    features = rng.standard_normal((nodes, 3)).astype(np.float32)
    return make_network([str(i) for i in range(nodes)], one, two, features=features)


def steps(network):
    size = len(network)
    joined = np.zeros((size, size))
    joined[network.source, network.target] = joined[network.target, network.source] = 1
    return joined / np.maximum(joined.sum(axis=1, keepdims=True), 1)


def test_features_are_averaged_over_one_step_two_and_three():
    network = drawn()
    found = network_surroundings(network)
    walk = steps(network)
    means = [np.linalg.matrix_power(walk, hop) @ network.features for hop in range(1, HOPS + 1)]
    np.testing.assert_allclose(found[:, 2:], np.concatenate(means, axis=1), atol=1e-6)
    degree = np.log1p((walk > 0).sum(axis=1))
    np.testing.assert_allclose(found[:, 0], degree, rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], walk @ degree, rtol=1e-5)


def test_an_edge_is_one_kind_at_its_tail_and_another_at_its_head():
    # likes: a -> b, c -> d; knows: b -> c, a -> b. Kinds: likes, knows, liked, known.
    found = network_surroundings(knowledge())
    own = [[1, 1, 0, 0], [0, 1, 1, 1], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(found[:, :4], np.log1p(own), rtol=1e-6)
    np.testing.assert_allclose(found[0, 4:], found[1, :4])  # b is the one neighbour of a
    np.testing.assert_allclose(found[1, 4:], (found[0, :4] + found[2, :4]) / 2, rtol=1e-6)


def test_the_kind_of_an_edge_is_bound_to_who_is_at_its_other_end():
    """Unbinding a kind finds the one neighbour whom it joins, among all entities."""
    rng = np.random.default_rng(0)
    nodes, kinds = 40, 6
    one = np.repeat(np.arange(nodes), kinds)
    kind = np.tile(np.arange(kinds), nodes)
    two = (one + 1 + kind) % nodes
    features = rng.standard_normal((nodes, 512)).astype(np.float32)
    network = make_network(
        [str(i) for i in range(nodes)],
        one,
        two,
        relation=kind,
        relations=[f"r{k}" for k in range(kinds)],
        features=features,
        directed=True,
    )
    bound = network_surroundings(network)[:, -512:]
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (2 * kinds, 512))
    for k in range(kinds):
        score = (bound * signs[k]) @ features.T
        assert (score.argmax(axis=1) == (np.arange(nodes) + 1 + k) % nodes).all()
        score = (bound * signs[kinds + k]) @ features.T  # seen from the head
        assert (score.argmax(axis=1) == (np.arange(nodes) - 1 - k) % nodes).all()


def test_a_node_without_an_edge_has_nothing_around_it():
    found = network_surroundings(knowledge(features=True))
    assert (found[4] == 0).all()
    assert (found[:4] != 0).any(axis=1).all()


def test_too_many_numbers_are_refused_before_they_are_there(monkeypatch):
    monkeypatch.setattr(network_surroundings_module, "LARGEST", 39)
    with pytest.raises(UserError, match="5 nodes with 4 kinds of edges is 40 numbers, too many"):
        network_surroundings(knowledge())
    monkeypatch.setattr(network_surroundings_module, "LARGEST", 40)
    assert network_surroundings(knowledge()).size == 40


def test_its_size_is_known_before():
    for features in (False, True):
        network = knowledge(features=features)
        featurizer = featurizer_of(network)
        size = surroundings_size(featurizer.edge_sizes[0] - 1, featurizer.features)
        assert network_surroundings(network).shape == (5, size)
    assert network_surroundings(drawn()).shape[1] == surroundings_size(1, 3)
