"""Records from Parquet tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from molvec.errors import UserError
from molvec.records.columns import choose_column
from molvec.records.record import Record

_BATCH_ROWS = 65_536


def read_parquet(path: Path, smiles_column: str | None = None) -> Iterator[Record]:
    """Yield one record per row, reading only the SMILES column; a null is a missing value."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty")
    index = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            name = columns[choose_column(path, columns, smiles_column)]
            kind = file.schema_arrow.field(name).type
            value = kind.value_type if pa.types.is_dictionary(kind) else kind
            if not (_is_text(value) or pa.types.is_null(value)):
                raise UserError(f"{path}: column {name!r} holds {kind}, not text")
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[name]):
                for text in batch.column(0).to_pylist():
                    yield Record(index, smiles=text or None)
                    index += 1
    except UnicodeDecodeError:
        raise UserError(f"{path}: text that is not UTF-8 after row {index:,}") from None
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path} is truncated or not a Parquet file ({reason}), after {index:,} rows"
        ) from None
    if index == 0:
        raise UserError(f"{path} has a header but no rows")


def _is_text(kind: object) -> bool:
    import pyarrow as pa

    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
