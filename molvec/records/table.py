"""Records from comma- and tab-separated tables.

The standard library's reader rather than pandas': every cell stays text (the SMILES ``N`` and the
word ``NA`` too), rows stream, and an error can name its line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from molvec.errors import UserError
from molvec.records.columns import LabelColumns, choose_column, choose_labels
from molvec.records.lines import text_lines
from molvec.records.record import Record

if TYPE_CHECKING:
    from _csv import Reader as Rows

Labels = tuple[str | None, ...]


def read_csv(
    path: Path, smiles_column: str | None = None, labels: LabelColumns | None = None
) -> Iterator[Record]:
    """Yield one record per row of a table with commas, or semicolons if the header has only those.

    Blank lines are no rows, as in pandas and Excel; an empty cell is a missing value. A row longer
    than the header has an error, because its cells cannot be told apart; a shorter one is filled.
    """
    return _read_table(path, smiles_column, labels, delimiters=",;")


def read_tsv(
    path: Path, smiles_column: str | None = None, labels: LabelColumns | None = None
) -> Iterator[Record]:
    """Yield one record per row of a table with tabs; otherwise as `read_csv`."""
    return _read_table(path, smiles_column, labels, delimiters="\t")


def csv_header(path: Path) -> list[str]:
    """Return the column names of a table as `read_csv` reads it."""
    return _header(path, _open_table(path, ",;"))


def tsv_header(path: Path) -> list[str]:
    """Return the column names of a table as `read_tsv` reads it."""
    return _header(path, _open_table(path, "\t"))


def _read_table(
    path: Path, smiles_column: str | None, labels: LabelColumns | None, delimiters: str
) -> Iterator[Record]:
    rows = _open_table(path, delimiters)
    columns = _header(path, rows)
    position = choose_column(path, columns, smiles_column)
    cells = None
    if labels is not None:
        cells = _picker(choose_labels(path, columns, labels, position))
    index = 0
    try:
        for row in rows:
            if not row:  # a blank line
                continue
            yield _record(index, row, position, len(columns), cells)
            index += 1
    except csv.Error as error:
        raise _broken(path, rows, error) from None
    if index == 0:
        raise UserError(f"{path} has a header but no rows")


def _open_table(path: Path, delimiters: str) -> Rows:
    """Return a reader whose first row is the header."""
    lines = text_lines(path)
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise UserError(f"{path} is empty")
    delimiter = next((mark for mark in delimiters if mark in header), delimiters[0])
    # `strict`: an unbalanced quote is an error, not a silent merge of rows.
    return csv.reader(_again(header, lines), delimiter=delimiter, strict=True)


def _header(path: Path, rows: Rows) -> list[str]:
    try:
        return next(rows)
    except csv.Error as error:
        raise _broken(path, rows, error) from None


def _broken(path: Path, rows: Rows, error: csv.Error) -> UserError:
    return UserError(f"{path}, line {rows.line_num}: {error}; check the quotes")


def _picker(positions: Sequence[int]) -> Callable[[list[str]], Labels]:
    """Return a function that takes the label cells out of a row as wide as the header."""
    if len(positions) == 1:
        only = positions[0]
        return lambda row: (row[only] or None,)
    pick = itemgetter(*positions)
    return lambda row: tuple([cell or None for cell in pick(row)])


def _record(
    index: int,
    row: list[str],
    position: int,
    width: int,
    cells: Callable[[list[str]], Labels] | None,
) -> Record:
    if len(row) > width and any(row[width:]):
        return Record(index, error=f"{len(row)} cells, but the header has {width}")
    if len(row) < width:
        row = row + [""] * (width - len(row))
    labels = cells(row) if cells else None
    return Record(index, smiles=row[position] or None, labels=labels)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
