"""The tables of a suite in Markdown, for a README or a paper's notes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from molvec.evaluate.benchmark_table import caption_of
from molvec.evaluate.label_efficiency import needed_text, reference_level
from molvec.evaluate.score_table import (
    DASH,
    PRIMARY,
    TITLES,
    ScoreCell,
    ScoreTable,
    format_score,
    tables,
)


def results_markdown(results: pd.DataFrame, efficiency: pd.DataFrame) -> str:
    """Lay out the main tables: the terminal's, and one of label efficiency per data set.

    Args:
        results: see :func:`molvec.evaluate.aggregate.results_frame`.
        efficiency: see :func:`molvec.evaluate.aggregate.efficiency_frame`; may be empty.
    """
    parts = [_scores(table) for table in tables(results, PRIMARY)]
    for dataset, rows in efficiency.groupby("dataset", sort=False):
        parts.append(_curve(str(dataset), rows))
    if len(efficiency):
        parts.append(_needed(results, efficiency))
    return "\n".join(parts)


def _scores(table: ScoreTable) -> str:
    header = ["", *table.datasets, *(average.title for average in table.averages)]
    body = [
        [row.name, *(_text(cell) for cell in (*row.cells, *row.averages))] for row in table.rows
    ]
    return _lines(f"{table.task}, {table.title}", header, body, caption_of(table))


def _curve(dataset: str, rows: pd.DataFrame) -> str:
    metric = str(rows["metric"].iloc[0])
    fractions = sorted(rows["fraction"].unique())
    body = []
    for (representation, head), curve in rows.groupby(["representation", "head"], sort=False):
        points = curve[["fraction", "mean", "std"]].to_numpy().tolist()
        known = {fraction: _mean(mean, std, metric) for fraction, mean, std in points}
        body.append([f"{representation}, {head}", *(known.get(f, DASH) for f in fractions)])
    header = ["", *(f"{fraction:.0%}" for fraction in fractions)]
    title = f"{dataset}, {TITLES[metric]} by share of the training labels"
    return _lines(title, header, body, "± is the standard deviation over draws.")


def _needed(results: pd.DataFrame, efficiency: pd.DataFrame) -> str:
    """How many labels every model needs, a column per data set."""
    main = efficiency[efficiency["metric"].isin(PRIMARY.values())]
    models = list(dict.fromkeys(zip(main["representation"], main["head"], strict=True)))
    header, body = [""], [[", ".join(model)] for model in models]
    whose: dict[str, None] = {}
    for (dataset, metric), part in main.groupby(["dataset", "metric"], sort=False):
        level = reference_level(results, efficiency, str(dataset), str(metric))
        score = DASH if level is None else format_score(level.value, str(metric))
        header.append(f"{dataset}: {score}")
        whose |= {} if level is None else {level.name: None}
        for row, (representation, head) in zip(body, models, strict=True):
            curve = part[(part["representation"] == representation) & (part["head"] == head)]
            row.append(needed_text(curve, level, str(metric)))
    title = f"labels needed for what {' or '.join(whose) or 'no model'} reaches with all"
    caption = "Read off the curves between their points, linearly in the logarithm of the labels."
    return _lines(title, header, body, caption)


def _mean(mean: float, std: float, metric: str) -> str:
    spread = "" if math.isnan(std) else f" ±{format_score(std, metric)}"
    return format_score(mean, metric) + spread


def _text(cell: ScoreCell | None) -> str:
    if cell is None:
        return DASH
    text = " ".join(part for part in (cell.text, cell.spread, cell.mark) if part)
    return f"**{text}**" if cell.best else text


def table_lines(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Draw a table, first column left, the others right."""
    drawn = []
    for row in (header, ["---", *["---:"] * (len(header) - 1)], *body):
        cells = (cell.replace("|", r"\|") for cell in row)  # a bar in a name would end a cell
        drawn.append(f"| {' | '.join(cells)} |")
    return drawn


def _lines(title: str, header: Sequence[str], body: Sequence[Sequence[str]], caption: str) -> str:
    return "\n".join(
        [f"**{title}**", "", *table_lines(header, body), "", *([caption, ""] if caption else [])]
    )
