"""The linear heads: logistic regression for classes, ridge regression for values.

Both fit the training part at several strengths and keep the strength that is best on the validation
part: one strength for all tasks of a data set. The training part alone gives the coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molvec.evaluate.metrics import Floats
from molvec.evaluate.selection import validation_merit

# From hardly any shrinkage to nearly constant predictions, for 500 standardised features as well
# as for 2048 sparse counts and some 500 to 50,000 rows. Strength = 1 / C of scikit-learn.
LOGISTIC_STRENGTHS: tuple[float, ...] = tuple(10.0**k for k in range(-2, 6))
RIDGE_STRENGTHS: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-4, 13))
_NEGLIGIBLE = 1e-12  # share of the largest eigenvalue below which a direction is rounding noise


@dataclass(frozen=True)
class LogisticHead:
    """Probability of class 1: a sigmoid of a linear function per task."""

    coefficients: Floats  # [dim, num_targets], 0 for constant tasks
    intercept: Floats  # [num_targets]
    constant: Floats  # [num_targets]: the probability where there was one class only, else NaN
    choice: dict[str, float | int | str]

    def predict(self, x: Floats) -> Floats:
        """Probabilities ``[num_rows, num_targets]`` for features ``[num_rows, dim]``."""
        return _probabilities(x, self.coefficients, self.intercept, self.constant)


@dataclass(frozen=True)
class RidgeHead:
    """A value per task: a linear function, limited to the range of the training targets.

    A molecule far from all training molecules is otherwise extrapolated wildly, and one such row
    decides the RMSE.
    """

    coefficients: Floats  # [dim, num_targets], unit of the target
    intercept: Floats  # [num_targets]
    low: Floats  # [num_targets]
    high: Floats  # [num_targets]
    choice: dict[str, float | int | str]

    def predict(self, x: Floats) -> Floats:
        """Values ``[num_rows, num_targets]`` for features ``[num_rows, dim]``."""
        return np.clip(x @ self.coefficients + self.intercept, self.low, self.high)


def target_means(targets: Floats, *, empty: float) -> Floats:
    """Mean over labels (for classes: the prior), ``[num_targets]``; ``empty`` without labels."""
    counts = (~np.isnan(targets)).sum(axis=0)
    return np.where(counts == 0, empty, np.nansum(targets, axis=0) / np.maximum(counts, 1))


def constant_probability(labels: Floats) -> Floats:
    """The class prior of tasks that have one class only, NaN for tasks that have both.

    ``labels`` ``[num_rows, num_targets]``; a task without any label gets 0.5.
    """
    counts = (~np.isnan(labels)).sum(axis=0)
    prior = target_means(labels, empty=0.5)
    return np.where((counts == 0) | (prior == 0) | (prior == 1), prior, np.nan)


def fit_logistic(
    train_x: Floats,
    train_y: Floats,
    valid_x: Floats,
    valid_y: Floats,
    *,
    strengths: Sequence[float] = LOGISTIC_STRENGTHS,
) -> LogisticHead:
    """Fit logistic regressions; the strength by mean validation ROC-AUC, ties by log-loss.

    Strengths are tried from strong to weak until one is not better than the one before: each costs
    twice as much as the last, and validation scores rose to one peak and fell in all of 35 paths
    (seven representations of BBBP, BACE, ClinTox, SIDER and Tox21).

    Features are ``[num_rows, dim]``, labels ``[num_rows, num_targets]`` of 0, 1 and NaN. A task
    with one class in the training part predicts that class for every row (``choice`` counts such
    tasks). ``choice["end_of_range"]`` is 1 if the weakest or strongest strength won.
    """
    import torch

    from molvec.evaluate.logistic import logistic_path

    constant = constant_probability(train_y)
    fitted = np.flatnonzero(np.isnan(constant))
    coefficients = np.zeros((train_x.shape[1], train_y.shape[1]))
    intercept = np.zeros(train_y.shape[1])
    best: tuple[tuple[float, float], LogisticHead] | None = None
    # Without a task to fit, or without features, all strengths give the same: use the strongest.
    path = logistic_path(
        torch.from_numpy(np.ascontiguousarray(train_x)),
        torch.from_numpy(np.ascontiguousarray(train_y[:, fitted])),
        strengths if len(fitted) else [max(strengths)],
    )
    for fit in path:
        coefficients[:, fitted] = fit.coefficients.numpy()
        intercept[fitted] = fit.intercept.numpy()
        predicted = _probabilities(valid_x, coefficients, intercept, constant)
        merit = validation_merit("classification", valid_y, predicted)
        if best is not None and merit <= best[0]:
            break
        choice = _choice(fit.strength, strengths) | {
            "constant_tasks": train_y.shape[1] - len(fitted),
            "unconverged_tasks": int((~fit.converged).sum()),
        }
        best = merit, LogisticHead(coefficients.copy(), intercept.copy(), constant, choice)
    assert best is not None, "no strengths"
    return best[1]


def fit_ridge(
    train_x: Floats,
    train_y: Floats,
    valid_x: Floats,
    valid_y: Floats,
    *,
    strengths: Sequence[float] = RIDGE_STRENGTHS,
) -> RidgeHead:
    """Fit ridge regressions; the strength by validation RMSE in training standard deviations.

    Minimises, per target, sum of squares + strength * |w|^2 with the target standardised on its
    training rows and an intercept that is not penalised. Targets that are labelled in the same
    rows share one factorisation, which serves all strengths. Every target has a training label.
    """
    mean, spread = target_statistics(train_y)
    low, high = np.nanmin(train_y, axis=0), np.nanmax(train_y, axis=0)
    standardised = (train_y - mean) / spread
    shape = (len(strengths), train_x.shape[1], train_y.shape[1])
    coefficients, intercept = np.zeros(shape), np.zeros((len(strengths), train_y.shape[1]))
    labelled = ~np.isnan(train_y)
    groups: dict[bytes, list[int]] = {}
    for column in range(train_y.shape[1]):
        groups.setdefault(labelled[:, column].tobytes(), []).append(column)
    for columns in groups.values():
        rows = labelled[:, columns[0]]
        x, y = train_x[rows], standardised[rows][:, columns]
        center = x.mean(axis=0)
        variance, basis = _eigen(x - center)
        projected = basis.T @ ((x - center).T @ y)  # [rank, num_columns]
        for k, strength in enumerate(strengths):
            weights = basis @ (projected / (variance + strength)[:, None])
            coefficients[k][:, columns] = weights * spread[columns]
            intercept[k][columns] = mean[columns] - center @ coefficients[k][:, columns]
    heads = [
        RidgeHead(coefficients[k], intercept[k], low, high, _choice(strength, strengths))
        for k, strength in enumerate(strengths)
    ]
    heads.sort(key=lambda head: -float(head.choice["strength"]))  # a tie goes to the strongest
    return max(
        heads,
        key=lambda head: validation_merit("regression", valid_y, head.predict(valid_x), spread),
    )


def target_statistics(targets: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation ``[num_targets]`` over labels; 1 for a constant target."""
    mean, std = np.nanmean(targets, axis=0), np.nanstd(targets, axis=0)
    return mean, np.where(std > 1e-9 * np.abs(mean), std, 1.0)


def _eigen(centred: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues ``[rank]`` and vectors ``[dim, rank]`` of X'X, from its smaller product."""
    tall = centred.shape[0] >= centred.shape[1]
    values, vectors = np.linalg.eigh(centred.T @ centred if tall else centred @ centred.T)
    useful = values > _NEGLIGIBLE * values.max(initial=0.0)
    values, vectors = values[useful], vectors[:, useful]
    return values, vectors if tall else (centred.T @ vectors) / np.sqrt(values)


def _choice(strength: float, strengths: Sequence[float]) -> dict[str, float | int | str]:
    at_end = strength in (min(strengths), max(strengths))
    return {"strength": float(strength), "end_of_range": int(at_end)}


def _probabilities(
    x: Floats, coefficients: Floats, intercept: Floats, constant: NDArray[np.float64]
) -> Floats:
    from scipy.special import expit

    return np.where(np.isnan(constant), expit(x @ coefficients + intercept), constant)
