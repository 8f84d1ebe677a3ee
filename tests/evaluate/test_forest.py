import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from molvec.evaluate import forest as module
from molvec.evaluate.bins import BINS
from molvec.evaluate.forest import fit_forest


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    x = rng.poisson(0.05, size=(200, 60)).astype(float)
    y = (x[:, :3] + 0.3 * rng.normal(size=(200, 3)) > 0.2).astype(float)
    y[rng.random((200, 3)) < 0.2] = np.nan
    return x, y


def test_same_numbers_whatever_the_number_of_threads(counts):
    x, y = counts
    for columns in ([0, 1, 2], [0]):
        runs = [
            fit_forest("classification", x, y[:, columns], seed=3, trees=20, jobs=jobs).predict(x)
            for jobs in (1, 2, 1)
        ]
        np.testing.assert_array_equal(runs[0], runs[1])
        np.testing.assert_array_equal(runs[0], runs[2])
    other = fit_forest("classification", x, y, seed=4, trees=20, jobs=1).predict(x)
    assert np.abs(other[:, 0] - runs[0][:, 0]).max() > 0


def test_sparse_storage_gives_the_same_trees(counts, monkeypatch):
    x, y = counts
    sparse = fit_forest("classification", x, y, seed=0, trees=20, jobs=1).predict(x)
    monkeypatch.setattr(module, "SPARSE_BELOW", 0.0)
    dense = fit_forest("classification", x, y, seed=0, trees=20, jobs=1).predict(x)
    np.testing.assert_array_equal(sparse, dense)


def test_a_task_does_not_depend_on_other_tasks_or_unlabelled_rows(counts):
    x, y = counts
    together = fit_forest("classification", x, y, seed=0, trees=20, jobs=1).predict(x)[:, 0]
    changed_x, changed_y = x.copy(), y.copy()
    changed_x[np.isnan(y[:, 0])] = 9.0
    changed_y[:, 1:] = np.nan
    alone = fit_forest("classification", changed_x, changed_y, seed=0, trees=20, jobs=1)
    np.testing.assert_array_equal(alone.predict(x)[:, 0], together)
    np.testing.assert_array_equal(alone.predict(x)[:, 1], 0.5)
    assert alone.choice == {"trees": 20, "constant_tasks": 2}


def test_regression_is_scikit_learns(counts):
    x, _ = counts
    x = x + np.random.default_rng(1).normal(size=x.shape)
    y = x[:, :1] * 3 + 1
    head = fit_forest("regression", x, y, seed=0, trees=30, jobs=1)
    inner = head.forests[0]
    assert isinstance(inner, RandomForestRegressor)
    assert (inner.n_estimators, inner.max_features) == (30, 20)
    assert head.bins is not None
    binned = head.bins.transform(x.astype(np.float32))
    assert binned.max() == BINS["regression"] - 1
    np.testing.assert_array_equal(head.predict(x)[:, 0], inner.predict(binned))
    constant = fit_forest("regression", x, np.full((200, 1), 7.0), seed=0, trees=5, jobs=1)
    assert set(constant.predict(x).ravel()) == {7.0}


@pytest.mark.parametrize(
    ("task", "dim", "dense", "counts"),
    [
        ("classification", 217, 14, 14),
        ("classification", 1536, 20, 39),
        ("regression", 3, 1, 1),
        ("regression", 1536, 150, 512),
    ],
)
def test_features_tried_per_split(task, dim, dense, counts):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, dim)), rng.integers(0, 2, size=(90, 1)).astype(float)
    sparse = x * (rng.random(x.shape) < 0.05)
    for features, tried, binned in ((x, dense, True), (sparse, counts, False)):
        head = fit_forest(task, features, y, seed=0, trees=1, jobs=1)
        assert (head.bins is not None) == binned
        assert head.forests[0].max_features == tried
