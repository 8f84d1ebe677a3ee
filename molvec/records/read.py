"""Reading records from a file: the suffix chooses the reader, whole-file troubles get a message."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from molvec.errors import UserError, did_you_mean
from molvec.records.columns import LabelColumns
from molvec.records.lines import read_smiles_lines
from molvec.records.parquet import parquet_header, read_parquet
from molvec.records.record import Record
from molvec.records.sdf import read_sdf
from molvec.records.structure import FORMATS
from molvec.records.table import csv_header, read_csv, read_tsv, tsv_header

Reader = Callable[[Path, str | None, LabelColumns | None], Iterator[Record]]
Item = TypeVar("Item")

READERS: dict[str, Reader] = {
    ".smi": read_smiles_lines,
    ".smiles": read_smiles_lines,
    ".txt": read_smiles_lines,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
    ".sdf": read_sdf,
}
HEADERS: dict[str, Callable[[Path], list[str]]] = {
    ".csv": csv_header,
    ".tsv": tsv_header,
    ".parquet": parquet_header,
}
_NEVER_GZIPPED = {".parquet"}


def read_records(
    path: str | os.PathLike[str],
    *,
    smiles_column: str | None = None,
    labels: LabelColumns | None = None,
) -> Iterator[Record]:
    """Yield the records of a file in order, in flat memory.

    Text forms (all but Parquet) may be gzipped, as ``.gz`` after the suffix, and are UTF-8.

    Args:
        path: a ``.smi``, ``.smiles``, ``.txt``, ``.csv``, ``.tsv``, ``.parquet`` or ``.sdf`` file.
        smiles_column: the column that holds the SMILES, for tables; ``None`` looks for a usual
            name (``smiles``, ``canonical_smiles``, ``can_smiles``, ``structure``), then takes the
            only column.
        labels: label columns of a table, whose cells each record then carries: their names, or
            a range of positions in the header, for files whose names repeat; ``None`` for none.

    Raises:
        UserError: at the call if the path is not such a file; while iterating if the content is
            empty, truncated or broken, or a column is not there.
    """
    path = Path(path)
    reader = READERS[file_format(path)]
    _require_file(path)
    return _explained(path, reader(path, smiles_column, labels))


def column_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the column names of a table, in order, as its header has them.

    Raises:
        UserError: if the path is not a ``.csv``, ``.tsv`` or ``.parquet`` file, or a broken one.
    """
    path = Path(path)
    suffix = file_format(path)
    if suffix not in HEADERS:
        raise UserError(f"{path} has no columns: use a {', '.join(HEADERS)} file")
    _require_file(path)
    return next(_explained(path, (HEADERS[suffix](path) for _ in range(1))))


_STRUCTURES = (
    " (for the structures of proteins: --model pdb-3d; for molecules in space: --model qm9-3d)"
)


def file_format(path: Path) -> str:
    """Return the suffix that chooses the reader: ``".csv"`` for ``mols.CSV.gz``.

    Raises:
        UserError: if there is no reader for it.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    if zipped:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in READERS or (zipped and suffix in _NEVER_GZIPPED):
        if path.is_dir():
            raise UserError(f"{path} is a folder; give one file{_STRUCTURES}")
        known = ", ".join(READERS)
        if suffix in FORMATS:
            raise UserError(f"{path} is a structure; molecules are read from {known}{_STRUCTURES}")
        raise UserError(f"cannot read {path}: the file name must end in one of {known} (or .gz)")
    return suffix


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{path} is a folder; give one file{_STRUCTURES}")
    if not path.exists():
        raise UserError(f"there is no file {path}.{_nearest_sibling(path)}")


def _explained(path: Path, records: Iterator[Item]) -> Iterator[Item]:
    """Pass records on; say what is wrong with the file when reading breaks off."""
    rows = 0
    try:
        for record in records:
            yield record
            rows += 1
    except EOFError:
        raise UserError(
            f"{path} is truncated: the compressed data ends early, after {rows:,} rows"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is not a sound gzip file: {error} (after {rows:,} rows)") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    if rows == 0:
        raise UserError(f"{path} is empty")


def _nearest_sibling(path: Path) -> str:
    if not path.parent.is_dir():
        return f" There is no folder {path.parent} either."
    return did_you_mean(path.name, (entry.name for entry in path.parent.iterdir()))
