"""From numbers to coordinates: curves, a map of embeddings and molecule drawings for inline SVG.

Nothing here writes markup or picks a colour. The template turns these plain values into SVG and
colours them through CSS, so one file serves light and dark mode, and everything is escaped there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_CURVE_POINTS = 300  # more cannot be told apart at the width of a chart
MAX_DRAWN_ATOMS = 80  # unreadable above at this size, and a drawing costs about 100 bytes an atom
COLOR_STEPS = 9
MINUS = "\N{MINUS SIGN}"
DRAWING_SIZE = (220, 160)

# Colour groups of a drawing: RDKit draws in these pure colours, the template maps the names.
_PALETTE: dict[str, tuple[float, float, float]] = {
    "ink": (0.0, 0.0, 0.0),
    "nitrogen": (0.0, 0.0, 1.0),
    "oxygen": (1.0, 0.0, 0.0),
    "sulfur": (1.0, 1.0, 0.0),
    "halogen": (0.0, 1.0, 0.0),
    "phosphorus": (1.0, 0.0, 1.0),
}
_ELEMENTS = {-1: "ink", 7: "nitrogen", 8: "oxygen", 16: "sulfur", 15: "phosphorus"} | dict.fromkeys(
    (9, 17, 35, 53), "halogen"
)
_PATH = re.compile(r"<path[^>]*? d='([^']*)'[^>]*?>")
_STROKE = re.compile(r"stroke:#([0-9A-F]{6})")
_FILL = re.compile(r"fill[:=]'?#([0-9A-F]{6})")


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: SVG coordinate and label."""

    position: float
    label: str


@dataclass(frozen=True)
class Line:
    """One curve: its label, SVG path data, and the end point with its value."""

    label: str
    path: str
    end: tuple[float, float]
    last: str


@dataclass(frozen=True)
class LineChart:
    """Curves over one x axis, in SVG units; ``box`` is left, top, right, bottom of the frame."""

    width: float
    height: float
    box: tuple[float, float, float, float]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]


@dataclass(frozen=True)
class MapPoint:
    """A molecule on the map: row in the input, SVG coordinates, colour step (None = no value)."""

    row: int
    x: float
    y: float
    step: int | None


@dataclass(frozen=True)
class PointMap:
    """The two main axes of an embedding; ``explained`` are their shares of the variance."""

    width: float
    height: float
    points: list[MapPoint]
    explained: tuple[float, float]
    color_range: tuple[float, float] | None
    num_rows: int
    num_left_out: int


@dataclass(frozen=True)
class Stroke:
    """Path data of a drawing in one colour group, either outlined or filled."""

    color: str
    filled: bool
    path: str


def format_number(value: float, *, strip: bool = True) -> str:
    """Three significant digits, thousands separated, an exponent only where it is shorter.

    ``strip`` drops zeros at the end (0.2 on an axis; 0.200 in a column of numbers).
    """
    if not math.isfinite(value):
        return "\N{EN DASH}"
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-3 or size >= 1e7:
        return f"{value:.2g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    decimals = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if strip and "." in text else text).replace("-", MINUS)


def line_chart(
    x: np.ndarray,
    series: Mapping[str, np.ndarray],
    *,
    from_zero: bool,
    width: float = 320,
    height: float = 190,
) -> LineChart | None:
    """Lay out curves ``series[label]`` ``[n]`` over ``x`` ``[n]``; None if nothing is finite.

    Curves of more than 300 points are averaged in equal bins. ``from_zero`` makes the y axis
    start at 0 (quantities whose fall to zero is the news).
    """
    x = np.asarray(x, dtype=np.float64)
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    x_low, x_high = math.inf, -math.inf
    for label, values in series.items():
        y = np.asarray(values, dtype=np.float64)
        finite = np.isfinite(x) & np.isfinite(y)
        if finite.any():
            curves[label] = _thin(x[finite], y[finite])
            x_low, x_high = min(x_low, x[finite].min()), max(x_high, x[finite].max())
    if not curves:
        return None
    ys = np.concatenate([cy for _, cy in curves.values()])
    y_ticks = nice_ticks(min(0.0, ys.min()) if from_zero else ys.min(), ys.max(), 4)
    if 0 <= x_low <= 0.05 * x_high:  # a log that starts at step 10 of 10,000 starts at 0
        x_low = 0.0
    x_low, x_high = _widen(x_low, x_high)
    y_low, y_high = min(ys.min(), y_ticks[0]), max(ys.max(), y_ticks[-1])
    left, top, right, bottom = 44.0, 10.0, width - 14.0, height - 26.0

    def to_x(v: float) -> float:
        return round(left + (v - x_low) / (x_high - x_low) * (right - left), 1)

    def to_y(v: float) -> float:
        return round(bottom - (v - y_low) / (y_high - y_low) * (bottom - top), 1)

    lines = []
    for label, (cx, cy) in curves.items():
        points = [(to_x(a), to_y(b)) for a, b in zip(cx, cy, strict=True)]
        path = "M" + "L".join(f"{a:g},{b:g}" for a, b in points)
        lines.append(Line(label, path, points[-1], format_number(float(cy[-1]))))
    return LineChart(
        width=width,
        height=height,
        box=(left, top, right, bottom),
        x_ticks=[
            Tick(to_x(v), format_number(v))
            for v in nice_ticks(x_low, x_high, 4)
            if x_low <= v <= x_high and v == round(v)  # there is no half step
        ],
        y_ticks=[Tick(to_y(v), format_number(v)) for v in y_ticks],
        lines=lines,
    )


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers (steps of 1, 2 or 5 times a power of ten) around the range."""
    low, high = _widen(low, high)
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [k * step for k in range(first, last + 1)]


def point_map(
    embedding: np.ndarray,
    color: np.ndarray | None = None,
    *,
    max_points: int = 500,
    width: float = 640,
    height: float = 460,
) -> PointMap | None:
    """Project ``[n, dim]`` on its first two principal components; None without a finite row.

    The axes are computed from all finite rows; at most ``max_points`` evenly spaced rows are
    placed. Both axes share one scale, so distances on the map can be compared. Points beyond the
    0.5 % tails are moved to the border, or a few outliers would squeeze all others. ``color``
    ``[n]`` is binned in 9 steps between its 2 % and 98 % quantiles.
    """
    x = np.asarray(embedding, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] == 0:
        return None
    rows = np.flatnonzero(np.isfinite(x).all(axis=1))
    if not len(rows):
        return None
    scores, explained = _pca(x[rows])
    low, high = np.quantile(scores, [0.005, 0.995], axis=0)
    center, span = (low + high) / 2, np.maximum(high - low, 1e-12)
    margin = 14.0
    room = np.array([width, height]) - 2 * margin
    scale = float((room / span).min()) if (high > low).any() else 0.0
    picked = np.unique(
        np.linspace(0, len(rows) - 1, min(max_points, len(rows))).round().astype(int)
    )
    placed = np.clip((scores[picked] - center) * scale, -room / 2, room / 2)
    placed = placed * [1, -1] + [width / 2, height / 2]  # SVG y runs down

    values = np.full(len(x), np.nan) if color is None else np.asarray(color, dtype=np.float64)
    shown = values[rows][np.isfinite(values[rows])]
    color_range = None
    if len(shown):
        color_range = (float(np.quantile(shown, 0.02)), float(np.quantile(shown, 0.98)))
    return PointMap(
        width=width,
        height=height,
        points=[
            MapPoint(int(row), round(px, 1), round(py, 1), _step(values[row], color_range))
            for row, (px, py) in zip(rows[picked], placed.tolist(), strict=True)
        ],
        explained=explained,
        color_range=color_range,
        num_rows=len(rows),
        num_left_out=len(x) - len(rows),
    )


def draw_molecule(smiles: str) -> list[Stroke] | None:
    """Draw a molecule as path data in a 220 x 160 box; None if unreadable or above 80 atoms.

    RDKit writes one element per bond and glyph (10 kB for a drug); joined by colour it is 1-2 kB.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem.Draw import rdMolDraw2D

    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None or not 0 < mol.GetNumAtoms() <= MAX_DRAWN_ATOMS:
            return None
        drawer = rdMolDraw2D.MolDraw2DSVG(*DRAWING_SIZE)
        options: Any = drawer.drawOptions()  # the stubs mistype its plain attributes
        options.clearBackground = False
        options.padding = 0.04
        options.fixedBondLength = 26  # keeps ethanol from filling the whole box
        options.setAtomPalette({z: _PALETTE[name] for z, name in _ELEMENTS.items()})
        try:
            rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol)
        except (ValueError, RuntimeError):  # no kekulé form or layout
            return None
        drawer.FinishDrawing()
    return _strokes(drawer.GetDrawingText())


def _strokes(svg: str) -> list[Stroke]:
    names = {"".join(f"{round(255 * c):02X}" for c in rgb): name for name, rgb in _PALETTE.items()}
    joined: dict[tuple[str, bool], list[str]] = {}
    for match in _PATH.finditer(svg):
        fill, stroke = _FILL.search(match.group(0)), _STROKE.search(match.group(0))
        found = fill or stroke
        color = names.get(found.group(1), "ink") if found else "ink"
        path = re.sub(r"\s*([A-Za-z])\s*", r"\1", match.group(1))
        joined.setdefault((color, fill is not None), []).append(" ".join(path.split()))
    return [Stroke(color, filled, "".join(paths)) for (color, filled), paths in joined.items()]


def _pca(x: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Scores ``[n, 2]`` on the first two components and their shares of the variance."""
    centered = x - x.mean(axis=0)
    variance, axes = np.linalg.eigh(centered.T @ centered)  # ascending
    axes, top = axes[:, ::-1][:, :2], variance[::-1][:2]
    # The sign of a component is arbitrary; fix it so that the same model gives the same picture.
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    scores = np.zeros((len(x), 2))
    scores[:, : axes.shape[1]] = centered @ (axes * signs)
    total = float(np.square(centered).sum())
    shares = [max(0.0, float(v)) / total if total > 0 else 0.0 for v in top] + [0.0]
    return scores, (shares[0], shares[1])


def _step(value: float, color_range: tuple[float, float] | None) -> int | None:
    if color_range is None or not math.isfinite(value):
        return None
    low, high = color_range
    if high <= low:
        return COLOR_STEPS // 2
    return min(COLOR_STEPS - 1, max(0, int((value - low) / (high - low) * COLOR_STEPS)))


def _thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(x) <= MAX_CURVE_POINTS:
        return x, y
    bins = np.array_split(np.arange(len(x)), MAX_CURVE_POINTS)
    return np.array([x[b].mean() for b in bins]), np.array([y[b].mean() for b in bins])


def _widen(low: float, high: float) -> tuple[float, float]:
    """A range of some width, also around a single value."""
    if high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        return float(low), float(high)
    pad = max(abs(low) * 0.05, 1e-3)
    return float(low) - pad, float(high) + pad
