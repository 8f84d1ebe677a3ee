"""How many labels does a representation need to reach a given score?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from molvec.evaluate.metrics import METRICS
from molvec.evaluate.representation import SCRATCH
from molvec.evaluate.score_table import BASELINE, DASH

NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Level:
    """What a learning curve has to reach: a score with all labels, and whose it is."""

    name: str
    value: float


def labels_needed(
    num_labels: ArrayLike, scores: ArrayLike, level: float, *, higher_is_better: bool
) -> float:
    """Read off a learning curve where it first reaches a level.

    Between two neighbouring points of the curve the score is taken to be linear in the logarithm
    of the number of labels, since learning curves are nearly straight there. Nothing is
    extrapolated: a curve that starts at the level or beyond gives its first number of labels,
    which is then an upper bound.

    Args:
        num_labels: ``[n]``, above 0, in any order; one number twice is averaged.
        scores: ``[n]``; points with NaN are left out.
        level: the score to reach.
        higher_is_better: False for errors.

    Returns:
        The number of labels, NaN if the level is never reached or the curve has no point.

    Raises:
        ValueError: different lengths, numbers of labels that are not positive, a level of NaN.
    """
    x = np.asarray(num_labels, dtype=np.float64)
    y = np.asarray(scores, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"A curve needs as many scores as numbers of labels: {x.shape}, {y.shape}")
    if np.isnan(level):
        raise ValueError("The level to reach is NaN.")
    if (x <= 0).any() or not np.isfinite(x).all():
        raise ValueError("Numbers of labels must be positive.")
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    places, which = np.unique(x, return_inverse=True)  # ascending
    if not len(places):
        return float("nan")
    curve = np.bincount(which, weights=y) / np.bincount(which)
    ahead = (curve - level) if higher_is_better else (level - curve)
    reached = np.flatnonzero(ahead >= 0)
    if not len(reached):
        return float("nan")
    k = int(reached[0])
    if k == 0:
        return float(places[0])
    share = -ahead[k - 1] / (ahead[k] - ahead[k - 1])  # of the way from point k - 1 to point k
    return float(np.exp(np.log(places[k - 1]) + share * np.log(places[k] / places[k - 1])))


def reference_level(
    results: pd.DataFrame, efficiency: pd.DataFrame, dataset: str, metric: str
) -> Level | None:
    """The score to reach with fewer labels, from all labels of a data set.

    Training the same network from scratch if that was run (the epoch that the validation part
    chose), otherwise the baseline; from all labels in ``efficiency``, otherwise from
    ``results``. None if neither holds one.
    """
    for representation, head in ((SCRATCH, None), BASELINE):
        for frame in (efficiency, results):  # the curves' own split, if they hold the level
            rows = frame[
                (frame["dataset"] == dataset)
                & (frame["metric"] == metric)
                & (frame["representation"] == representation)
                & frame["mean"].notna()
            ]
            if head is not None:
                rows = rows[rows["head"] == head]
            if "fraction" in rows:
                rows = rows[rows["fraction"] == 1.0]
            if len(rows):
                best = rows[rows["head"].str.contains("best")]
                row = (best if len(best) else rows).iloc[0]
                return Level(f"{row['representation']}, {row['head']}", float(row["mean"]))
    return None


def needed_text(curve: pd.DataFrame, level: Level | None, metric: str) -> str:
    """Labels that a curve needs to reach a level: how many, and which share of all.

    Args:
        curve: rows of :func:`molvec.evaluate.aggregate.efficiency_frame` of one data set and model.
        level: see :func:`reference_level`.
        metric: of both.
    """
    if level is None or not curve["mean"].notna().any():
        return DASH
    higher = METRICS[metric].higher_is_better
    labels = labels_needed(curve["num_labels"], curve["mean"], level.value, higher_is_better=higher)
    if math.isnan(labels):
        return NOT_REACHED
    first = float(curve.loc[curve["mean"].notna(), "num_labels"].min())
    at_most = "\N{LESS-THAN OR EQUAL TO} " if labels <= first else ""
    share = labels / float(curve["num_labels"].max() / curve["fraction"].max())
    return f"{at_most}{round(labels):,} ({share:.0%})"
