import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from molvec.errors import UserError
from molvec.evaluate.metrics import METRICS, score, weighted_scores


@pytest.fixture
def tied():
    """300 rows and 4 tasks, a third of the labels missing, scores of 7 levels only."""
    rng = np.random.default_rng(0)
    truth = (rng.random((300, 4)) < [0.5, 0.1, 0.03, 0.9]).astype(float)
    predicted = np.round(rng.normal(size=(300, 4)) + truth)
    truth[rng.random((300, 4)) < 0.3] = np.nan
    return truth, predicted


@pytest.mark.parametrize(
    ("metric", "reference"),
    [("roc_auc", roc_auc_score), ("pr_auc", average_precision_score)],
)
def test_agrees_with_scikit_learn_with_ties_missing_labels_and_weights(tied, metric, reference):
    truth, predicted = tied
    weights = np.random.default_rng(1).integers(0, 3, size=(300, 5)).astype(float)
    weighted = weighted_scores(metric, truth, predicted, weights)
    plain = score(metric, truth, predicted)
    for task in range(4):
        rows = ~np.isnan(truth[:, task])
        y, p = truth[rows, task], predicted[rows, task]
        assert plain.per_task[task] == pytest.approx(reference(y, p), abs=1e-12)
        for draw in range(5):
            expected = reference(y, p, sample_weight=weights[rows, draw])
            assert weighted[draw, task] == pytest.approx(expected, abs=1e-12)
    assert plain.mean == pytest.approx(plain.per_task.mean())


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
def test_constant_predictions(metric):
    truth = np.array([[0.0], [1.0], [1.0], [0.0], [0.0]])
    expected = {"roc_auc": 0.5, "pr_auc": 0.4}[metric]
    assert score(metric, truth, np.full((5, 1), 0.3)).mean == expected


def test_direction_of_the_ranking():
    truth = np.array([[0.0], [0.0], [1.0]])
    assert score("roc_auc", truth, np.array([[0.1], [0.2], [0.3]])).mean == 1.0
    assert score("roc_auc", truth, np.array([[0.3], [0.2], [0.1]])).mean == 0.0


def test_tasks_with_one_class_or_no_labels_are_left_out():
    nan = np.nan
    truth = np.array([[1, 0, nan, 1], [1, 0, nan, 0], [1, nan, nan, 0]], dtype=float)
    predicted = np.tile([[0.9], [0.1], [0.2]], (1, 4))
    for metric in ("roc_auc", "pr_auc"):
        scores = score(metric, truth, predicted)
        assert np.isnan(scores.per_task[:3]).all()
        assert (scores.mean, scores.num_defined) == (1.0, 1)
    nothing = score("rmse", np.full((3, 2), nan), np.zeros((3, 2)))
    assert np.isnan(nothing.mean)
    assert nothing.num_defined == 0


def test_errors_in_the_unit_of_the_target():
    truth = np.array([[1.0, np.nan], [2.0, 10.0], [3.0, 20.0]])
    predicted = np.array([[1.0, 0.0], [2.0, 13.0], [0.0, 16.0]])
    rmse, mae = score("rmse", truth, predicted), score("mae", truth, predicted)
    assert rmse.per_task == pytest.approx([np.sqrt(3), np.sqrt(12.5)])
    assert mae.per_task == pytest.approx([1.0, 3.5])
    assert mae.mean == pytest.approx(2.25)  # mean over tasks, not over labels
    assert METRICS["rmse"].in_target_unit
    assert not METRICS["rmse"].higher_is_better
    assert METRICS["roc_auc"].higher_is_better


def test_messages():
    ones = np.ones((3, 1))
    with pytest.raises(UserError, match="Did you mean 'roc_auc'"):
        score("rocauc", ones, ones)
    with pytest.raises(ValueError, match="1 of 3 predictions are not finite"):
        score("rmse", ones, np.array([[1.0], [np.nan], [0.0]]))
    with pytest.raises(ValueError, match="only NaN means missing"):
        score("rmse", ones * np.inf, ones)
    with pytest.raises(ValueError, match="needs labels 0, 1 or NaN, found 2"):
        score("roc_auc", 2 * ones, ones)
    with pytest.raises(ValueError, match=r"\[num_rows, num_targets\]"):
        score("rmse", ones, ones[:2])
