"""What the validation part decides: which of several fits of a head is kept."""

from __future__ import annotations

import numpy as np

from molvec.errors import UserError
from molvec.evaluate.metrics import Floats, score

_SMALLEST_PROBABILITY = 1e-7  # below the resolution of float32 near 1: a finite loss when wrong


def validation_merit(
    task: str, truth: Floats, predicted: Floats, spread: Floats | None = None
) -> tuple[float, float]:
    """How good predictions of the validation part are; tuples compare, larger is better.

    Classification: mean ROC-AUC over the tasks where it is defined (0 if there is none, so that
    the second number decides), then the negative log-loss over all labels. Regression: the
    negative mean over tasks of RMSE / ``spread``, where ``spread`` ``[num_targets]`` is the
    standard deviation of the training targets, so that targets of different units count alike
    (given for regression only); the second number is 0.

    Raises:
        UserError: the validation part has no labels.
    """
    labelled = ~np.isnan(truth)
    if not labelled.any():
        raise UserError(
            "The validation part has no labels, so nothing can be chosen on it. "
            "Use a split that leaves it some."
        )
    if task == "regression":
        assert spread is not None
        errors = score("rmse", truth, predicted).per_task / spread
        return -float(np.nanmean(errors)), 0.0
    auc = score("roc_auc", truth, predicted)
    right = np.where(truth == 1, predicted, 1 - predicted)[labelled]
    log_loss = -float(np.log(np.maximum(right, _SMALLEST_PROBABILITY)).mean())
    return (auc.mean if auc.num_defined else 0.0), -log_loss
