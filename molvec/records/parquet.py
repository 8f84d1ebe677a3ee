"""Records from Parquet tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molvec.errors import UserError
from molvec.records.columns import LabelColumns, choose_column, choose_labels
from molvec.records.record import Record

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_BATCH_ROWS = 65_536


def read_parquet(
    path: Path, smiles_column: str | None = None, labels: LabelColumns | None = None
) -> Iterator[Record]:
    """Yield one record per row, reading only the columns needed; a null is a missing value.

    Label columns may hold numbers, text, or booleans, which become ``"1"`` and ``"0"``.
    """
    import pyarrow as pa

    index = 0
    try:
        with _open_parquet(path) as file:
            columns = file.schema_arrow.names
            position = choose_column(path, columns, smiles_column)
            _require_text(path, file, position)
            wanted: list[str] = []
            if labels is not None:
                wanted = [columns[i] for i in choose_labels(path, columns, labels, position)]
                _require_unique(path, wanted, columns)
            needed = [columns[position], *wanted]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=needed):
                # By name: the batch has the file's order, not the one asked for.
                texts, *cells = (batch.column(name).to_pylist() for name in needed)
                for row, text in enumerate(texts):
                    found = None
                    if labels is not None:
                        found = tuple([_cell(column[row]) for column in cells])
                    yield Record(index, smiles=text or None, labels=found)
                    index += 1
    except UnicodeDecodeError:
        raise UserError(f"{path}: text that is not UTF-8 after row {index:,}") from None
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error, index) from None
    if index == 0:
        raise UserError(f"{path} has a header but no rows")


def parquet_header(path: Path) -> list[str]:
    """Return the column names of a Parquet table."""
    import pyarrow as pa

    try:
        with _open_parquet(path) as file:
            return list(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error, 0) from None


def _open_parquet(path: Path) -> ParquetFile:
    import pyarrow.parquet as pq

    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty")
    return pq.ParquetFile(path)


def _unreadable(path: Path, error: Exception, rows: int) -> UserError:
    reason = str(error).splitlines()[0]
    return UserError(f"{path} is truncated or not a Parquet file ({reason}), after {rows:,} rows")


def _require_text(path: Path, file: ParquetFile, position: int) -> None:
    import pyarrow as pa

    field = file.schema_arrow.field(position)
    value = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if not (_is_text(value) or pa.types.is_null(value)):
        raise UserError(f"{path}: column {field.name!r} holds {field.type}, not text")


def _require_unique(path: Path, wanted: Sequence[str], columns: Sequence[str]) -> None:
    """Positions do not help here: pyarrow reads columns by name."""
    for name in wanted:
        if columns.count(name) > 1:
            raise UserError(f"{path}: label column {name!r} is duplicated: rename the others")


def _cell(value: Any) -> str | None:
    """Return the text of a label: what a CSV file of the same table would hold."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _is_text(kind: object) -> bool:
    import pyarrow as pa

    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
