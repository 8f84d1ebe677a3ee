import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from molvec.evaluate.bootstrap import _resample, paired_bootstrap


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    truth = (rng.random((120, 3)) < [0.5, 0.2, 0.02]).astype(float)
    truth[:1, 2] = 1.0
    good = np.round(rng.normal(size=(120, 3)) + 2 * truth, 1)
    bad = np.round(rng.normal(size=(120, 3)) + 0.2 * truth, 1)
    truth[rng.random((120, 3)) < 0.2] = np.nan
    truth[:3, 2] = [1.0, 0.0, 1.0]
    return truth, good, bad


def naive(truth, ours, theirs, weights):
    """One draw with scikit-learn; a task that has lost a class is left out for both."""
    differences = []
    for task in range(truth.shape[1]):
        rows = ~np.isnan(truth[:, task]) & (weights > 0)
        y, w = truth[rows, task], weights[rows]
        if len(np.unique(y)) == 2:
            differences.append(
                roc_auc_score(y, ours[rows, task], sample_weight=w)
                - roc_auc_score(y, theirs[rows, task], sample_weight=w)
            )
    return np.mean(differences)


def test_agrees_with_a_loop_over_scikit_learn(data):
    truth, good, bad = data
    interval = paired_bootstrap("roc_auc", truth, good, bad, draws=150, seed=5)
    rng = np.random.default_rng(5)
    weights = np.hstack([_resample(rng, 120, 128), _resample(rng, 120, 22)])
    differences = [naive(truth, good, bad, w) for w in weights.T]
    assert interval.difference == pytest.approx(naive(truth, good, bad, np.ones(120)))
    expected = np.quantile(differences, [0.025, 0.975])
    assert [interval.low, interval.high] == pytest.approx(expected.tolist(), abs=1e-12)
    assert interval.num_draws == 150
    # The rare task loses its positives in some of these draws, so the case is covered.
    rare = weights[truth[:, 2] == 1].sum(axis=0)
    assert (rare == 0).any()


def test_weights_are_counts_of_drawn_rows():
    weights = _resample(np.random.default_rng(0), 50, 40)
    assert weights.shape == (50, 40)
    assert (weights.sum(axis=0) == 50).all()
    assert weights.mean(axis=1) == pytest.approx(np.ones(50), abs=0.7)


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
def test_a_better_model_is_found_better_and_itself_equal(data, metric):
    truth, good, bad = data
    better = paired_bootstrap(metric, truth, good, bad)
    assert 0 < better.low < better.difference < better.high
    worse = paired_bootstrap(metric, truth, bad, good)
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low))
    same = paired_bootstrap(metric, truth, good, good)
    assert (same.difference, same.low, same.high) == (0.0, 0.0, 0.0)
    assert paired_bootstrap(metric, truth, good, bad) == better
    assert paired_bootstrap(metric, truth, good, bad, seed=1).low != better.low


def test_width_of_the_interval_of_an_error():
    """MAE of 1 against errors of 1 plus unit noise: the mean has a known standard error."""
    rng = np.random.default_rng(0)
    noise = rng.exponential(size=(400, 1))
    truth = np.zeros((400, 1))
    interval = paired_bootstrap("mae", truth, noise, np.ones((400, 1)), draws=4000)
    standard_error = noise.std() / np.sqrt(400)
    assert interval.difference == pytest.approx(noise.mean() - 1)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * standard_error, rel=0.06)


def test_nothing_defined_is_nan():
    ones = np.ones((5, 1))
    interval = paired_bootstrap("roc_auc", ones, ones, ones, draws=10)
    assert np.isnan([interval.difference, interval.low, interval.high]).all()
    assert interval.num_draws == 0


def test_messages():
    ones = np.ones((5, 1))
    with pytest.raises(ValueError, match="needs draws and rows, got 0 and 5"):
        paired_bootstrap("mae", ones, ones, ones, draws=0)
    with pytest.raises(ValueError, match="predictions are not finite"):
        paired_bootstrap("mae", ones, ones, ones * np.nan)
