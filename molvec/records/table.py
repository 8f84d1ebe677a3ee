"""Records from comma- and tab-separated tables.

The standard library's reader rather than pandas': every cell stays text (the SMILES ``N`` and the
word ``NA`` too), rows stream, and an error can name its line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from molvec.errors import UserError
from molvec.records.columns import choose_column
from molvec.records.lines import text_lines
from molvec.records.record import Record


def read_csv(path: Path, smiles_column: str | None = None) -> Iterator[Record]:
    """Yield one record per row of a table with commas, or semicolons if the header has only those.

    Blank lines are no rows, as in pandas and Excel; an empty cell is a missing value. A row longer
    than the header has an error, because its cells cannot be told apart; a shorter one is filled.
    """
    return _read_table(path, smiles_column, delimiters=",;")


def read_tsv(path: Path, smiles_column: str | None = None) -> Iterator[Record]:
    """Yield one record per row of a table with tabs; otherwise as `read_csv`."""
    return _read_table(path, smiles_column, delimiters="\t")


def _read_table(path: Path, smiles_column: str | None, delimiters: str) -> Iterator[Record]:
    lines = text_lines(path)
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise UserError(f"{path} is empty")
    delimiter = next((mark for mark in delimiters if mark in header), delimiters[0])
    # `strict`: an unbalanced quote is an error, not a silent merge of rows.
    rows = csv.reader(_again(header, lines), delimiter=delimiter, strict=True)
    try:
        columns = next(rows)
        position = choose_column(path, columns, smiles_column)
        index = 0
        for row in rows:
            if not row:  # a blank line
                continue
            yield _record(index, row, position, len(columns))
            index += 1
    except csv.Error as error:
        raise UserError(f"{path}, line {rows.line_num}: {error}; check the quotes") from None
    if index == 0:
        raise UserError(f"{path} has a header but no rows")


def _record(index: int, row: list[str], position: int, width: int) -> Record:
    if len(row) > width and any(row[width:]):
        return Record(index, error=f"{len(row)} cells, but the header has {width}")
    cell = row[position] if position < len(row) else ""
    return Record(index, smiles=cell or None)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
