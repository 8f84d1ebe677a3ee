"""Predictions of a fine-tuned model: a frame from Python objects, a file from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from molvec.embed.embedder import Array, Embedder, OnError
from molvec.embed.file import COMMON, WrittenFile, flat_table, write_rows
from molvec.errors import UserError

RESERVED = tuple(
    dict.fromkeys(f.name for kind in ("molecule", "conformer") for f in COMMON[kind].fields)
)
"""Columns of every output file: no target can have one of these names."""


def predict_frame(
    embedder: Embedder,
    items: Any,
    *,
    on_error: OnError = "nan",
    max_atoms: int | None = None,
) -> pd.DataFrame:
    """Predict for Python objects; see :meth:`molvec.embed.Embedder.predict`."""
    require_head(embedder)
    if on_error not in ("nan", "raise", "drop"):
        raise UserError(f"on_error must be 'nan', 'raise' or 'drop', got {on_error!r}")
    empty = np.full(len(embedder.targets), np.nan, dtype=np.float32)
    vectors: list[Array] = []
    kept: list[int] = []
    for row in embedder.stream(embedder.records(items), level="target", max_atoms=max_atoms):
        if row.vector is None and on_error == "raise":
            raise UserError(f"row {row.record.index}: {row.error}")
        if row.vector is not None or on_error == "nan":
            vectors.append(empty if row.vector is None else row.vector)
            kept.append(len(kept) if on_error == "nan" else row.record.index)
    values = np.stack(vectors) if vectors else np.zeros((0, len(empty)), dtype=np.float32)
    index = items.index[kept] if isinstance(items, pd.Series) else pd.Index(kept, dtype=np.int64)
    return pd.DataFrame(values, index=index, columns=list(embedder.targets))


def predict_file(
    embedder: Embedder,
    source: Path,
    output: Path,
    *,
    smiles_column: str | None = None,
    max_atoms: int | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> WrittenFile:
    """Predict for every row of ``source``.

    Parquet and CSV alike have the columns ``row``, ``smiles`` (of geometries ``name``), ``error``
    and one per target, null in a failed row. The output appears under its name when complete.

    Raises:
        UserError: for a model without a head, an input that cannot be read, or an output that
            cannot be written.
    """
    require_head(embedder)
    columns = [pa.field(name, pa.float32()) for name in embedder.targets]
    common = COMMON[embedder.featurizer.kind]
    return write_rows(
        embedder,
        source,
        output,
        smiles_column=smiles_column,
        level="target",
        max_atoms=max_atoms,
        schema=pa.schema([*common.fields, *columns]),
        table=flat_table,
        common=common,
        progress=progress,
    )


def require_head(embedder: Embedder) -> None:
    """Refuse a model that was not fine-tuned.

    Raises:
        UserError: that says how to fine-tune it.
    """
    if embedder.head is None:
        raise UserError(
            "this model only embeds, it has no targets to predict; teach it some: "
            "molvec finetune --data FILE --target COLUMN --task classification --model MODEL "
            "--output DIR"
        )
