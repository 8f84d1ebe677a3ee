"""Linear heads for several labels a row, each at the strength that is best for its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from molvec.evaluate.heads import ScaledHead
from molvec.evaluate.linear import LOGISTIC_STRENGTHS, LogisticHead, constant_probability
from molvec.evaluate.logistic import logistic_path
from molvec.evaluate.metrics import Floats, score
from molvec.evaluate.multilabel import micro_macro_f1
from molvec.evaluate.scaler import Scaler


def mean_f1(truth: Floats, predicted: Floats) -> float:
    """Mean of micro-F1 and macro-F1."""
    return sum(micro_macro_f1(truth, predicted)) / 2


def mean_precision(truth: Floats, predicted: Floats) -> float:
    """Average precision, mean over the labels that some rows have and others lack."""
    found = score("pr_auc", truth, predicted)
    return found.mean if found.num_defined else 0.0


MERITS: dict[str, Callable[[Floats, Floats], float]] = {"f1": mean_f1, "pr_auc": mean_precision}


def fit_multilabel(
    train_x: NDArray[np.floating],
    train_y: Floats,
    valid_x: NDArray[np.floating],
    valid_y: Floats,
    *,
    strengths: Sequence[float] = LOGISTIC_STRENGTHS,
) -> dict[str, ScaledHead]:
    """Fit one logistic regression a label, all at one strength, and choose it twice.

    One head is the best on the validation part by the mean of micro-F1 and macro-F1, the other by
    average precision (``MERITS``); the strongest of equals. The two want different strengths:
    average precision looks at each label alone, where much shrinkage does no harm, while F1
    compares the labels of a row, where with much shrinkage the most frequent always win.

    Features are standardised. All strengths are tried, as F1 has more than one peak. A label with
    one class in the training part is predicted as that class for every row.

    Shapes:
        - train_x, valid_x: ``[num_rows, dim]``; train_y, valid_y: 0 or 1,
          ``[num_rows, num_labels]``.
    """
    scaler = Scaler.fit(train_x, scale=True)
    x, ahead = scaler.transform(train_x), scaler.transform(valid_x)
    constant = constant_probability(train_y)
    fitted = np.flatnonzero(np.isnan(constant))
    coefficients = np.zeros((x.shape[1], train_y.shape[1]))
    intercept = np.zeros(train_y.shape[1])
    best: dict[str, tuple[float, LogisticHead]] = {}
    path = logistic_path(
        torch.from_numpy(np.ascontiguousarray(x)),
        torch.from_numpy(np.ascontiguousarray(train_y[:, fitted])),
        strengths if len(fitted) else [max(strengths)],
    )
    for fit in path:
        coefficients[:, fitted] = fit.coefficients.numpy()
        intercept[fitted] = fit.intercept.numpy()
        odds = ahead @ coefficients + intercept
        predicted = np.where(np.isnan(constant), expit(odds), constant)
        choice: dict[str, float | int | str] = {
            "strength": fit.strength,
            "end_of_range": int(fit.strength in (min(strengths), max(strengths))),
            "constant_labels": train_y.shape[1] - len(fitted),
        }
        for name, merit in MERITS.items():
            value = merit(valid_y, predicted)
            if name not in best or value > best[name][0]:
                held = LogisticHead(coefficients.copy(), intercept.copy(), constant, choice)
                best[name] = value, held
    return {name: ScaledHead(scaler, head) for name, (_, head) in best.items()}
