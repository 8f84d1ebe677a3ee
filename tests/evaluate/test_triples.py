"""Inverse relations, and the known answers of a question."""

import numpy as np
import pytest

from molvec.evaluate.triples import KnownTails, LinkTask, with_inverses

TRIPLES = np.array([[0, 0, 1], [0, 0, 2], [2, 1, 0], [0, 0, 1], [1, 1, 1]])


def test_inverses_ask_for_the_head():
    both = with_inverses(TRIPLES, 2)
    assert both.shape == (10, 3)
    assert both[5:].tolist() == [[1, 2, 0], [2, 2, 0], [0, 3, 2], [1, 2, 0], [1, 3, 1]]


def test_known_tails_are_found_each_once():
    known = KnownTails(TRIPLES, 2)
    assert len(known) == 3
    assert list(zip(known.head, known.relation, strict=True)) == [(0, 0), (1, 1), (2, 1)]
    row, tail = known.find(np.array([2, 7, 0, 0]), np.array([1, 1, 1, 0]))
    assert list(zip(row, tail, strict=True)) == [(0, 0), (3, 1), (3, 2)]
    row, tail = known.of(np.array([0, 2]))
    assert list(zip(row, tail, strict=True)) == [(0, 1), (0, 2), (1, 0)]


def test_as_a_dictionary_of_random_triples():
    rng = np.random.default_rng(0)
    triples = rng.integers((9, 4, 9), size=(200, 3))
    known = KnownTails(triples, 4)
    for head in range(9):
        for relation in range(4):
            _, tails = known.find(np.array([head]), np.array([relation]))
            expected = {t for h, r, t in triples.tolist() if (h, r) == (head, relation)}
            assert set(tails.tolist()) == expected
            assert len(tails) == len(expected)


def test_a_share_learns_from_few_and_filters_by_all():
    rng = np.random.default_rng(0)
    train, valid, test = (rng.integers((9, 4, 9), size=(n, 3)) for n in (100, 5, 6))
    task = LinkTask(train, valid, test, num_entities=9, num_relations=4)
    few = task.with_share(0.1, seed=0)
    assert few.train.shape == (10, 3)
    both = np.concatenate([few.train, few.untaught])
    assert sorted(map(tuple, both)) == sorted(map(tuple, train))
    assert len(few.known.tails) == len(task.known.tails)
    assert np.array_equal(few.train, task.with_share(0.1, seed=0).train)
    assert not np.array_equal(few.train, task.with_share(0.1, seed=1).train)
    assert task.with_share(1.0, seed=0).train.shape == (100, 3)


@pytest.mark.parametrize(
    ("share", "message"),
    [(0.0, "above 0 and at most 1"), (1.5, "at most 1, got 1.5"), (0.001, "none of 100 triples")],
)
def test_shares_that_cannot_be(share, message):
    triples = np.zeros((100, 3), dtype=np.int64)
    with pytest.raises(ValueError, match=message):
        LinkTask(triples, triples, triples, 1, 1).with_share(share, seed=0)
