"""Few labels: a share of the training part in which the classes keep their proportions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.labelled import Task

_QUANTILES = 10


def stratified_draw(
    targets: pd.DataFrame, task: Task, fraction: float, *, seed: int
) -> NDArray[np.int64]:
    """Draw a share of rows at random, in proportion from every stratum.

    Strata: the class of a single classification target; with several, whether a molecule is
    positive for any of them; tenths of the (standardised, averaged) target in a regression. Every
    stratum that has rows gives at least one: no class of a single target is lost, though a rare
    class of one of several targets may be.

    Args:
        targets: ``[num_rows, num_targets]``, NaN where missing.
        task: what the targets are.
        fraction: above 0, at most 1; 1 returns all rows.
        seed: of the draw.

    Returns:
        Sorted positions, about ``fraction * num_rows`` of them.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must be above 0 and at most 1, got {fraction}")
    if fraction == 1:
        return np.arange(len(targets), dtype=np.int64)
    generator = np.random.default_rng([seed, round(1e6 * fraction)])
    strata = _strata(targets.to_numpy(dtype=np.float64), task)
    drawn = []
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        count = max(1, round(fraction * len(members)))
        drawn.append(generator.permutation(members)[:count])
    return np.sort(np.concatenate(drawn))


def _strata(y: NDArray[np.float64], task: Task) -> NDArray[np.int64]:
    labelled = np.isfinite(y).any(axis=1)
    strata = np.full(len(y), -1, dtype=np.int64)
    if task == "classification":
        strata[labelled] = (np.nan_to_num(y[labelled]) > 0).any(axis=1)
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.nanstd(y, axis=0)
            z = (y - np.nanmean(y, axis=0)) / np.where(spread > 0, spread, 1.0)
        value = pd.Series(np.nanmean(z[labelled], axis=1))
        strata[labelled] = np.ceil(value.rank(method="first", pct=True) * _QUANTILES)
    return strata
