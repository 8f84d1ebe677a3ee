"""Edge lists and triples from text tables and Parquet."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from math import isfinite
from pathlib import Path

import numpy as np

from molvec.errors import UserError
from molvec.records.edge_columns import EdgeColumns, choose_edge_columns
from molvec.records.lines import text_lines
from molvec.records.network import PLAIN, Network, make_network
from molvec.records.skips import SkipCount

_SNIFFED = 1000  # rows that tell what the columns are
_BATCH_ROWS = 65_536


def read_text_edges(
    path: Path, *, relations: bool | None = None, columns: Mapping[str, str] | None = None
) -> Network:
    """Read edges from a text table: with tabs, commas, semicolons or blanks between the cells.

    Lines that begin with ``#`` are comments, blank ones are nothing. With tabs an id may hold
    blanks and quotes; with commas it may hold commas in quotes. For the columns see
    :func:`molvec.records.edge_columns.choose_edge_columns`.

    Raises:
        UserError: if nothing in it is an edge, or the columns cannot be told.
    """
    return _network(str(path), _text_rows(path), relations, columns)


def read_parquet_edges(
    path: Path, *, relations: bool | None = None, columns: Mapping[str, str] | None = None
) -> Network:
    """Read edges from a Parquet table, whose names are a header.

    Raises:
        UserError: if nothing in it is an edge, or the columns cannot be told.
    """
    import pyarrow as pa

    try:
        return _network(str(path), _parquet_rows(path), relations, columns, named=True)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} is truncated or not a Parquet file ({reason})") from None


def _text_rows(path: Path) -> Iterator[list[str]]:
    lines = (line for line in text_lines(path) if line.strip() and not line.startswith("#"))
    first = next(lines, None)
    if first is None:
        return
    every = chain([first], lines)
    if "\t" in first:
        yield from (line.rstrip("\r\n").split("\t") for line in every)
    elif "," in first or ";" in first:
        rows = csv.reader(every, delimiter="," if "," in first else ";", strict=True)
        try:
            yield from rows
        except csv.Error as error:
            raise UserError(f"{path}, row {rows.line_num}: {error}; check the quotes") from None
    else:
        yield from (line.split() for line in every)


def _parquet_rows(path: Path) -> Iterator[list[str]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield list(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            cells = [column.to_pylist() for column in batch.columns]
            for row in zip(*cells, strict=True):
                yield ["" if cell is None else str(cell) for cell in row]


def _network(
    what: str,
    rows: Iterator[list[str]],
    relations: bool | None,
    columns: Mapping[str, str] | None,
    *,
    named: bool = False,
) -> Network:
    head = list(islice(rows, _SNIFFED))
    if not head:
        raise UserError(f"{what} is empty")
    chosen = choose_edge_columns(what, head, relations=relations, columns=columns, named=named)
    if chosen.header and len(head) == 1:
        raise UserError(f"{what} has a header but no rows")
    return _collect(what, chain(head[chosen.header :], rows), chosen)


def _collect(what: str, rows: Iterable[list[str]], columns: EdgeColumns) -> Network:
    names: dict[str, int] = {}
    kinds: dict[str, int] = {}
    source, target, relation, weight = array("q"), array("q"), array("q"), array("f")
    skipped = SkipCount()
    where = columns.source, columns.target, columns.relation, columns.weight
    a, b, r, w = where
    width = 1 + max(place for place in where if place is not None)
    for index, row in enumerate(rows):
        if len(row) < width:
            skipped.add(index, "", "fewer cells than columns")
            continue
        one, two = row[a].strip(), row[b].strip()
        kind = PLAIN if r is None else row[r].strip()
        if not one or not two or (r is not None and not kind):
            skipped.add(index, "", "an empty name")
            continue
        if w is not None:
            value = _weight(row[w])
            if value is None:
                skipped.add(index, "", "no positive number as weight")
                continue
            weight.append(value)
        source.append(names.setdefault(one, len(names)))
        target.append(names.setdefault(two, len(names)))
        relation.append(kinds.setdefault(kind, len(kinds)))
    if not source:
        raise UserError(f"{what} has no edges: {skipped.summary(len(skipped))}")
    return make_network(
        list(names),
        np.frombuffer(source, dtype=np.int64),
        np.frombuffer(target, dtype=np.int64),
        relation=np.frombuffer(relation, dtype=np.int64),
        relations=list(kinds),
        weight=None if w is None else np.frombuffer(weight, dtype=np.float32),
        directed=r is not None,
        left_out=_broken(skipped),
        what=what,
    )


def _weight(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value > 0 else None


def _broken(skipped: SkipCount) -> dict[str, int]:
    return {
        f"broken rows: {reason} (row {', '.join(str(i) for i, _ in skipped.examples[reason])}"
        f"{', ...' * (count > len(skipped.examples[reason]))})": count
        for reason, count in skipped.counts.items()
    }
