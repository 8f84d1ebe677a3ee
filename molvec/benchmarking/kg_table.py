"""The tables of the suite of knowledge graphs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from molvec.benchmarking.kg_cells import COMPLEX, KgCell
from molvec.evaluate.markdown_table import table_lines

LINKS = ("mrr", "hits@1", "hits@3", "hits@10", "mr", "mrr_optimistic", "mrr_pessimistic")
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
    for (dataset, row), group in test.groupby(["dataset", "row"], sort=False):
        mean = group.set_index("metric")["mean"]
        gap = mean["mrr_optimistic"] - mean["mrr_pessimistic"]
        if gap > SUSPICIOUS:
            found.append(
                f"{dataset}, {row}: the optimistic MRR is {gap:.3f} above the pessimistic; many "
                "entities have the same score"
            )
    return found


def _links(dataset: str, rows: pd.DataFrame) -> list[str]:
    mrr = rows[rows["metric"] == "mrr"].set_index("row")["mean"]
    whole = mrr.get(COMPLEX)
    header = ["", "MRR", "of ComplEx", "Hits@1", "Hits@3", "Hits@10", "optimistic - pessimistic"]
    body = []
    for row, group in rows.groupby("row", sort=False):
        by = group.set_index("metric")
        share = "" if whole is None else f"{mrr[row] / whole:.0%}"
        gap = by.loc["mrr_optimistic", "mean"] - by.loc["mrr_pessimistic", "mean"]
        hits = [_text(by.loc[f"hits@{k}"]) for k in (1, 3, 10)]
        body.append([str(row), _text(by.loc["mrr"]), share, *hits, f"{gap:.4f}"])
    return [f"**{dataset}, link prediction**", "", *table_lines(header, body), ""]


def _types(dataset: str, rows: pd.DataFrame) -> list[str]:
    body = []
    for row, group in rows.groupby("row", sort=False):
        by = group.set_index("metric")
        body.append([str(row), *(_text(by.loc[metric]) for metric in TYPES)])
    header = ["", "average precision", "ROC-AUC"]
    return [f"**{dataset}, types of entities**", "", *table_lines(header, body), ""]


def _text(scores: pd.Series) -> str:
    spread = f" ± {scores['std']:.3f}" if scores["seeds"] > 1 else ""
    return f"{scores['mean']:.3f}{spread}"
