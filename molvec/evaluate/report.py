"""The report of a run: one HTML file that needs no network, no library and no other file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molvec.evaluate import plots
from molvec.evaluate.drawing import DRAWING_SIZE, draw_molecule
from molvec.evaluate.page import flatten, write_page
from molvec.evaluate.properties import PROPERTIES

TEMPLATE = "report.html.j2"
CURVES: tuple[tuple[str, str, dict[str, str], bool], ...] = (
    # title, how to read it, columns -> labels, whether the axis starts at zero
    ("Loss", "Distance to the teacher at hidden atoms.", {"loss": "loss"}, False),
    (
        "Spread",
        "Standard deviation over atoms. Near 0 means collapse.",
        {"target_std": "targets", "prediction_std": "predictions"},
        True,
    ),
    (
        "Effective rank",
        "How many directions the embeddings use. 1 means collapse.",
        {"effective_rank": "effective rank"},
        True,
    ),
)


@dataclass(frozen=True)
class Cell:
    """R² of one representation for one property; ``spread`` is over repeated rows (seeds)."""

    text: str
    spread: str
    bar: float  # R² limited to 0..1, the length of the bar
    best: bool


@dataclass(frozen=True)
class TableRow:
    """One property with a cell per representation."""

    name: str
    meaning: str
    cells: list[Cell | None]


def write_report(
    path: str | Path,
    *,
    title: str,
    intro: str,
    table: pd.DataFrame,
    history: pd.DataFrame | None = None,
    embedding: np.ndarray | None = None,
    smiles: Sequence[str] = (),
    color: np.ndarray | None = None,
    color_label: str = "",
    settings: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    representation: str = "pretrained",
    baseline: str = "random start",
) -> Path:
    """Write a self-contained HTML report; the file appears complete or not at all.

    Args:
        path: the HTML file; its folder is made if need be.
        title: name of the run.
        intro: what was done, in one or two sentences.
        table: result of ``probe_table``; tables of several seeds may be concatenated, repeated
            rows are shown as mean ± standard deviation (ddof=1).
        history: training metrics with any of the columns ``step``, ``loss``, ``target_std``,
            ``prediction_std``, ``effective_rank``, ``molecules_per_second``, ``lr``.
        embedding: ``[n, dim]`` for the map; rows with NaN are left out and counted.
        smiles: ``[n]``, drawn when a point is pointed at.
        color: ``[n]``, colours the map; NaN is shown as "no value".
        color_label: what ``color`` is, with its unit.
        settings: the resolved configuration; nested mappings are shown as dotted names.
        facts: versions, machine, seed, commit, duration; ``"command"`` is set apart.
        notes: remarks such as rows left out.
        representation: the representation that the headline is about.
        baseline: the representation it is compared with.

    Returns:
        The path written.

    Raises:
        ValueError: ``embedding``, ``smiles`` and ``color`` of different lengths.
    """
    if embedding is not None and len(embedding) != len(smiles):
        raise ValueError(f"{len(embedding)} embeddings but {len(smiles)} SMILES.")
    if embedding is not None and color is not None and len(color) != len(embedding):
        raise ValueError(f"{len(embedding)} embeddings but {len(color)} colour values.")
    shown = dict(facts or {})
    command = shown.pop("command", None)
    rows = table_rows(table)
    point_map = None if embedding is None else plots.point_map(embedding, color)
    return write_page(
        path,
        TEMPLATE,
        title=title,
        intro=intro,
        headline=headline(table, representation=representation, baseline=baseline),
        representations=_names(table, "representation"),
        rows=rows,
        seeds=any(cell and cell.spread for row in rows for cell in row.cells),
        details=_details(table),
        charts=_charts(history),
        speed=_median(history, "molecules_per_second"),
        peak_lr=_peak(history, "lr"),
        map=point_map,
        molecules=[] if point_map is None else _molecules(point_map, smiles, color),
        drawing_size=DRAWING_SIZE,
        color_label=color_label,
        color_steps=plots.COLOR_STEPS,
        settings=flatten(settings or {}),
        facts=flatten(shown),
        command=None if command is None else str(command),
        notes=list(notes),
        number=plots.format_number,
    )


def headline(
    table: pd.DataFrame, *, representation: str = "pretrained", baseline: str = "random start"
) -> str:
    """The main result in one sentence, whichever way it went.

    Over several seeds only differences of mean R² above the spread count as a win (see
    ``_beats``); without repeated rows any difference in the printed numbers does.
    """
    mean, std = _mean_std(table)
    if representation not in mean or baseline not in mean:
        return "There are no probe results to compare."
    both = mean[[representation, baseline]].dropna()
    if both.empty:
        return "There are no probe results to compare."
    wins = sum(_beats(mean.loc[p], std.loc[p], representation, baseline) for p in both.index)
    count = len(both)
    name = representation[:1].upper() + representation[1:]
    if count == 1:
        verdict = f"{'beats' if wins else 'does not beat'} {baseline} on the one property probed"
    else:
        share = f"all {count}" if wins == count else f"{wins or 'none'} of {count}"
        verdict = f"beats {baseline} on {share} properties"
    beyond = " by more than the spread over seeds" if bool((std > 0).any(axis=None)) else ""
    means = f"{both[representation].mean():.2f} against {both[baseline].mean():.2f}"
    return f"{name} {verdict}{beyond}: mean R² {means.replace('-', plots.MINUS)}."


def table_rows(table: pd.DataFrame) -> list[TableRow]:
    """One row per property, one cell per representation; one that beats all others is marked."""
    means, stds = _mean_std(table)
    rows = []
    for name in means.index:
        mean, std = means.loc[name], stds.loc[name]
        present = [r for r in means.columns if math.isfinite(mean[r])]
        cells: list[Cell | None] = []
        for r in means.columns:
            if r not in present:
                cells.append(None)
                continue
            others = [o for o in present if o != r]
            best = bool(others) and all(_beats(mean, std, r, o) for o in others)
            spread = f"± {std[r]:.3f}" if math.isfinite(std[r]) else ""
            text = f"{mean[r]:.3f}".replace("-", plots.MINUS)
            cells.append(Cell(text, spread, min(1.0, max(0.0, float(mean[r]))), best))
        known = PROPERTIES.get(name)
        rows.append(TableRow(name, known.meaning if known else "", cells))
    return rows


def _beats(mean: pd.Series, std: pd.Series, ours: str, theirs: str) -> bool:
    """Whether the printed means differ by more than the larger standard deviation, if any."""
    spread = max((float(s) for s in (std[ours], std[theirs]) if math.isfinite(s)), default=0.0)
    return bool(round(mean[ours], 3) - round(mean[theirs], 3) > spread)


def _mean_std(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean and standard deviation of R² over repeated rows (seeds), in order of appearance.

    Both ``[num_properties, num_representations]``; the deviation (ddof=1) of one row is NaN.
    """
    if table.empty:
        return pd.DataFrame(), pd.DataFrame()
    r2 = table["r2"].astype(float)
    groups = r2.groupby([table["property"].astype(str), table["representation"].astype(str)])
    index, columns = _names(table, "property"), _names(table, "representation")
    mean = groups.mean().unstack().reindex(index=index, columns=columns)
    std = groups.std(ddof=1).unstack().reindex(index=index, columns=columns)
    return mean, std


def _names(table: pd.DataFrame, column: str) -> list[str]:
    return [] if table.empty else list(dict.fromkeys(table[column].astype(str)))


def _details(table: pd.DataFrame) -> dict[str, Any]:
    """Every column and row of the table as text, with units, for the fold-out below it."""

    def text(value: Any) -> str:
        if isinstance(value, (float, np.floating)):
            return plots.format_number(float(value), strip=False)
        known = PROPERTIES.get(str(value))
        return f"{value} ({known.unit})" if known and known.unit else str(value)

    return {
        "columns": [str(c) for c in table.columns],
        "rows": [[text(v) for v in row] for row in table.itertuples(index=False)],
    }


def _charts(history: pd.DataFrame | None) -> list[dict[str, Any]]:
    if history is None or history.empty:
        return []
    steps = history["step"] if "step" in history else pd.Series(np.arange(len(history)))
    x = pd.to_numeric(steps, errors="coerce").to_numpy(dtype=np.float64)
    charts = []
    for title, hint, columns, from_zero in CURVES:
        series = {
            label: pd.to_numeric(history[column], errors="coerce").to_numpy(dtype=np.float64)
            for column, label in columns.items()
            if column in history
        }
        chart = plots.line_chart(x, series, from_zero=from_zero)
        if chart is not None:
            charts.append({"title": title, "hint": hint, "chart": chart})
    return charts


def _column(history: pd.DataFrame | None, name: str) -> pd.Series:
    if history is None or name not in history:
        return pd.Series(dtype=float)
    return pd.to_numeric(history[name], errors="coerce").dropna()


def _median(history: pd.DataFrame | None, name: str) -> float | None:
    values = _column(history, name)
    return None if values.empty else float(values.median())


def _peak(history: pd.DataFrame | None, name: str) -> float | None:
    values = _column(history, name)
    return None if values.empty else float(values.max())


def _molecules(
    point_map: plots.PointMap, smiles: Sequence[str], color: np.ndarray | None
) -> list[dict[str, Any]]:
    """What the script shows for each point of the map, as plain JSON data."""
    molecules = []
    for point in point_map.points:
        text = str(smiles[point.row])
        strokes = draw_molecule(text) or []
        molecules.append(
            {
                "smiles": text,
                "value": None if color is None else plots.format_number(float(color[point.row])),
                "paths": [[s.color, int(s.filled), s.path] for s in strokes],
            }
        )
    return molecules
