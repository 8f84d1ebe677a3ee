"""A file into a file: one output row per input row, in flat memory, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from molvec.atomic import atomic_write
from molvec.embed.embedder import CHUNK, Embedded, Embedder, Level
from molvec.errors import UserError
from molvec.records import SkipCount, read_records

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class WrittenFile:
    """What was written: rows, and which of them failed and why."""

    path: Path
    rows: int
    skipped: SkipCount


def embed_file(
    embedder: Embedder,
    source: Path,
    output: Path,
    *,
    smiles_column: str | None = None,
    level: Level = "graph",
    max_atoms: int | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> WrittenFile:
    """Embed every row of ``source``.

    Parquet has the columns ``row``, ``smiles``, ``error`` and ``embedding`` (a list of ``dim``
    floats, null in a failed row; at level "node" a list of such lists). CSV has ``e0``, ``e1``,
    ... instead and knows level "graph" only. The output appears under its name when complete.

    Raises:
        UserError: for an input that cannot be read or an output that cannot be written.
    """
    if output.suffix == ".csv" and level == "node":
        raise UserError("one row per molecule cannot hold its atoms in CSV: write .parquet instead")
    as_list = output.suffix == ".parquet"
    return write_rows(
        embedder,
        source,
        output,
        smiles_column=smiles_column,
        level=level,
        max_atoms=max_atoms,
        schema=_schema(embedder, level) if as_list else _flat_schema(embedder),
        table=_table if as_list else flat_table,
        progress=progress,
    )


def write_rows(
    embedder: Embedder,
    source: Path,
    output: Path,
    *,
    smiles_column: str | None,
    level: Level,
    max_atoms: int | None,
    schema: pa.Schema,
    table: Callable[[list[Embedded], pa.Schema], pa.Table],
    progress: Callable[[int], None],
) -> WrittenFile:
    """Stream the rows of ``source`` at some level through ``table`` into ``output``.

    Raises:
        UserError: for an input that cannot be read or an output that cannot be written.
    """
    if output.suffix not in SUFFIXES:
        raise UserError(f"cannot write {output.name}: the output must end in .parquet or .csv")
    if output.is_dir():
        raise UserError(f"{output} is a folder; give a file name, e.g. {output / 'out.parquet'}")
    if output.exists() and source.exists() and output.samefile(source):
        raise UserError(f"{output} is the input itself; choose another name for the output")
    if not output.parent.is_dir():
        raise UserError(f"cannot write {output}: there is no folder {output.parent}")
    skipped = SkipCount()
    records = read_records(source, smiles_column=smiles_column)
    rows = embedder.stream(records, level=level, max_atoms=max_atoms, skipped=skipped)
    count = 0

    def write(temporary: Path) -> None:
        nonlocal count
        with _writer(temporary, schema, output.suffix == ".parquet") as writer:
            for chunk in _chunks(rows):
                writer.write_table(table(chunk, schema))
                count += len(chunk)
                progress(count)

    atomic_write(output, write)
    return WrittenFile(output, count, skipped)


def _chunks(rows: Iterator[Embedded]) -> Iterator[list[Embedded]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _writer(path: Path, schema: pa.Schema, parquet: bool) -> Any:
    if parquet:
        return pyarrow.parquet.ParquetWriter(path, schema)
    return pyarrow.csv.CSVWriter(str(path), schema)


def common_fields() -> list[pa.Field]:
    """Return the columns that every output has: where a row comes from, and why it failed."""
    return [
        pa.field("row", pa.int64()),
        pa.field("smiles", pa.string()),
        pa.field("error", pa.string()),
    ]


def _schema(embedder: Embedder, level: Level) -> pa.Schema:
    dim = embedder.dim if level == "graph" else embedder.node_dim
    vector = (
        pa.list_(pa.float32(), dim) if level == "graph" else pa.list_(pa.list_(pa.float32(), dim))
    )
    return pa.schema([*common_fields(), pa.field("embedding", vector)])


def _flat_schema(embedder: Embedder) -> pa.Schema:
    return pa.schema(
        [*common_fields(), *(pa.field(f"e{i}", pa.float32()) for i in range(embedder.dim))]
    )


def _common_columns(chunk: list[Embedded]) -> list[pa.Array]:
    return [
        pa.array([row.record.index for row in chunk], pa.int64()),
        pa.array([row.record.smiles for row in chunk], pa.string()),
        pa.array([row.error for row in chunk], pa.string()),
    ]


def _table(chunk: list[Embedded], schema: pa.Schema) -> pa.Table:
    vectors = [None if row.vector is None else row.vector.tolist() for row in chunk]
    embedding = pa.array(vectors, schema.field("embedding").type)
    return pa.Table.from_arrays([*_common_columns(chunk), embedding], schema=schema)


def flat_table(chunk: list[Embedded], schema: pa.Schema) -> pa.Table:
    """Give every number of a vector a column of its own, null in a failed row."""
    dim = len(schema) - 3
    matrix = np.full((len(chunk), dim), np.nan, dtype=np.float32)
    failed = np.array([row.vector is None for row in chunk])
    for i, row in enumerate(chunk):
        if row.vector is not None:
            matrix[i] = row.vector
    columns = [pa.array(matrix[:, j], pa.float32(), mask=failed) for j in range(dim)]
    return pa.Table.from_arrays([*_common_columns(chunk), *columns], schema=schema)
