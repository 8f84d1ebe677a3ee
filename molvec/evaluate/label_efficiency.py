"""How many labels does a representation need to reach a given score?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


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
