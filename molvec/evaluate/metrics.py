"""Scores of predictions over many tasks at once: ROC-AUC, average precision, RMSE and MAE.

Every metric takes row weights with one column per draw, so that one call scores all resamples of a
bootstrap. A weight of k means that the row occurs k times; plain scores have one draw of ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molvec.errors import UserError, did_you_mean

Floats = NDArray[np.float64]
# truth [n], predicted [n], weights [n, num_draws], all labelled -> [num_draws]
TaskFunction = Callable[[Floats, Floats, Floats], Floats]


@dataclass(frozen=True)
class Scores:
    """A metric on every task.

    ``per_task`` ``[num_targets]`` is NaN where the metric is not defined (no labels; for ranking
    metrics one class only). ``mean`` is over the ``num_defined`` other tasks, NaN if there are
    none.
    """

    per_task: Floats
    mean: float
    num_defined: int


@dataclass(frozen=True)
class Metric:
    """A metric: its ``name``, its direction, its kind of task and whether it has a unit.

    ``in_target_unit`` is True for errors in the unit of the target, False for pure numbers.
    ``function`` scores one task for all draws; use ``score`` and ``weighted_scores``.
    """

    name: str
    higher_is_better: bool
    task: str  # "classification" or "regression"
    in_target_unit: bool
    function: TaskFunction

    def score(self, truth: Floats, predicted: Floats) -> Scores:
        """Score predictions ``[num_rows, num_targets]``; see ``score``."""
        return score(self.name, truth, predicted)


TASK_METRICS = {"classification": ("roc_auc", "pr_auc"), "regression": ("rmse", "mae")}
"""Metrics of a task; the first is the headline, by which strengths, heads and epochs are chosen."""


def score(metric: str, truth: Floats, predicted: Floats) -> Scores:
    """Score predictions on every task.

    Args:
        metric: a name in ``METRICS``.
        truth: ``[num_rows, num_targets]``; NaN = missing; 0 or 1 for classification metrics.
        predicted: ``[num_rows, num_targets]``, finite: any number that grows with the probability
            of class 1, or the value in the unit of the target.

    Raises:
        UserError: a metric that is not in ``METRICS``.
        ValueError: shapes that differ, predictions that are not finite, labels that are not 0, 1
            or NaN.
    """
    truth, predicted = checked(metric, truth, predicted)
    per_task = weighted_scores(metric, truth, predicted, np.ones((len(truth), 1)))[0]
    defined = per_task[np.isfinite(per_task)]
    mean = float(defined.mean()) if len(defined) else float("nan")
    return Scores(per_task, mean, len(defined))


def weighted_scores(metric: str, truth: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Score checked arrays once per column of ``weights`` ``[num_rows, num_draws]``.

    Returns ``[num_draws, num_targets]``, NaN where a task is not defined in a draw.
    """
    result = np.full((weights.shape[1], truth.shape[1]), np.nan)
    for task in range(truth.shape[1]):
        rows = np.flatnonzero(~np.isnan(truth[:, task]))
        if len(rows):
            result[:, task] = METRICS[metric].function(
                truth[rows, task], predicted[rows, task], weights[rows]
            )
    return result


def checked(metric: str, truth: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    """Give both arrays as float64; raises what ``score`` raises."""
    if metric not in METRICS:
        raise UserError(
            f"There is no metric {metric!r}.{did_you_mean(metric, METRICS)} "
            f"Known: {', '.join(METRICS)}."
        )
    truth = np.asarray(truth, dtype=np.float64)
    predicted = np.asarray(predicted, dtype=np.float64)
    if truth.ndim != 2 or truth.shape != predicted.shape:
        raise ValueError(
            "Truth and predictions must both be [num_rows, num_targets], "
            f"got {truth.shape} and {predicted.shape}."
        )
    bad = int((~np.isfinite(predicted)).sum())
    if bad:
        raise ValueError(
            f"{bad} of {predicted.size} predictions are not finite. Leave out the rows that have "
            "no prediction, or find out why the model gives NaN."
        )
    if np.isinf(truth).any():
        raise ValueError("The truth holds infinite values; only NaN means missing.")
    if METRICS[metric].task == "classification":
        wrong = truth[~(np.isnan(truth) | (truth == 0) | (truth == 1))]
        if len(wrong):
            raise ValueError(f"{metric} needs labels 0, 1 or NaN, found {wrong[0]:g}.")
    return truth, predicted


def _roc_auc(truth: Floats, predicted: Floats, weights: Floats) -> Floats:
    """P(score of a positive > score of a negative) + P(equal) / 2, over weighted pairs.

    Mann-Whitney form of the area under the ROC curve: Hanley and McNeil 1982,
    doi:10.1148/radiology.143.1.7063747. Weight below a positive is read from the running sum over
    sorted negatives, on both sides of its ties.
    """
    positive = truth == 1
    order = np.argsort(predicted[~positive], kind="stable")
    sorted_scores = predicted[~positive][order]
    negative_weights = weights[~positive][order]  # [num_negatives, num_draws]
    positive_weights = weights[positive]
    below = np.zeros((len(order) + 1, weights.shape[1]))
    np.cumsum(negative_weights, axis=0, out=below[1:])
    left = np.searchsorted(sorted_scores, predicted[positive], side="left")
    right = np.searchsorted(sorted_scores, predicted[positive], side="right")
    won = below[left]
    if (left != right).any():
        won = 0.5 * (won + below[right])
    pairs = below[-1] * positive_weights.sum(axis=0)
    wins = np.einsum("id,id->d", positive_weights, won)
    return _divide(wins, pairs)


def _pr_auc(truth: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Average precision: sum over thresholds of (recall gained) times precision there.

    The step-wise sum of scikit-learn's ``average_precision_score``, without interpolation, which
    is too optimistic (Davis and Goadrich 2006, doi:10.1145/1143844.1143874). Rows with the same
    score pass a threshold together.
    """
    positive = np.flatnonzero(truth == 1)
    positive = positive[np.argsort(predicted[positive], kind="stable")[::-1]]
    order = np.argsort(predicted, kind="stable")[::-1]
    positive_weights = weights[positive]  # [num_positives, num_draws], best score first
    # Weight of all rows, and of positives, whose score is at least that of each positive.
    passed = _reached(weights[order], predicted[order], predicted[positive])
    hits = _reached(positive_weights, predicted[positive], predicted[positive])
    # A threshold that no drawn row has passed gains nothing, whatever the precision is called.
    gained = np.einsum("id,id->d", positive_weights, hits / np.maximum(passed, 1.0))
    num_positives = positive_weights.sum(axis=0)
    both = (num_positives > 0) & (weights.sum(axis=0) > num_positives)
    return _divide(gained, np.where(both, num_positives, 0.0))


def _reached(weights: Floats, descending: Floats, thresholds: Floats) -> Floats:
    """Sum of weights with a score >= each threshold, ``[num_thresholds, num_draws]``."""
    sums = np.cumsum(weights, axis=0)
    last = np.searchsorted(-descending, -thresholds, side="right") - 1
    return sums[last]


def _rmse(truth: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Root of the mean squared error."""
    return np.sqrt(_divide(np.square(predicted - truth) @ weights, weights.sum(axis=0)))


def _mae(truth: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Mean absolute error."""
    return _divide(np.abs(predicted - truth) @ weights, weights.sum(axis=0))


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN where the denominator is 0, which is where the metric is not defined."""
    out = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("roc_auc", True, "classification", False, _roc_auc),
        Metric("pr_auc", True, "classification", False, _pr_auc),
        Metric("rmse", False, "regression", True, _rmse),
        Metric("mae", False, "regression", True, _mae),
    )
}
