"""The main tables of a suite for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from molvec.evaluate.score_table import (
    BASELINE,
    DASH,
    LEGEND,
    PRIMARY,
    ScoreCell,
    ScoreTable,
    tables,
)

if TYPE_CHECKING:
    from rich.table import Table

_PADDING = 2  # between columns
_MIN_WIDTH = 64  # of a table


def results_tables(results: pd.DataFrame, *, width: int = 120) -> list[Table]:
    """Build the tables of a suite: ROC-AUC x 100 for classification, RMSE for regression.

    Rows are representation and head, columns are data sets; the best of a column is bold. A table
    that is wider than ``width`` is continued in further ones with the same rows. The last table
    of each task ends with a legend.

    Args:
        results: as for ``write_benchmark_report``.
        width: of the terminal, in characters.

    Returns:
        Tables to print one after another; none if there are no results.

    Raises:
        ValueError: two rows for one cell (two splits, for example).
    """
    built: list[Table] = []
    for table in tables(results, PRIMARY):
        built += _split(table, width)
    return built


def _split(table: ScoreTable, width: int) -> list[Table]:
    headers = [*table.datasets, *(average.title for average in table.averages)]
    columns = [[r.cells[j] for r in table.rows] for j in range(len(table.datasets))]
    columns += [[r.averages[j] for r in table.rows] for j in range(len(table.averages))]
    names = [row.name for row in table.rows]
    first = max(len(name) for name in names) + _PADDING
    groups: list[list[int]] = []
    used = width + 1  # so that the first column opens a group
    for j, (header, cells) in enumerate(zip(headers, columns, strict=True)):
        # A title of several words may be broken between them.
        longest = max([*(len(w) for w in header.split()), *(len(t) for t in _texts(cells))])
        if used + longest + _PADDING > width:
            groups.append([])
            used = first
        groups[-1].append(j)
        used += longest + _PADDING
    built = []
    for k, group in enumerate(groups):
        title = f"{table.task}, {table.title}" + (", continued" if k else "")
        caption = caption_of(table) if k == len(groups) - 1 else ""
        picked = [(headers[j], columns[j]) for j in group]
        built.append(_build(title, names, table, picked, caption, min(width, _MIN_WIDTH)))
    return built


def _build(
    title: str,
    names: Sequence[str],
    table: ScoreTable,
    columns: Sequence[tuple[str, Sequence[ScoreCell | None]]],
    caption: str,
    min_width: int,
) -> Table:
    from rich.table import Table
    from rich.text import Text

    built = Table(
        title=Text(title), caption=Text(caption) if caption else None, box=None,
        header_style="bold", title_justify="left", caption_justify="left", padding=(0, 1),
    )  # fmt: skip
    texts = [_texts(cells) for _, cells in columns]
    # Title and legend are broken to the width of the table: keep a narrow one readable.
    longest = [max(map(len, [*h.split(), *t])) for (h, _), t in zip(columns, texts, strict=True)]
    numbers = sum(longest) + _PADDING * (len(longest) + 1)
    built.add_column("", min_width=max(min_width - numbers, 1))
    for (header, _), shown in zip(columns, texts, strict=True):
        # Padded here, since rich drops blanks at the end of what it aligns to the right.
        built.add_column(Text(header, justify="right"), min_width=max(map(len, shown)))
    for i, (name, row) in enumerate(zip(names, table.rows, strict=True)):
        following = table.rows[i + 1 : i + 2]
        styles = ["bold" if (cell := cells[i]) and cell.best else "" for _, cells in columns]
        built.add_row(
            Text(name),
            *(Text(shown[i], style) for shown, style in zip(texts, styles, strict=True)),
            end_section=bool(following) and following[0].protocol != row.protocol,
        )
    return built


def caption_of(table: ScoreTable) -> str:
    """What the marks, the spread and the averages of a table mean."""
    marks = {cell.mark for row in table.rows for cell in row.cells if cell} - {""}
    compared = any(cell and cell.interval for row in table.rows for cell in row.cells)
    lines = []
    if len(table.rows) > 1:
        lines.append("Bold: the best of a column.")
    if any(cell and cell.spread for row in table.rows for cell in row.cells):
        lines.append("\N{PLUS-MINUS SIGN} is the standard deviation over seeds.")
    if marks:
        lines.append(LEGEND)
    elif compared:
        lines.append(f"No difference to {BASELINE[0]} with a {BASELINE[1]} is decided at 95 %.")
    lines += [f"{a.title}: {', '.join(a.datasets)}." for a in table.averages]
    return " ".join(lines)


def _texts(cells: Sequence[ScoreCell | None]) -> list[str]:
    """A column as text; spread and mark keep their place, so that numbers stay aligned."""
    spread = max((len(cell.spread) for cell in cells if cell), default=0)
    mark = int(any(cell and cell.mark for cell in cells))
    texts = [
        f"{cell.text}{cell.spread:<{spread}}{cell.mark:<{mark}}"
        if cell
        else DASH + " " * (spread + mark)
        for cell in cells
    ]
    return [text.rjust(max(map(len, texts))) for text in texts]
