"""The report of a suite: one HTML file that needs no network, no library and no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from molvec.evaluate import plots
from molvec.evaluate.benchmark_charts import (
    LabelledMap,
    labelled_map,
    learning_curves,
    reliability_diagram,
)
from molvec.evaluate.benchmark_table import caption_of
from molvec.evaluate.calibration import Calibration
from molvec.evaluate.drawing import DRAWING_SIZE, draw_molecule
from molvec.evaluate.embedding_map import Map2D
from molvec.evaluate.label_efficiency import needed_text, reference_level
from molvec.evaluate.metrics import METRICS
from molvec.evaluate.page import flatten, write_page
from molvec.evaluate.representation import PRETRAINED
from molvec.evaluate.score_table import (
    BASELINE,
    BETTER,
    DASH,
    PRIMARY,
    SECONDARY,
    TITLES,
    WORSE,
    ScoreTable,
    format_score,
    tables,
)

TEMPLATE = "benchmark_report.html.j2"


def write_benchmark_report(
    path: str | Path,
    *,
    results: pd.DataFrame,
    efficiency: pd.DataFrame | None,
    published: pd.DataFrame | None,
    maps: Sequence[Map2D],
    calibrations: Sequence[Calibration],
    context: Mapping[str, str],
) -> Path:
    """Write a self-contained HTML report; the file appears complete or not at all.

    Args:
        path: the HTML file; its folder is made if need be.
        results: one row per (dataset, representation, head, protocol, metric), aggregated over
            seeds, with columns ``task``, ``mean``, ``std``, ``num_seeds``, ``num_tasks``,
            ``num_tasks_defined``, ``difference``, ``low``, ``high`` (ours minus the baseline, in
            the unit of the metric, with its 95 % interval; NaN where not compared), ``split``,
            ``split_sha256``, ``n_train``, ``n_valid`` and ``n_test``.
        efficiency: one row per (dataset, representation, head, metric, fraction) with
            ``num_labels``, ``mean`` and ``std`` over draws; None or empty without.
        published: rows that others published: ``method``, ``protocol``, ``source``, ``dataset``,
            ``metric``, ``value`` (ROC-AUC as a share of 1); None or empty without.
        maps: of the data sets.
        calibrations: of probabilities.
        context: command, commit, versions, machine; ``"command"`` is set apart and ``"title"``
            names the page.

    Returns:
        The path written.

    Raises:
        ValueError: two rows for one cell of a table, a published share above 1.
    """
    shown = dict(context)
    command, title = shown.pop("command", None), shown.pop("title", "molvec benchmark")
    main = tables(results, PRIMARY)
    laid_out = [labelled_map(found) for found in maps]
    molecules, places = _molecules(laid_out)
    return write_page(
        path,
        TEMPLATE,
        title=title,
        headline=benchmark_headline(main),
        intro=_intro(results),
        tables=[(table, caption_of(table)) for table in main],
        second=[(table, caption_of(table)) for table in tables(results, SECONDARY)],
        intervals=_intervals(main),
        datasets=_datasets(results),
        efficiency=_efficiency(results, efficiency),
        calibrations=_calibrations(calibrations),
        maps=list(zip(maps, laid_out, strict=True)),
        molecules=molecules,
        places=places,
        drawing_size=DRAWING_SIZE,
        color_steps=plots.COLOR_STEPS,
        published=_published(published),
        facts=flatten(shown),
        command=None if command is None else str(command),
        number=plots.format_number,
        baseline=f"{BASELINE[0]} with a {BASELINE[1]}",
        marks={BETTER: "better", WORSE: "worse"},
        dash=DASH,
    )


def benchmark_headline(main: Sequence[ScoreTable]) -> str:
    """The main result in one sentence: how often the pretrained encoder is ahead of fingerprints.

    It counts every head and data set, so that nothing is picked by its test score.
    """
    cells = [
        cell
        for table in main
        for row in table.rows
        if row.representation == PRETRAINED
        for cell in row.cells
        if cell is not None and cell.interval
    ]
    if not cells:
        return f"Nothing pretrained is compared with {BASELINE[0]} here."
    better = sum(cell.mark == BETTER for cell in cells)
    worse = sum(cell.mark == WORSE for cell in cells)
    return (
        f"Pretrained against {BASELINE[0]} with a {BASELINE[1]}, {len(cells)} "
        f"comparison{'s' if len(cells) != 1 else ''}: {better} better, {worse} worse, "
        f"{len(cells) - better - worse} undecided."
    )


def _intro(results: pd.DataFrame) -> str:
    if results.empty:
        return "There are no results."
    splits = ", ".join(dict.fromkeys(results["split"].astype(str)))
    seeds = sorted({int(n) for n in results["num_seeds"]})
    most = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    count = results["dataset"].nunique()
    return (
        f"{count} data set{'s' if count != 1 else ''}, split {splits}, {most} "
        f"seed{'s' if seeds[-1] != 1 else ''}. Scores are of the test part; settings were chosen "
        "on the validation part."
    )


def _intervals(main: Sequence[ScoreTable]) -> list[tuple[str, str, str, str, str]]:
    """Data set, model, metric, difference to the baseline with its interval, and its mark."""
    return [
        (dataset, row.name, TITLES[table.metric], cell.interval, cell.mark)
        for table in main
        for j, dataset in enumerate(table.datasets)
        for row in table.rows
        if (cell := row.cells[j]) is not None and cell.interval
    ]


def _datasets(results: pd.DataFrame) -> list[dict[str, str]]:
    """Size, tasks and split of every data set; one line per split if there are several."""
    columns = ["dataset", "task", "metric", "split", "split_sha256", "n_train", "n_valid", "n_test"]
    columns += ["num_tasks", "num_tasks_defined"]
    part = results[results["metric"].isin(PRIMARY.values())]
    lines = part[columns].drop_duplicates().to_dict("records")
    return [{str(k): _count(v) for k, v in line.items()} for line in lines]


def _count(value: Any) -> str:
    return value if isinstance(value, str) else f"{int(value):,}"


def _efficiency(results: pd.DataFrame, efficiency: pd.DataFrame | None) -> dict[str, Any] | None:
    """A chart per data set, and the labels that every curve needs to reach the level there."""
    if efficiency is None or efficiency.empty:
        return None
    main = efficiency[efficiency["metric"].isin(PRIMARY.values())]
    names = list(dict.fromkeys(zip(main["representation"], main["head"], strict=True)))
    charts: list[dict[str, Any]] = []
    needed: dict[str, list[str]] = {", ".join(name): [] for name in names}
    for (dataset, metric), part in main.groupby(["dataset", "metric"], sort=False):
        level = reference_level(results, efficiency, str(dataset), str(metric))
        share = not METRICS[str(metric)].in_target_unit
        curves = {
            ", ".join(name): part[(part["representation"] == name[0]) & (part["head"] == name[1])]
            for name in names
        }
        chart = learning_curves(
            curves, level=None if level is None else level.value, scale=100 if share else 1
        )
        if chart is None:
            continue
        for label, curve in curves.items():
            needed[label].append(needed_text(curve, level, str(metric)))
        charts.append(
            {
                "dataset": str(dataset),
                "metric": TITLES[str(metric)],
                "chart": chart,
                "level": level,
                "level_text": DASH if level is None else format_score(level.value, str(metric)),
            }
        )
    if not charts:
        return None
    levels = list(dict.fromkeys(c["level"].name for c in charts if c["level"]))
    return {
        "charts": charts,
        "names": list(needed),
        "needed": list(needed.items()),
        "levels": levels,
    }


def _calibrations(calibrations: Sequence[Calibration]) -> dict[str, Any]:
    """A diagram per data set with a line for every model, and all errors in one list."""
    names = list(dict.fromkeys(f"{c.representation}, {c.head}" for c in calibrations))
    charts = []
    for dataset in dict.fromkeys(c.dataset for c in calibrations):
        found = {f"{c.representation}, {c.head}": c for c in calibrations if c.dataset == dataset}
        charts.append({"dataset": dataset, "chart": reliability_diagram(found), "found": found})
    return {"names": names, "charts": charts}


def _molecules(maps: Sequence[LabelledMap]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Every molecule of the maps once, as plain JSON data, and where its SMILES is in the list."""
    places: dict[str, int] = {}
    molecules: list[dict[str, Any]] = []
    for point in (p for m in maps for p in m.points):
        if point.smiles not in places:
            places[point.smiles] = len(molecules)
            strokes = draw_molecule(point.smiles) or []
            paths = [[s.color, int(s.filled), s.path] for s in strokes]
            molecules.append({"smiles": point.smiles, "paths": paths})
    return molecules, places


def _published(published: pd.DataFrame | None) -> dict[str, Any] | None:
    if published is None or published.empty:
        return None
    columns: list[tuple[str, str]] = []
    rows: dict[tuple[str, str, str], dict[tuple[str, str], str]] = {}
    for row in published.to_dict("records"):
        column = (str(row["dataset"]), str(row["metric"]))
        value = float(row["value"])
        if not METRICS[column[1]].in_target_unit and value > 1:
            raise ValueError(
                f"published {column[1]} of {row['method']} on {column[0]} is {value:g}; "
                "give it as a share of 1"
            )
        if column not in columns:
            columns.append(column)
        cells = rows.setdefault((str(row["method"]), str(row["protocol"]), str(row["source"])), {})
        if column in cells:
            raise ValueError(f"published: two values of {row['method']} on {column[0]}")
        cells[column] = format_score(value, column[1])
    return {
        "columns": [(dataset, TITLES[metric]) for dataset, metric in columns],
        "rows": [(*name, [cells.get(c, DASH) for c in columns]) for name, cells in rows.items()],
    }
