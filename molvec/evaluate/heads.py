"""Heads: what turns frozen features of molecules into predictions of labelled properties.

A head sees a training and a validation part and nothing else. Every statistic and coefficient
comes from the training part; the validation part only chooses (a strength, an epoch). Test rows
are given to ``predict``, one by one or together with the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from molvec.data.labelled import Task
from molvec.errors import UserError, did_you_mean
from molvec.evaluate.metrics import Floats
from molvec.evaluate.scaler import Scaler

HEADS = ("linear", "forest", "kernel", "mlp")
DEFAULT_HEADS = ("linear", "forest", "kernel")


class Head(Protocol):
    """A fitted head; ``choice`` says what was chosen on the validation part (plain JSON data)."""

    @property
    def choice(self) -> dict[str, float | int | str]:
        """For instance ``{"strength": 10.0, "end_of_range": 0}``."""
        ...

    def predict(self, x: Floats) -> Floats:
        """``[num_rows, dim]`` -> ``[num_rows, num_targets]``: probability of class 1, or value."""
        ...


@dataclass(frozen=True)
class ScaledHead:
    """A head behind the scaler it was fitted with."""

    scaler: Scaler
    head: Head

    @property
    def choice(self) -> dict[str, float | int | str]:
        """What was chosen on the validation part."""
        return self.head.choice

    def predict(self, x: NDArray[np.floating]) -> Floats:
        """``[num_rows, dim]`` -> ``[num_rows, num_targets]``: probability of class 1, or value."""
        return self.head.predict(self.scaler.transform(x))


def fit_head(
    kind: str,
    task: Task,
    train_x: NDArray[np.floating],
    train_y: NDArray[np.floating],
    valid_x: NDArray[np.floating],
    valid_y: NDArray[np.floating],
    *,
    scale: bool,
    seed: int,
    trees: int = 500,
    jobs: int = 1,
) -> ScaledHead:
    """Fit a head on the training part, with its settings chosen on the validation part.

    Args:
        kind: ``"linear"`` (L2 logistic or ridge regression), ``"forest"`` (one random forest per
            target; chooses nothing), ``"kernel"`` (a linear head on likeness to training
            molecules) or ``"mlp"`` (one hidden layer, all targets jointly).
        task: ``"classification"`` (labels 0, 1, NaN) or ``"regression"``.
        train_x: features ``[num_rows, dim]``; every row has some.
        train_y: targets ``[num_rows, num_targets]`` in their own units, NaN = missing.
        valid_x: features of the validation part.
        valid_y: targets of the validation part.
        scale: standardise by training statistics, impute single missing features by the training
            median, limit to 10 standard deviations: for embeddings and descriptors. False uses
            the features as they are: for fingerprint counts.
        seed: of forests, of the neural head and of a kernel's landmarks; the linear heads use no
            randomness.
        trees: per forest.
        jobs: threads of the forests; the numbers do not depend on it.

    A classification target with one class in the training part predicts that class for every row;
    one without training labels predicts 0.5. Predicted values stay in the range of the training
    targets, for every head.

    Raises:
        UserError: an unknown kind, a validation part without labels, a regression target without
            training labels.
        ValueError: shapes that do not fit, features that are not finite (see ``scale``), class
            labels that are not 0, 1 or NaN.
    """
    if kind not in HEADS:
        raise UserError(
            f"There is no head {kind!r}.{did_you_mean(kind, HEADS)} Known: {', '.join(HEADS)}."
        )
    train_y = _checked_targets(task, train_x, train_y, "training")
    valid_y = _checked_targets(task, valid_x, valid_y, "validation")
    if train_y.shape[1] != valid_y.shape[1]:
        raise ValueError(
            f"{train_y.shape[1]} training targets but {valid_y.shape[1]} validation targets."
        )
    empty = int(np.isnan(train_y).all(axis=0).sum())
    if task == "regression" and empty:
        raise UserError(
            f"{empty} of {train_y.shape[1]} targets have no value in the training part. "
            "Leave these targets out."
        )
    scaler = Scaler.fit(train_x, scale=scale)
    x, valid = scaler.transform(train_x), scaler.transform(valid_x)
    head = _fit(kind, task, x, train_y, valid, valid_y, scale, seed, trees, jobs)
    return ScaledHead(scaler, head)


def _fit(
    kind: str,
    task: Task,
    x: Floats,
    y: Floats,
    valid_x: Floats,
    valid_y: Floats,
    scale: bool,
    seed: int,
    trees: int,
    jobs: int,
) -> Head:
    if kind == "forest":
        from molvec.evaluate.forest import fit_forest

        return fit_forest(task, x, y, seed=seed, trees=trees, jobs=jobs)
    if kind == "mlp":
        from molvec.evaluate.mlp import fit_mlp

        return fit_mlp(task, x, y, valid_x, valid_y, seed=seed)
    if kind == "kernel":
        from molvec.evaluate.kernel import fit_kernel

        return fit_kernel(task, x, y, valid_x, valid_y, counts=not scale, seed=seed)
    from molvec.evaluate.linear import fit_logistic, fit_ridge

    fit = fit_logistic if task == "classification" else fit_ridge
    return fit(x, y, valid_x, valid_y)


def _checked_targets(
    task: Task, x: NDArray[np.floating], y: NDArray[np.floating], part: str
) -> Floats:
    values: Floats = np.asarray(y, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(x):
        raise ValueError(
            f"The {part} part has {len(x)} rows of features and targets of shape {values.shape}; "
            "targets must be [num_rows, num_targets]."
        )
    if np.isinf(values).any():
        raise ValueError(f"The {part} targets hold infinite values; only NaN means missing.")
    if task == "classification" and not (np.isnan(values) | (values == 0) | (values == 1)).all():
        raise ValueError(f"The {part} labels of a classification must be 0, 1 or NaN.")
    return values
