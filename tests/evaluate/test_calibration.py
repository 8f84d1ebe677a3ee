import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from molvec.evaluate.calibration import calibration


def test_right_probabilities_lie_on_the_diagonal():
    rng = np.random.default_rng(0)
    predicted = rng.random(200_000)
    truth = (rng.random(200_000) < predicted).astype(float)
    found = calibration("set", "x", "linear", truth, predicted)
    assert found.ece < 0.005
    assert found.observed == pytest.approx(found.mean_predicted, abs=0.02)
    assert found.counts == pytest.approx(np.full(10, 20_000), abs=1)
    assert found.brier == pytest.approx(brier_score_loss(truth, predicted))
    assert found.brier == pytest.approx(1 / 6, abs=0.002)  # integral of p (1 - p)


def test_overconfidence_by_hand():
    truth = np.array([0, 0, 1, 0, 1, 1, 1, 0.0])
    predicted = np.array([0, 0, 0, 0, 1, 1, 1, 1.0])
    found = calibration("set", "x", "linear", truth, predicted, bins=2)
    assert found.mean_predicted.tolist() == [0, 1]
    assert found.observed.tolist() == [0.25, 0.75]
    assert found.counts.tolist() == [4, 4]
    assert found.ece == pytest.approx(0.25)
    assert found.brier == pytest.approx(0.25)


def test_missing_labels_are_left_out_and_tasks_pooled():
    truth = np.array([[1, np.nan], [0, 1], [np.nan, 0]])
    predicted = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    found = calibration("set", "x", "linear", truth, predicted, bins=4)
    flat = calibration("set", "x", "linear", [1, 0, 1, 0], [0.9, 0.2, 0.8, 0.3], bins=4)
    assert found.counts.sum() == 4
    assert (found.ece, found.brier) == (flat.ece, flat.brier)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.04 + 0.09) / 4)


def test_equal_predictions_share_a_bin_whatever_the_order():
    rng = np.random.default_rng(1)
    predicted = np.repeat([0.0, 0.1, 0.9], [70, 20, 10])
    truth = (rng.random(100) < 0.3).astype(float)
    order = rng.permutation(100)
    first = calibration("set", "x", "forest", truth, predicted)
    second = calibration("set", "x", "forest", truth[order], predicted[order])
    assert first.mean_predicted == pytest.approx(second.mean_predicted)
    assert first.ece == pytest.approx(second.ece)
    assert first.counts.tolist() == second.counts.tolist()
    assert first.mean_predicted[0] == 0
    assert first.counts[0] == 70


@pytest.mark.parametrize("bins", [1, 3, 100])
def test_bins_hold_every_label_once(bins):
    predicted = np.random.default_rng(0).beta(0.3, 3, size=57)
    found = calibration("set", "x", "linear", predicted > 0.1, predicted, bins=bins)
    assert found.counts.sum() == 57
    assert found.counts.min() >= 1
    assert len(found.counts) == min(bins, 57)
    assert (np.diff(found.mean_predicted) > 0).all()


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([1, 0], [0.5], "shape"),
        ([np.nan], [0.5], "no labels"),
        ([2.0], [0.5], "must be 0, 1 or NaN"),
        ([1.0], [1.5], "leave 0 to 1"),
        ([1.0], [np.nan], "leave 0 to 1"),
    ],
)
def test_mistakes(truth, predicted, message):
    with pytest.raises(ValueError, match=message):
        calibration("set", "x", "linear", truth, predicted)
