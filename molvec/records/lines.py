"""Lines of text files, plain or gzipped, and SMILES files (one molecule per line)."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from molvec.errors import UserError
from molvec.records.columns import LabelColumns
from molvec.records.record import Record

UNREADABLE = (OSError, EOFError, zlib.error)
"""What reading a file, plain or gzipped, raises if it cannot be had or is damaged."""


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading bytes, through gzip if its name ends in ``.gz``."""
    if path.suffix.lower() != ".gz":
        return path.open("rb")
    # GzipFile iterates over lines in Python; a buffer around it does so in C, four times as fast.
    return io.BufferedReader(cast(io.RawIOBase, gzip.open(path, "rb")), 1 << 18)


def text_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file with their line ends, without a byte-order mark.

    Raises:
        UserError: naming the first line that is not UTF-8.
    """
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path}, line {number}: not UTF-8 text ({error.reason}, byte "
                    f"0x{line[error.start]:02x}); save the file as UTF-8"
                ) from None
            yield text.removeprefix("\ufeff") if number == 1 else text


def read_smiles_lines(
    path: Path, smiles_column: str | None = None, labels: LabelColumns | None = None
) -> Iterator[Record]:
    """Yield one record per line: a SMILES, perhaps followed by a name. A blank line is a row."""
    if smiles_column is not None:
        raise UserError(f"{path} has no columns: drop --smiles-column, or use a .csv or .tsv file")
    if labels is not None:
        raise UserError(f"{path} has no columns, so no labels: use a .csv, .tsv or .parquet file")
    for index, line in enumerate(text_lines(path)):
        text = line.strip()
        if "\r" in text:
            # Old line ends would make many molecules look like one molecule and its name.
            raise UserError(f"{path}, line {index + 1}: bare carriage return; use \\n line ends")
        yield Record(index, smiles=text or None)
