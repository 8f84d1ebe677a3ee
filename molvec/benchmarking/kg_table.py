"""The tables of the suite of knowledge graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from molvec.benchmarking.kg_cells import COMPLEX, KgCell
from molvec.evaluate.markdown_table import table_lines

TYPES = ("pr_auc", "roc_auc")
SUSPICIOUS = 0.01
"""Gap between the optimistic and the pessimistic MRR that is pointed out."""


def results_frame(cells: Sequence[KgCell]) -> pd.DataFrame:
    """One row per data set, task, part, row and metric: mean and standard deviation over seeds."""
    records = [
        {
            "dataset": cell.dataset,
            "task": task,
            "part": part,
            "row": cell.row,
            "metric": metric,
            "value": value,
            "seconds": cell.seconds,
        }
        for cell in cells
        for task, parts in (("links", cell.links), ("types", cell.types))
        for part, scores in parts.items()
        for metric, value in scores.items()
    ]
    frame = pd.DataFrame(records)
    groups = frame.groupby(["dataset", "task", "part", "row", "metric"], sort=False)
    return groups.agg(
        mean=("value", "mean"),
        std=("value", "std"),
        seeds=("value", "size"),
        seconds=("seconds", "mean"),
    ).reset_index()


def results_markdown(frame: pd.DataFrame, notes: Sequence[str]) -> str:
    """Lay out test scores: a table of links and one of types per data set, then notes."""
    parts: list[str] = []
    test = frame[frame["part"] == "test"]
    for dataset, rows in test.groupby("dataset", sort=False):
        parts += _links(str(dataset), rows[rows["task"] == "links"])
        typed = rows[rows["task"] == "types"]
        if len(typed):
            parts += _types(str(dataset), typed)
    parts += [f"- {note}" for note in notes]
    return "\n".join(parts) + "\n"


def warnings(frame: pd.DataFrame) -> list[str]:
    """Point out rows whose ties decide the result, a sign of collapse."""
    found = []
    test = frame[(frame["part"] == "test") & (frame["task"] == "links")]
    for dataset, rows in test.groupby("dataset", sort=False):
        for row, by in _scores(rows).items():
            gap = _gap(by)
            if gap > SUSPICIOUS:
                found.append(
                    f"{dataset}, {row}: the optimistic MRR is {gap:.3f} above the pessimistic; "
                    "many entities have the same score"
                )
    return found


@dataclass(frozen=True)
class _Score:
    mean: float
    std: float
    seeds: int

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + (f" ± {self.std:.3f}" if self.seeds > 1 else "")


def _scores(rows: pd.DataFrame) -> dict[str, dict[str, _Score]]:
    """Scores by row and metric, in the order of the frame."""
    found: dict[str, dict[str, _Score]] = {}
    columns = ["row", "metric", "mean", "std", "seeds"]
    for row, metric, mean, std, seeds in rows[columns].itertuples(index=False):
        found.setdefault(str(row), {})[str(metric)] = _Score(mean, std, seeds)
    return found


def _gap(by: Mapping[str, _Score]) -> float:
    return by["mrr_optimistic"].mean - by["mrr_pessimistic"].mean


def _links(dataset: str, rows: pd.DataFrame) -> list[str]:
    scores = _scores(rows)
    whole = scores[COMPLEX]["mrr"].mean
    header = ["", "MRR", "of ComplEx", "Hits@1", "Hits@3", "Hits@10", "optimistic - pessimistic"]
    body = []
    for row, by in scores.items():
        hits = [str(by[f"hits@{k}"]) for k in (1, 3, 10)]
        share = f"{by['mrr'].mean / whole:.0%}"
        body.append([row, str(by["mrr"]), share, *hits, f"{_gap(by):.4f}"])
    return [f"**{dataset}, link prediction**", "", *table_lines(header, body), ""]


def _types(dataset: str, rows: pd.DataFrame) -> list[str]:
    body = [[row, *(str(by[metric]) for metric in TYPES)] for row, by in _scores(rows).items()]
    header = ["", "average precision", "ROC-AUC"]
    return [f"**{dataset}, types of entities**", "", *table_lines(header, body), ""]
