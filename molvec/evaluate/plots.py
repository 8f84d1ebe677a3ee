"""From numbers to coordinates: curves and a map of embeddings, for inline SVG.

Nothing here writes markup or picks a colour. The template turns these plain values into SVG and
colours them through CSS, so one file serves light and dark mode, and everything is escaped there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MAX_CURVE_POINTS = 300  # more cannot be told apart at the width of a chart
COLOR_STEPS = 9
MAP_MARGIN = 14.0  # room for the outermost points
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: SVG coordinate and label."""

    position: float
    label: str


@dataclass(frozen=True)
class Line:
    """One curve: its label, SVG path data, and the end point with its value.

    ``band`` is the closed outline of the area around it, empty without one; ``points`` are the
    places of its values, to be marked where a chart has few of them.
    """

    label: str
    path: str
    end: tuple[float, float]
    last: str
    band: str = ""
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class LineChart:
    """Curves over one x axis, in SVG units; ``box`` is left, top, right, bottom of the frame.

    ``reference`` is the y coordinate of a level to compare with, None without one.
    """

    width: float
    height: float
    box: tuple[float, float, float, float]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    reference: float | None = None


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
class Frame:
    """The box of a chart and the ranges of values that it spans, from ``low`` to ``high``."""

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in SVG units; the margins hold the labels of the ticks."""
        return 44.0, 10.0, self.width - 14.0, self.height - 26.0

    def to_x(self, value: float) -> float:
        """Return the SVG x coordinate of a value."""
        left, _, right, _ = self.box
        low, high = self.x
        return round(left + (value - low) / (high - low) * (right - left), 1)

    def to_y(self, value: float) -> float:
        """Return the SVG y coordinate of a value; SVG y runs down."""
        _, top, _, bottom = self.box
        low, high = self.y
        return round(bottom - (value - low) / (high - low) * (bottom - top), 1)

    def place(self, x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
        """Return the SVG coordinates of points ``x`` ``[n]``, ``y`` ``[n]``."""
        return [(self.to_x(a), self.to_y(b)) for a, b in zip(x, y, strict=True)]


def outline(points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    """Return path data of straight lines through SVG points."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points) + ("Z" if closed else "")


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
    frame = Frame(
        width,
        height,
        x=(x_low, x_high),
        y=(min(ys.min(), y_ticks[0]), max(ys.max(), y_ticks[-1])),
    )
    lines = []
    for label, (cx, cy) in curves.items():
        points = frame.place(cx, cy)
        lines.append(Line(label, outline(points), points[-1], format_number(float(cy[-1]))))
    return LineChart(
        width=width,
        height=height,
        box=frame.box,
        x_ticks=[
            Tick(frame.to_x(v), format_number(v))
            for v in nice_ticks(x_low, x_high, 4)
            if x_low <= v <= x_high and v == round(v)  # there is no half step
        ],
        y_ticks=[Tick(frame.to_y(v), format_number(v)) for v in y_ticks],
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
    placed (see ``place_on_map``). ``color`` ``[n]`` is binned in 9 steps between its 2 % and 98 %
    quantiles.
    """
    x = np.asarray(embedding, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] == 0:
        return None
    rows = np.flatnonzero(np.isfinite(x).all(axis=1))
    if not len(rows):
        return None
    scores, explained = _pca(x[rows])
    placed = place_on_map(scores, width=width, height=height)
    picked = np.unique(
        np.linspace(0, len(rows) - 1, min(max_points, len(rows))).round().astype(int)
    )

    values = np.full(len(x), np.nan) if color is None else np.asarray(color, dtype=np.float64)
    steps, color_range = color_steps(values[rows])
    return PointMap(
        width=width,
        height=height,
        points=[
            MapPoint(int(rows[k]), round(px, 1), round(py, 1), steps[k])
            for k, (px, py) in zip(picked, placed[picked].tolist(), strict=True)
        ],
        explained=explained,
        color_range=color_range,
        num_rows=len(rows),
        num_left_out=len(x) - len(rows),
    )


def place_on_map(scores: np.ndarray, *, width: float, height: float) -> np.ndarray:
    """SVG coordinates ``[n, 2]`` of points ``[n, 2]`` in a box of ``width`` by ``height``.

    Both axes share one scale, so distances on the map can be compared. Points beyond the 0.5 %
    tails are moved to the border, or a few outliers would squeeze all others.
    """
    low, high = np.quantile(scores, [0.005, 0.995], axis=0)
    center, span = (low + high) / 2, np.maximum(high - low, 1e-12)
    room = np.array([width, height]) - 2 * MAP_MARGIN
    scale = float((room / span).min()) if (high > low).any() else 0.0
    placed = np.clip((scores - center) * scale, -room / 2, room / 2)
    moved: np.ndarray = placed * [1, -1] + [width / 2, height / 2]  # SVG y runs down
    return moved


def color_steps(values: np.ndarray) -> tuple[list[int | None], tuple[float, float] | None]:
    """Colour step (0 to 8) of values ``[n]`` between their 2 % and 98 % quantiles, and those two.

    The step of a value that is missing is None, and so is the range of none at all.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return [None] * len(values), None
    limits = (float(np.quantile(known, 0.02)), float(np.quantile(known, 0.98)))
    return [_step(float(v), limits) for v in values], limits


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


def _step(value: float, color_range: tuple[float, float]) -> int | None:
    if not math.isfinite(value):
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
