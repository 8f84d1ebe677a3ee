"""Coordinates of the charts of a suite: learning curves, reliability diagrams and maps.

As in ``plots``, nothing here writes markup or picks a colour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from molvec.evaluate.calibration import Calibration
from molvec.evaluate.embedding_map import Map2D
from molvec.evaluate.plots import (
    Frame,
    Line,
    LineChart,
    Tick,
    color_steps,
    format_number,
    nice_ticks,
    outline,
    place_on_map,
)

MAP_SIZE = (460.0, 340.0)
# What a point of a map can be; ``s0`` to ``s8`` are colour steps of a regression target.
ZERO, ONE, MISSING = "zero", "one", "none"


@dataclass(frozen=True)
class LabelledPoint:
    """A molecule on a map: its place, its kind (class or colour step) and its label in words."""

    x: float
    y: float
    kind: str
    label: str
    smiles: str


@dataclass(frozen=True)
class LabelledMap:
    """A map of a data set, laid out; ``color_range`` is None for classes."""

    width: float
    height: float
    points: list[LabelledPoint]
    counts: dict[str, int]
    color_range: tuple[float, float] | None


def learning_curves(
    curves: Mapping[str, pd.DataFrame],
    *,
    level: float | None,
    scale: float = 1,
    width: float = 400,
    height: float = 260,
) -> LineChart | None:
    """Lay out scores over the number of labels, on a logarithmic axis.

    Args:
        curves: label -> frame with ``num_labels``, ``mean`` and ``std``; the band around a curve
            is one standard deviation wide on either side.
        level: a score to compare with, drawn across.
        scale: factor of all scores, 100 for shares.
        width: of the chart.
        height: of the chart.

    Returns:
        The chart, with a line for every curve (an empty one for a curve without a finite point,
        so that colours stay the same on all charts); None if nothing is finite.
    """
    shown: dict[str, np.ndarray] = {}
    for label, curve in curves.items():
        table = curve[["num_labels", "mean", "std"]].to_numpy(dtype=np.float64)
        table = table[np.isfinite(table[:, :2]).all(axis=1) & (table[:, 0] > 0)]
        table = table[np.argsort(table[:, 0], kind="stable")] * [1, scale, scale]
        shown[label] = np.column_stack(
            [np.log(table[:, 0]), table[:, 1], np.nan_to_num(table[:, 2])]
        )
    every = np.concatenate(list(shown.values())) if shown else np.empty((0, 3))
    if not len(every):
        return None
    heights = [*(every[:, 1] - every[:, 2]), *(every[:, 1] + every[:, 2])]
    if level is not None:
        heights.append(level * scale)
    y_ticks = nice_ticks(min(heights), max(heights), 4)
    low, high = float(every[:, 0].min()), float(every[:, 0].max())
    if high - low < 0.1:
        low, high = low - 0.5, high + 0.5
    frame = Frame(width, height, x=(low, high), y=(y_ticks[0], y_ticks[-1]))
    lines = []
    for label, table in shown.items():
        if not len(table):
            lines.append(Line(label, "", (0.0, 0.0), ""))
            continue
        x, mean, std = table.T
        points = frame.place(x, mean)
        band = ""
        if (std > 0).any():
            band = outline(
                frame.place(x, mean + std) + frame.place(x, mean - std)[::-1], closed=True
            )
        lines.append(
            Line(label, outline(points), points[-1], f"{mean[-1]:.3g}", band, tuple(points))
        )
    return LineChart(
        width=width,
        height=height,
        box=frame.box,
        x_ticks=[Tick(frame.to_x(math.log(v)), format_number(v)) for v in _log_ticks(low, high)],
        y_ticks=[Tick(frame.to_y(v), format_number(v)) for v in y_ticks],
        lines=lines,
        reference=None if level is None else frame.to_y(level * scale),
    )


def reliability_diagram(
    curves: Mapping[str, Calibration], *, width: float = 300, height: float = 292
) -> LineChart:
    """Lay out observed shares over mean predictions, both from 0 to 1, one line per calibration."""
    frame = Frame(width, height, x=(0.0, 1.0), y=(0.0, 1.0))
    lines = []
    for label, found in curves.items():
        points = frame.place(found.mean_predicted, found.observed)
        lines.append(
            Line(label, outline(points), points[-1], f"{found.ece:.3f}", points=tuple(points))
        )
    ticks = (0.0, 0.5, 1.0)
    return LineChart(
        width=width,
        height=height,
        box=frame.box,
        x_ticks=[Tick(frame.to_x(v), format_number(v)) for v in ticks],
        y_ticks=[Tick(frame.to_y(v), format_number(v)) for v in ticks],
        lines=lines,
    )


def labelled_map(found: Map2D) -> LabelledMap:
    """Lay out a map; labels that are all 0 or 1 are classes, others are coloured in nine steps."""
    width, height = MAP_SIZE
    placed = place_on_map(found.points.astype(np.float64), width=width, height=height)
    known = found.labels[np.isfinite(found.labels)]
    classes = bool(np.isin(known, (0.0, 1.0)).all())
    steps, color_range = ([], None) if classes else color_steps(found.labels)
    points = []
    counts = dict.fromkeys((ZERO, ONE, MISSING), 0)
    for i, (x, y) in enumerate(placed.tolist()):
        value = float(found.labels[i])
        if not math.isfinite(value):
            kind, label = MISSING, f"{found.target}: no label"
        elif classes:
            kind, label = (
                (ONE, f"{found.target}: 1") if value == 1 else (ZERO, f"{found.target}: 0")
            )
        else:
            kind, label = f"s{steps[i]}", f"{found.target}: {format_number(value, strip=False)}"
        counts[kind] = counts.get(kind, 0) + 1
        points.append(LabelledPoint(round(x, 1), round(y, 1), kind, label, found.smiles[i]))
    return LabelledMap(width, height, points, counts, color_range)


def _log_ticks(low: float, high: float) -> list[float]:
    """Round numbers of labels between two logarithms, at least two if there is room for any."""
    powers = range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1)
    tolerance = 1e-9
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)):
        ticks = [m * 10.0**p for p in powers for m in steps]
        ticks = [t for t in ticks if low - tolerance <= math.log(t) <= high + tolerance]
        if len(ticks) >= 3:
            break
    return ticks[:: max(1, len(ticks) // 5)]
