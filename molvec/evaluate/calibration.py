"""Are predicted probabilities right? Reliability in bins, calibration error, Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Probabilities of class 1 against how often it occurred, in bins of about equal count.

    Attributes:
        dataset: name of the data set.
        representation: what the head read.
        head: the head.
        mean_predicted: ``[num_bins]``, ascending.
        observed: ``[num_bins]``, the share of class 1.
        counts: ``[num_bins]``, labels in each bin.
        ece: expected calibration error, the sum over bins of
            ``counts / sum(counts) * |observed - mean_predicted|``.
        brier: Brier score, the mean of ``(probability - label)^2``.
    """

    dataset: str
    representation: str
    head: str
    mean_predicted: Floats
    observed: Floats
    counts: NDArray[np.int64]
    ece: float
    brier: float


def calibration(
    dataset: str,
    representation: str,
    head: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    bins: int = 10,
) -> Calibration:
    """Compare probabilities of class 1 with labels; several tasks are pooled.

    Bins are bounded by quantiles of the predictions (Nguyen and O'Connor 2015, arXiv 1508.05154):
    most activities are rare, and bins of equal width would leave nearly all labels in one. Equal
    predictions stay in one bin, whatever the order of the rows, so there may be fewer than
    ``bins``.

    Args:
        dataset: name of the data set.
        representation: what the head read.
        head: the head.
        truth: 0, 1 or NaN (missing, left out), ``[num_rows]`` or ``[num_rows, num_targets]``.
        predicted: probabilities, of the same shape.
        bins: how many bins at most.

    Raises:
        ValueError: different shapes, no labels, labels other than 0 and 1, values that are no
            probabilities.
    """
    labels = np.asarray(truth, dtype=np.float64)
    values = np.asarray(predicted, dtype=np.float64)
    if labels.shape != values.shape:
        raise ValueError(f"truth has shape {labels.shape} but predicted {values.shape}.")
    if bins < 1:
        raise ValueError(f"There must be at least one bin, not {bins}.")
    known = ~np.isnan(labels)
    labels, values = labels[known], values[known]
    if not len(labels):
        raise ValueError(f"{dataset} has no labels to compare probabilities with.")
    if not np.isin(labels, (0.0, 1.0)).all():
        raise ValueError(f"{dataset}: labels must be 0, 1 or NaN for probabilities.")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{dataset}: predictions of {representation}, {head} leave 0 to 1.")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    _, which = np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)
    counts = np.bincount(which)
    mean_predicted = np.bincount(which, weights=values) / counts
    observed = np.bincount(which, weights=labels) / counts
    gaps = np.abs(observed - mean_predicted)
    return Calibration(
        dataset,
        representation,
        head,
        mean_predicted,
        observed,
        counts.astype(np.int64),
        ece=float((counts * gaps).sum() / counts.sum()),
        brier=float(np.square(values - labels).mean()),
    )
