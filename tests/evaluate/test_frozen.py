"""The frozen protocol cannot be fooled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from molvec.data.labelled import Labelled
from molvec.data.split import Split
from molvec.evaluate.cells import CellKey
from molvec.evaluate.frozen import frozen_cell, training_rows
from molvec.records import SkipCount

ROWS = 600
HEADS = ("linear", "forest", "mlp")


def labelled(y, task="classification"):
    y = np.asarray(y, dtype=float).reshape(ROWS, -1)
    return Labelled(
        name="toy",
        task=task,
        smiles=tuple("C" for _ in range(ROWS)),
        rows=np.arange(ROWS),
        targets=pd.DataFrame(y, columns=[f"y{i}" for i in range(y.shape[1])]),
        num_rows=ROWS,
        skipped=SkipCount(),
        duplicates=0,
        contradictions=0,
        sha256="d",
    )


@pytest.fixture
def split():
    order = np.random.default_rng(0).permutation(ROWS)
    parts = [np.sort(part) for part in np.split(order, [360, 480])]
    return Split("random", 0, *parts, sha256="s")


@pytest.fixture
def y():
    return (np.random.default_rng(1).random(ROWS) < 0.4).astype(float)


def key(head, **changes):
    base = CellKey("toy", "d", "random", "s", "frozen", "features", "k", head, 0)
    return replace(base, **changes)


def cell(head, data, split, x, **changes):
    x = np.asarray(x, dtype=np.float32)
    return frozen_cell(key(head, **changes), data, split, x, scale=True, trees=50, jobs=1)


@pytest.mark.parametrize("head", HEADS)
def test_a_constant_embedding_scores_one_half(head, split, y):
    assert cell(head, labelled(y), split, np.ones((ROWS, 8))).mean("roc_auc") == 0.5


@pytest.mark.parametrize("head", HEADS)
def test_shuffled_labels_score_about_one_half(head, split, y):
    x = np.random.default_rng(2).normal(size=(ROWS, 8))
    x[:, 0] += 5 * y
    shuffled = np.random.default_rng(3).permutation(y)
    assert cell(head, labelled(shuffled), split, x).mean("roc_auc") == pytest.approx(0.5, abs=0.13)


@pytest.mark.parametrize("head", HEADS)
def test_an_embedding_that_holds_the_label_scores_one(head, split, y):
    x = np.random.default_rng(2).normal(size=(ROWS, 8))
    x[:, 0] = y
    assert cell(head, labelled(y), split, x).mean("roc_auc") > 0.99


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("head", HEADS)
def test_the_test_part_reaches_nothing(head, task, split, y):
    """Other labels and wild features there: same choice, same validation score."""
    generator = np.random.default_rng(4)
    x = generator.normal(size=(ROWS, 6)) + 0.5 * y[:, None]
    labels = y if task == "classification" else y + generator.normal(size=ROWS)
    one = cell(head, labelled(labels, task), split, x)
    wild_x, wild_y = x.copy(), labels.copy()
    wild_x[split.test] = 1e6 * generator.normal(size=(len(split.test), 6))
    wild_y[split.test] = 1 - wild_y[split.test]
    two = cell(head, labelled(wild_y, task), split, wild_x)
    assert two.choice == one.choice
    assert two.valid_score == one.valid_score
    assert two.num_labels == one.num_labels == 360
    # and the same features there give the same predictions, whatever the labels
    three = cell(head, labelled(wild_y, task), split, x)
    np.testing.assert_array_equal(three.test, one.test)


def test_missing_labels_are_not_counted_nor_scored(split, y):
    both = np.stack([y, y], axis=1)
    both[split.train[:100], 1] = np.nan
    both[split.test, 1] = np.where(np.arange(len(split.test)) < 3, 0, np.nan)
    x = np.random.default_rng(2).normal(size=(ROWS, 4)) + y[:, None]
    result = cell("linear", labelled(both), split, x)
    assert result.num_labels == 360 + 260
    assert np.isfinite(result.scores["roc_auc"]).tolist() == [True, False]
    assert result.mean("roc_auc") == result.scores["roc_auc"][0]


def test_few_labels_are_drawn_from_the_training_part(split, y):
    data = labelled(y)
    rows = training_rows(key("linear", fraction=0.1, draw=3), data, split)
    assert set(rows) <= set(split.train)
    assert len(rows) == pytest.approx(36, abs=1)
    assert y[rows].mean() == pytest.approx(y[split.train].mean(), abs=0.02)
    other = training_rows(key("linear", fraction=0.1, draw=4), data, split)
    assert set(other) != set(rows)


def test_the_seed_decides_a_forest(split, y):
    x = np.random.default_rng(2).normal(size=(ROWS, 4)) + 0.3 * y[:, None]
    one, again, other = (cell("forest", labelled(y), split, x, seed=s).test for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
