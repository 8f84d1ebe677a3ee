"""A file into a file: one output row per input row, in flat memory, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from molvec.records import Chain, SkipCount

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class WrittenFile:
    """What was written: rows, and which of them failed and why."""

    path: Path
    rows: int
    skipped: SkipCount


@dataclass(frozen=True)
class Common:
    """The columns that every output has: where a row comes from, and why it failed.

    Attributes:
        values: column name -> its type, and its cell of a record.
    """

    values: Mapping[str, tuple[pa.DataType, Callable[[Any], Any]]]

    @property
    def fields(self) -> list[pa.Field]:
        """The schema's part: these columns and ``error``."""
        named = [pa.field(name, kind) for name, (kind, _) in self.values.items()]
        return [*named, pa.field("error", pa.string())]

    def columns(self, chunk: list[Embedded]) -> list[pa.Array]:
        """Fill the columns."""
        cells = [
            pa.array([cell(row.record) for row in chunk], kind)
            for kind, cell in self.values.values()
        ]
        return [*cells, pa.array([row.error for row in chunk], pa.string())]


def _of(chain: Chain | None, cell: Callable[[Chain], str]) -> str | None:
    return None if chain is None else cell(chain)


COMMON = {
    "molecule": Common(
        {
            "row": (pa.int64(), lambda record: record.index),
            "smiles": (pa.string(), lambda record: record.smiles),
        }
    ),
    "conformer": Common(
        {
            "row": (pa.int64(), lambda record: record.index),
            "file": (pa.string(), lambda record: record.file),
            "name": (pa.string(), lambda record: record.text),
        }
    ),
    "protein": Common(
        {
            "row": (pa.int64(), lambda record: record.index),
            "file": (pa.string(), lambda record: record.file),
            "chain": (pa.string(), lambda record: record.text),
            "sequence": (pa.string(), lambda record: _of(record.chain, lambda c: c.sequence)),
            "residue_numbers": (
                pa.string(),  # one text: CSV has no lists
                lambda record: _of(record.chain, lambda c: " ".join(c.numbers)),
            ),
        }
    ),
    "network": Common(
        {
            "row": (pa.int64(), lambda record: record.index),
            "node": (pa.string(), lambda record: record.text),
        }
    ),
}
"""By the kind of data of a model."""

Table = Callable[[list[Embedded], pa.Schema, Common], pa.Table]


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
    """Embed every molecule of a file, or every geometry or chain of a file or a folder of them.

    Parquet has the columns ``row``, ``smiles``, ``error`` and ``embedding`` (a list of ``dim``
    floats, null in a failed row; at level "node" a list of such lists). In place of
    ``smiles`` geometries have ``file`` and ``name``, chains ``file``, ``chain``, ``sequence`` and
    ``residue_numbers``; files are named from the folder that was given.
    CSV has ``e0``, ``e1``, ... instead of ``embedding`` and knows level "graph" only. The output
    appears under its name when complete.

    Raises:
        UserError: for an input that cannot be read or an output that cannot be written.
    """
    if output.suffix == ".csv" and level == "node":
        raise UserError(
            "one row per graph cannot hold a vector per node in CSV: write .parquet instead"
        )
    common = COMMON[embedder.featurizer.kind]
    as_list = output.suffix == ".parquet"
    return write_rows(
        embedder,
        source,
        output,
        smiles_column=smiles_column,
        level=level,
        max_atoms=max_atoms,
        schema=_schema(embedder, level, common) if as_list else _flat_schema(embedder, common),
        table=_table if as_list else flat_table,
        common=common,
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
    table: Table,
    common: Common,
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
    records = embedder.read(source, smiles_column=smiles_column)
    rows = embedder.stream(records, level=level, max_atoms=max_atoms, skipped=skipped)
    count = 0

    def write(temporary: Path) -> None:
        nonlocal count
        with _writer(temporary, schema, output.suffix == ".parquet") as writer:
            for chunk in _chunks(rows):
                writer.write_table(table(chunk, schema, common))
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


def _schema(embedder: Embedder, level: Level, common: Common) -> pa.Schema:
    dim = embedder.dim if level == "graph" else embedder.node_dim
    vector = (
        pa.list_(pa.float32(), dim) if level == "graph" else pa.list_(pa.list_(pa.float32(), dim))
    )
    return pa.schema([*common.fields, pa.field("embedding", vector)])


def _flat_schema(embedder: Embedder, common: Common) -> pa.Schema:
    numbers = (pa.field(f"e{i}", pa.float32()) for i in range(embedder.dim))
    return pa.schema([*common.fields, *numbers])


def _table(chunk: list[Embedded], schema: pa.Schema, common: Common) -> pa.Table:
    vectors = [None if row.vector is None else row.vector.tolist() for row in chunk]
    embedding = pa.array(vectors, schema.field("embedding").type)
    return pa.Table.from_arrays([*common.columns(chunk), embedding], schema=schema)


def flat_table(chunk: list[Embedded], schema: pa.Schema, common: Common) -> pa.Table:
    """Give every number of a vector a column of its own, null in a failed row."""
    dim = len(schema) - len(common.fields)
    matrix = np.full((len(chunk), dim), np.nan, dtype=np.float32)
    failed = np.array([row.vector is None for row in chunk])
    for i, row in enumerate(chunk):
        if row.vector is not None:
            matrix[i] = row.vector
    columns = [pa.array(matrix[:, j], pa.float32(), mask=failed) for j in range(dim)]
    return pa.Table.from_arrays([*common.columns(chunk), *columns], schema=schema)
