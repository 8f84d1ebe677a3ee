"""Tables of a suite of networks: one a metric, rows are representations, columns data sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from molvec.evaluate.cells import Cell
from molvec.evaluate.markdown_table import table_lines
from molvec.evaluate.representation import PRETRAINED, RANDOM_START
from molvec.evaluate.score_table import DASH

TITLES = {"micro_f1": "Micro-F1", "macro_f1": "Macro-F1", "pr_auc": "Average precision"}
ROWS = (
    "pretrained",
    "random start",
    "node2vec",
    "positions",
    "surroundings",
    "features",
    "degree",
)
"""Representations from the top; others follow."""
COLUMNS = ("dataset", "representation", "metric", "mean", "std", "num_seeds", "valid", "seconds")


def network_frame(cells: Sequence[Cell]) -> pd.DataFrame:
    """Aggregate cells over seeds: one row per data set, representation and metric.

    Returns:
        ``mean`` and ``std`` (ddof 1; NaN with one seed) of test scores, ``valid``, the mean of
        micro-F1 and macro-F1 on the validation part, and ``seconds`` of fitting heads.
    """
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.key.dataset, cell.key.representation), []).append(cell)
    rows = []
    for (dataset, representation), members in groups.items():
        for metric in TITLES:
            values = np.array([cell.mean(metric) for cell in members])
            rows.append(
                {
                    "dataset": dataset,
                    "representation": representation,
                    "metric": metric,
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                    "num_seeds": len(values),
                    "valid": float(np.mean([cell.valid_score for cell in members])),
                    "seconds": float(sum(cell.seconds for cell in members)),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def network_markdown(results: pd.DataFrame) -> str:
    """Lay out the tables, in hundredths; the best of a column is bold."""
    datasets = list(dict.fromkeys(results["dataset"]))
    found_names = set(results["representation"])
    names = [name for name in ROWS if name in found_names]
    names += sorted(found_names - set(ROWS))
    parts = []
    for metric, title in TITLES.items():
        found = results[results["metric"] == metric].set_index(["representation", "dataset"])
        best = found.groupby("dataset")["mean"].max()
        body = [[name, *(_cell(found, best, name, dataset) for dataset in datasets)]
                for name in names]  # fmt: skip
        table = "\n".join(table_lines(["", *datasets], body))
        parts.append(f"**{title} \N{MULTIPLICATION SIGN} 100**\n\n{table}")
    return "\n\n".join(parts) + "\n"


def gain_markdown(cells: Sequence[Cell]) -> str:
    """Lay out what pretraining gains over random start, in hundredths; empty if neither is there.

    Differences are taken seed by seed, as a seed's parts are the same for both: mean and standard
    deviation over seeds, bold where the mean is larger.
    """
    held = {(cell.key.dataset, cell.key.representation, cell.key.seed): cell for cell in cells}
    pairs: dict[str, list[tuple[Cell, Cell]]] = {}
    for (dataset, row, seed), cell in held.items():
        start = held.get((dataset, RANDOM_START, seed))
        if row == PRETRAINED and start is not None:
            pairs.setdefault(dataset, []).append((cell, start))
    if not pairs:
        return ""
    body = [
        [title, *(_gain([one.mean(metric) - two.mean(metric) for one, two in pairs[dataset]])
                  for dataset in pairs)]
        for metric, title in TITLES.items()
    ]  # fmt: skip
    table = "\n".join(table_lines(["", *pairs], body))
    return f"**Pretrained less random start, seed by seed**\n\n{table}\n"


def _gain(differences: list[float]) -> str:
    mean = 100 * float(np.mean(differences))
    if len(differences) == 1:
        return f"{mean:+.1f}"
    spread = 100 * float(np.std(differences, ddof=1))
    text = f"{mean:+.1f} ±{spread:.1f}"
    return f"**{text}**" if abs(mean) > spread else text


def _cell(found: pd.DataFrame, best: pd.Series, name: str, dataset: str) -> str:
    if (name, dataset) not in found.index:
        return DASH
    mean, std = (float(found["mean"][name, dataset]), float(found["std"][name, dataset]))
    text = f"{100 * mean:.1f}" + ("" if np.isnan(std) else f" ±{100 * std:.1f}")
    return f"**{text}**" if mean == best[dataset] else text
