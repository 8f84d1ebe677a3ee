"""The main tables of a suite as plain data: rows are models, columns are data sets.

The terminal and the page show the same cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from molvec.evaluate.metrics import METRICS, TASK_METRICS
from molvec.evaluate.representation import ECFP

BASELINE = (ECFP, "forest")
"""Representation and head that intervals in ``results`` compare with."""

BETTER, WORSE = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
DASH = "\N{EN DASH}"
TITLES = {"roc_auc": "ROC-AUC \N{MULTIPLICATION SIGN} 100", "rmse": "RMSE", "mae": "MAE"} | {
    "pr_auc": "PR-AUC \N{MULTIPLICATION SIGN} 100"
}
PRIMARY = {task: names[0] for task, names in TASK_METRICS.items()}
SECONDARY = {task: names[1] for task, names in TASK_METRICS.items()}
LEGEND = (
    f"{BETTER} better, {WORSE} worse than {BASELINE[0]} with a {BASELINE[1]}: the 95 % interval of "
    "the paired difference on the test molecules excludes zero."
)
_KEY = ["dataset", "metric", "protocol", "representation", "head"]


@dataclass(frozen=True)
class ScoreCell:
    """A score of one model on one data set, or an average.

    ``mark`` is ``BETTER``, ``WORSE`` or empty (undecided, or not compared). ``spread`` is the
    standard deviation over seeds, empty with one seed. ``interval`` is the difference to the
    baseline with its interval, in words.
    """

    text: str
    spread: str = ""
    mark: str = ""
    best: bool = False
    interval: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One model: a cell per column, None where it was not run or the metric is not defined."""

    protocol: str
    representation: str
    head: str
    cells: tuple[ScoreCell | None, ...]
    averages: tuple[ScoreCell | None, ...]

    @property
    def name(self) -> str:
        """Representation and head in one text."""
        return f"{self.representation}, {self.head}"


@dataclass(frozen=True)
class Average:
    """An average column: its title and the data sets that it covers, which every row has."""

    title: str
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class ScoreTable:
    """Scores of one metric; lower is better for errors."""

    task: str
    metric: str
    datasets: tuple[str, ...]
    averages: tuple[Average, ...]
    rows: tuple[ScoreRow, ...]
    num_seeds: tuple[int, ...]  # the different numbers of seeds that cells have

    @property
    def title(self) -> str:
        """Metric and direction."""
        direction = "higher" if METRICS[self.metric].higher_is_better else "lower"
        return f"{TITLES[self.metric]} ({direction} is better)"


def score_table(results: pd.DataFrame, metric: str) -> ScoreTable | None:
    """Lay out one metric of ``results``; None if no row has it.

    Rows and columns come in order of appearance, frozen encoders first. Averages are taken for
    classification only (errors of different units have no mean), over data sets that every row
    has, with and without ClinTox: its labels follow from how its SMILES were written, so it tells
    little about a representation.

    Args:
        results: one row per (dataset, representation, head, protocol, metric), with columns
            ``mean``, ``std``, ``num_seeds``, ``low`` and ``high``.
        metric: a name in ``METRICS``.

    Raises:
        ValueError: two rows for one cell (two splits, for example).
    """
    part = results[results["metric"] == metric]
    if part.empty:
        return None
    twice = part[part.duplicated(_KEY)]
    if len(twice):
        row = twice.iloc[0]
        raise ValueError(
            f"{row['dataset']} has several rows for {row['representation']}, {row['head']}, "
            f"{row['protocol']}, {metric}. Write one table per split."
        )
    task = METRICS[metric].task
    datasets = tuple(dict.fromkeys(part["dataset"].astype(str)))
    models = _models(part)
    found = {
        (str(r["protocol"]), str(r["representation"]), str(r["head"]), str(r["dataset"])): r
        for _, r in part.iterrows()
    }
    means = np.array(
        [[float(found[*m, d]["mean"]) if (*m, d) in found else math.nan for d in datasets]
         for m in models]
    )  # fmt: skip
    averages = _averages(datasets, means) if task == "classification" else ()
    columns = [[datasets.index(d) for d in a.datasets] for a in averages]
    average_means = np.array([[row[c].mean() for c in columns] for row in means])
    best = _best(means, metric)
    best_average = _best(average_means.reshape(len(models), len(averages)), metric)
    rows = []
    for i, model in enumerate(models):
        cells: list[ScoreCell | None] = []
        for j, dataset in enumerate(datasets):
            if math.isfinite(means[i, j]):
                cells.append(_cell(found[*model, dataset], metric, best=bool(best[i, j])))
            else:
                cells.append(None)
        shown = tuple(
            ScoreCell(format_score(average_means[i, k], metric), best=bool(best_average[i, k]))
            for k in range(len(averages))
        )
        rows.append(ScoreRow(*model, tuple(cells), shown))
    seeds = tuple(sorted({int(n) for n in part["num_seeds"]}))
    return ScoreTable(task, metric, datasets, averages, tuple(rows), seeds)


def format_score(value: float, metric: str, *, signed: bool = False) -> str:
    """A score as the tables print it.

    Shares are times 100 with one decimal; errors have three decimals, fewer from 10 on.
    """
    if not math.isfinite(value):
        return DASH
    sign = "+" if signed else ""
    decimals = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1
    if METRICS[metric].in_target_unit:
        text = f"{value:{sign},.{decimals}f}"
    else:
        text = f"{100 * value:{sign}.1f}"
    return text.replace("-", "\N{MINUS SIGN}")


def decided(low: float, high: float, metric: str) -> str:
    """The mark of a 95 % interval of (ours - baseline): better, worse, or empty."""
    if not (low > 0 or high < 0):  # also when there is no interval
        return ""
    return BETTER if (low > 0) == METRICS[metric].higher_is_better else WORSE


def tables(results: pd.DataFrame, metrics: dict[str, str]) -> list[ScoreTable]:
    """The tables of classification and regression that ``results`` holds."""
    found = [score_table(results, metric) for metric in metrics.values()]
    return [table for table in found if table is not None]


def _models(part: pd.DataFrame) -> list[tuple[str, str, str]]:
    names = part[["protocol", "representation", "head"]].astype(str)
    seen = dict.fromkeys((a, b, c) for a, b, c in names.itertuples(index=False))
    representations = list(dict.fromkeys(names["representation"]))
    return sorted(seen, key=lambda m: (m[0] != "frozen", representations.index(m[1])))


def _cell(row: pd.Series, metric: str, *, best: bool) -> ScoreCell:
    std, low, high = float(row["std"]), float(row["low"]), float(row["high"])
    spread = f"\N{PLUS-MINUS SIGN}{format_score(std, metric)}" if math.isfinite(std) else ""
    interval = ""
    if math.isfinite(low) and math.isfinite(high):
        numbers = [format_score(v, metric, signed=True) for v in (row["difference"], low, high)]
        interval = f"{numbers[0]} ({numbers[1]} to {numbers[2]})"
    mark = decided(low, high, metric)
    return ScoreCell(format_score(float(row["mean"]), metric), spread, mark, best, interval)


def _averages(datasets: Sequence[str], means: np.ndarray) -> tuple[Average, ...]:
    """With one data set there is nothing to average."""
    shared = [d for d, full in zip(datasets, np.isfinite(means).all(axis=0), strict=True) if full]
    without = [d for d in shared if d.lower() != "clintox"]
    found = []
    if len(shared) > 1:
        found.append(Average(f"Mean ({len(shared)} sets)", tuple(shared)))
    if 1 < len(without) < len(shared):
        found.append(Average(f"without ClinTox ({len(without)})", tuple(without)))
    return tuple(found)


def _best(means: np.ndarray, metric: str) -> np.ndarray:
    """Which printed values are the best of their column; nothing to mark in a table of one row."""
    best = np.zeros(means.shape, dtype=bool)
    for j, column in enumerate(means.T if len(means) > 1 else ()):
        if np.isfinite(column).any():
            top = np.nanmax(column) if METRICS[metric].higher_is_better else np.nanmin(column)
            # Compared as printed: a difference that nobody sees makes nobody the winner.
            best[:, j] = [format_score(v, metric) == format_score(top, metric) for v in column]
    return best
