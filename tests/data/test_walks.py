"""Walks keep to the edges, and p and q do what they say."""

import numpy as np
import pytest

from molvec.data.walks import Walks, walk_texts
from molvec.records import make_network


def ring(size=12):
    """A ring in which nodes two apart are joined, too, and a node alone."""
    here = np.arange(size)
    one = np.concatenate([here, here])
    two = np.concatenate([(here + 1) % size, (here + 2) % size])
    return make_network([str(i) for i in range(size + 1)], one, two)


def test_steps_are_edges_and_start_everywhere():
    walks = Walks(ring())(6, np.random.default_rng(0))
    assert walks.shape == (12, 6)
    assert sorted(walks[:, 0]) == list(range(12))
    apart = np.abs(np.diff(walks, axis=1)) % 12
    assert set(np.minimum(apart, 12 - apart).ravel()) == {1, 2}


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (4.0, 1.0), (0.25, 1.0), (1.0, 4.0), (2.0, 0.5)])
def test_second_order_steps_have_their_probabilities(p, q):
    network = ring()
    rng = np.random.default_rng(1)
    walker = Walks(network, p=p, q=q)
    steps = np.concatenate([walker(3, rng) for _ in range(3000)])
    # From 0 to 1: of 1's neighbours 0 is back, 2, 3 and 11: 2 and 11 are next to 0, 3 is not.
    steps = steps[(steps[:, 0] == 0) & (steps[:, 1] == 1), 2]
    weights = {0: 1 / p, 2: 1.0, 11: 1.0, 3: 1 / q}
    expected = np.array(list(weights.values())) / sum(weights.values())
    found = np.array([(steps == node).mean() for node in weights])
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(0.25 / len(steps)))


def test_a_seed_gives_the_same_walks():
    texts = [list(walk_texts(Walks(ring()), 2, 5, seed)) for seed in (3, 3, 4)]
    assert len(texts[0]) == 24
    assert texts[0] == texts[1] != texts[2]
