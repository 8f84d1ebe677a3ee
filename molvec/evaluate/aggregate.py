"""From cells to tables: means over seeds, intervals against the fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.labelled import Labelled
from molvec.data.split import Split
from molvec.evaluate.bootstrap import bootstrap_scores, percentile_interval
from molvec.evaluate.cells import Cell
from molvec.evaluate.metrics import METRICS
from molvec.evaluate.score_table import BASELINE

DRAWS = 1000
CHOSEN = "best on validation"
"""Head of a row that takes, data set by data set, the scores of the head that is best there."""

COLUMNS = (
    *("dataset", "task", "representation", "head", "protocol", "metric"),
    *("mean", "std", "num_seeds", "num_tasks", "num_tasks_defined", "tasks"),
    *("difference", "low", "high", "valid", "split", "split_sha256"),
    *("n_train", "n_valid", "n_test", "seconds"),
)


_Name = tuple[str, str, str, str]  # data set, representation, head, protocol


@dataclass(frozen=True)
class Context:
    """What a cell's data set and split were."""

    data: Labelled
    split: Split


def results_frame(
    cells: Sequence[Cell], contexts: Mapping[tuple[str, str], Context], *, draws: int = DRAWS
) -> pd.DataFrame:
    """Aggregate the cells fitted on whole training parts over seeds.

    Args:
        cells: of any protocol; those of label efficiency are left out.
        contexts: ``(dataset, split_sha256)`` -> its data and split.
        draws: bootstrap resamples of the test part.

    Returns:
        One row per data set, representation, head, protocol and metric, and for frozen features
        with several heads one more, ``CHOSEN``: ``mean`` and ``std`` (over
        seeds, ddof 1; NaN with one seed) of the mean over targets; ``difference``, ``low`` and
        ``high``, the paired bootstrap 95 % interval against ``BASELINE`` on the same resampled
        test molecules (scores averaged over seeds first; NaN if the splits differ); ``tasks``,
        the targets for which the metric is defined in the first seed's split; ``valid``, the
        mean headline metric on the validation part.
    """
    groups = _group(cell for cell in cells if cell.key.protocol != "label-efficiency")
    groups |= _chosen(groups)
    known: dict[tuple[str, str], NDArray[np.float64]] = {}

    def bootstrap(cell: Cell, metric: str) -> NDArray[np.float64]:
        name = (cell.key.digest(), metric)
        if name not in known:
            context = contexts[cell.key.dataset, cell.key.split_sha256]
            truth = context.data.targets.to_numpy(dtype=np.float64)[context.split.test]
            known[name] = bootstrap_scores(metric, truth, cell.test, draws=draws)
        return known[name]

    rows = []
    for (dataset, representation, head, protocol), members in groups.items():
        baseline = groups.get((dataset, *BASELINE, "frozen"), [])
        context = contexts[dataset, members[0].key.split_sha256]
        headline = next(iter(members[0].scores))
        for metric in members[0].scores:
            values = np.array([cell.mean(metric) for cell in members])
            defined = np.isfinite(members[0].scores[metric])
            interval = (np.nan, np.nan, np.nan)
            if (representation, head) != BASELINE and _same_split(members, baseline):
                ours = np.mean([bootstrap(cell, metric) for cell in members], axis=0)
                theirs = np.mean([bootstrap(cell, metric) for cell in baseline], axis=0)
                point = values.mean() - np.mean([cell.mean(metric) for cell in baseline])
                found = percentile_interval(float(point), ours - theirs)
                interval = (found.difference, found.low, found.high)
            names = list(context.data.targets.columns)
            rows.append(
                {
                    "dataset": dataset,
                    "task": context.data.task,
                    "representation": representation,
                    "head": head,
                    "protocol": protocol,
                    "metric": metric,
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                    "num_seeds": len(values),
                    "num_tasks": len(names),
                    "num_tasks_defined": int(defined.sum()),
                    "tasks": ";".join(str(n) for n, d in zip(names, defined, strict=True) if d),
                    **dict(zip(("difference", "low", "high"), interval, strict=True)),
                    "valid": _mean_valid(members) if metric == headline else float("nan"),
                    "split": members[0].key.split,
                    "split_sha256": ";".join(sorted({c.key.split_sha256 for c in members})),
                    "n_train": len(context.split.train),
                    "n_valid": len(context.split.valid),
                    "n_test": len(context.split.test),
                    "seconds": float(sum(cell.seconds for cell in members)),
                }
            )
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _mean_valid(cells: Sequence[Cell]) -> float:
    return float(np.mean([cell.valid_score for cell in cells]))


def efficiency_frame(cells: Sequence[Cell]) -> pd.DataFrame:
    """Aggregate the cells of label efficiency over draws.

    Returns:
        One row per data set, representation, head and fraction of the training labels, for the
        headline metric: ``num_labels`` (mean over draws, all targets together), ``mean``, ``std``
        (over draws, ddof 1), ``num_draws``.
    """
    rows = []
    members = [cell for cell in cells if cell.key.protocol == "label-efficiency"]
    groups: dict[tuple[str, str, str, float], list[Cell]] = {}
    for cell in members:
        key = (cell.key.dataset, cell.key.representation, cell.key.head, cell.key.fraction)
        groups.setdefault(key, []).append(cell)
    for (dataset, representation, head, fraction), drawn in groups.items():
        metric = next(iter(drawn[0].scores))
        values = np.array([cell.mean(metric) for cell in drawn])
        rows.append(
            {
                "dataset": dataset,
                "representation": representation,
                "head": head,
                "metric": metric,
                "fraction": fraction,
                "num_labels": float(np.mean([cell.num_labels for cell in drawn])),
                "mean": float(values.mean()),
                "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                "num_draws": len(values),
            }
        )
    columns = ["dataset", "representation", "head", "metric", "fraction"]
    columns += ["num_labels", "mean", "std", "num_draws"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _group(cells: Iterable[Cell]) -> dict[_Name, list[Cell]]:
    groups: dict[_Name, list[Cell]] = {}
    for cell in cells:
        key = cell.key
        name = (key.dataset, key.representation, key.head, key.protocol)
        groups.setdefault(name, []).append(cell)
    return groups


def _chosen(groups: Mapping[_Name, list[Cell]]) -> dict[_Name, list[Cell]]:
    """Of each frozen representation the head with the best mean score on the validation part."""
    heads: dict[_Name, dict[str, list[Cell]]] = {}
    for (dataset, representation, head, protocol), cells in groups.items():
        if protocol == "frozen":
            heads.setdefault((dataset, representation, CHOSEN, protocol), {})[head] = cells
    chosen = {}
    for name, known in heads.items():
        headline = next(iter(next(iter(known.values()))[0].scores))
        sign = 1 if METRICS[headline].higher_is_better else -1
        valid = {head: sign * _mean_valid(cells) for head, cells in known.items()}
        if len(known) > 1 and np.isfinite(list(valid.values())).all():
            chosen[name] = known[max(valid, key=valid.__getitem__)]
    return chosen


def _same_split(ours: Sequence[Cell], theirs: Sequence[Cell]) -> bool:
    """Whether all cells share one test part: resampling it means the same for all."""
    return bool(theirs) and len({cell.key.split_sha256 for cell in (*ours, *theirs)}) == 1
