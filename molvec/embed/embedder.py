"""Molecules in, vectors out: rows aligned with the input, whatever the input holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Batch, Data

from molvec.errors import UserError
from molvec.featurize.kinds import Featurizer
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.graph import Encoder
from molvec.nn.budget import CPU_PAIRS, PAIRS, by_size
from molvec.nn.head import GraphHead
from molvec.nn.readout import READOUTS, graph_width, node_width
from molvec.records import (
    ChainRecord,
    NodeRecord,
    Record,
    SkipCount,
    from_python,
    parse,
    read_records,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float32]
Level = Literal["graph", "node", "target"]
"""A vector per molecule, one per atom, or (see `Embedder.predict`) one of predicted values."""
OnError = Literal["nan", "raise", "drop"]

CHUNK = 2048
"""Records read ahead: within a chunk, graphs are batched by size."""


@dataclass(frozen=True)
class Embedded:
    """One row of the result.

    Shapes:
        - ``vector``: float32 ``[dim]`` (level "graph"), ``[num_atoms, dim]`` (level "node") or
          ``[num_targets]`` (level "target"); ``None`` for a row that failed, with the reason in
          ``error``.
    """

    record: Record | ChainRecord | NodeRecord
    vector: Array | None
    error: str | None


class Embedder:
    """A frozen encoder of molecules with its featuriser and readout.

    A molecule's vector depends on the molecule alone: not on the batch, nor on the order of rows.
    Computed in float32.

    Args:
        encoder: a trained encoder (:class:`molvec.graph.Encoder`).
        featurizer: the one it was trained with.
        readout: a key of ``READOUTS``.
        config: the model's ``config.json``.
        device: ``"auto"`` or a torch device.
        head: of a fine-tuned model.
        targets: names of the values that the head predicts.
        data: what the model carries of the data that it was trained on.

    Raises:
        UserError: if there is no such device or readout, or the readout needs coordinates that
            the graphs do not have.
    """

    def __init__(
        self,
        encoder: Encoder,
        featurizer: Featurizer,
        *,
        readout: str = "mean",
        config: Mapping[str, Any] | None = None,
        device: str = "auto",
        head: GraphHead | None = None,
        targets: Sequence[str] = (),
        data: Mapping[str, torch.Tensor] | None = None,
    ) -> None:
        self.device = find_device(device)
        self.encoder = encoder.to(self.device).eval().requires_grad_(False)
        self.head = None if head is None else head.to(self.device).eval().requires_grad_(False)
        self.targets = tuple(targets)
        self.data = dict(data or {})
        self.featurizer = featurizer
        if readout not in READOUTS:
            raise UserError(f"unknown readout {readout!r}; known: {', '.join(READOUTS)}")
        if READOUTS[readout].space and not featurizer.in_space:
            raise UserError(f"readout {readout} needs coordinates, {featurizer.kind}s have none")
        self.readout = readout
        self.config = dict(config or {})

    @property
    def node_dim(self) -> int:
        """Width of a node's vector."""
        return node_width(self.readout, self.encoder)

    @property
    def dim(self) -> int:
        """Width of a graph's vector."""
        return graph_width(self.readout, self.encoder)

    def embed(
        self,
        items: Any,
        *,
        level: Level = "graph",
        on_error: OnError = "nan",
        max_atoms: int | None = None,
    ) -> Any:
        """Embed molecules.

        Args:
            items: SMILES or RDKit molecules in a list, Series, array or iterator; one of them; or
                a ``Path`` to a file (``.smi``, ``.csv``, ``.parquet``, ``.sdf``, also ``.gz``).
            level: one vector per molecule, or one per atom (in the molecule's atom order): what
                the readout pools.
            on_error: a row that is no molecule becomes NaN (``"nan"``; no rows at level "node"),
                an error (``"raise"``), or is left out (``"drop"``).
            max_atoms: treat larger molecules as errors; no limit by default.

        Returns:
            float32 ``[num_items, dim]``; at level "node" a list of ``[num_atoms, node_dim]``.

        Raises:
            UserError: for a failing row with ``on_error="raise"``, an unreadable file, or an
                unknown option.
        """
        if level not in ("graph", "node"):
            raise UserError(f"level must be 'graph' or 'node', got {level!r}")
        if on_error not in ("nan", "raise", "drop"):
            raise UserError(f"on_error must be 'nan', 'raise' or 'drop', got {on_error!r}")
        empty = (
            np.full(self.dim, np.nan, dtype=np.float32)
            if level == "graph"
            else np.zeros((0, self.node_dim), dtype=np.float32)
        )
        vectors: list[Array] = []
        for row in self.stream(self.records(items), level=level, max_atoms=max_atoms):
            if row.vector is not None:
                vectors.append(row.vector)
            elif on_error == "raise":
                raise UserError(f"row {row.record.index}: {row.error}")
            elif on_error == "nan":
                vectors.append(empty)
        if level == "node":
            return vectors
        return np.stack(vectors) if vectors else np.zeros((0, self.dim), dtype=np.float32)

    def predict(
        self, items: Any, *, on_error: OnError = "nan", max_atoms: int | None = None
    ) -> pd.DataFrame:
        """Predict the targets that the model was fine-tuned on.

        Takes what :meth:`embed` takes. A row does not depend on the other rows.

        Returns:
            A frame with one row per item, in order, and one float32 column per target: the
            probability of class 1, or the value in the target's unit. A Series' index is kept;
            otherwise the index counts items from 0 (with ``on_error="drop"`` rows are missing).

        Raises:
            UserError: if the model has no head, or as :meth:`embed` does.
        """
        from molvec.embed.predict import predict_frame

        return predict_frame(self, items, on_error=on_error, max_atoms=max_atoms)

    def records(self, items: Any) -> Iterable[Any]:
        """Make records of what :meth:`embed` takes."""
        return from_python(items)

    def read(self, source: Path, *, smiles_column: str | None = None) -> Iterable[Any]:
        """Read the records of a file.

        Raises:
            UserError: if it cannot be read.
        """
        return read_records(source, smiles_column=smiles_column)

    def graph(self, record: Any, max_atoms: int | None) -> Data:
        """Make a record's graph.

        Raises:
            ValueError: with a short reason, if there is none.
        """
        assert isinstance(self.featurizer, MoleculeFeaturizer)
        return self.featurizer(parse(record, max_atoms=max_atoms))

    def stream(
        self,
        records: Iterable[Any],
        *,
        level: Level = "graph",
        max_atoms: int | None = None,
        skipped: SkipCount | None = None,
    ) -> Iterator[Embedded]:
        """Embed records in order, in flat memory; failing rows are counted in ``skipped``."""
        records = iter(records)
        while chunk := list(islice(records, CHUNK)):
            for row in self._embed_chunk(chunk, level, max_atoms):
                if row.error is not None and skipped is not None:
                    skipped.add(row.record.index, row.record.text, row.error)
                yield row

    def _embed_chunk(self, chunk: list[Any], level: Level, max_atoms: int | None) -> list[Embedded]:
        graphs: dict[int, Data] = {}
        rows: list[Embedded | None] = [None] * len(chunk)
        for i, record in enumerate(chunk):
            try:
                graphs[i] = self.graph(record, max_atoms)
            except ValueError as error:
                rows[i] = Embedded(record, None, str(error))
        places = list(graphs)
        pairs = CPU_PAIRS if self.device.type == "cpu" else PAIRS
        for members in by_size([int(graphs[i].num_nodes or 0) for i in places], pairs):
            vectors = self._encode([graphs[places[k]] for k in members], level)
            for k, vector in zip(members, vectors, strict=True):
                rows[places[k]] = Embedded(chunk[places[k]], vector, None)
        assert all(row is not None for row in rows)
        return rows  # type: ignore[return-value]

    @torch.inference_mode()
    def _encode(self, graphs: list[Data], level: Level) -> list[Array]:
        batch = Batch.from_data_list(graphs).to(self.device)
        encoded = self.encoder(batch)
        if level == "node":
            counts = batch.ptr.diff().tolist()
            nodes = READOUTS[self.readout].nodes(encoded, batch).cpu()
            return [part.numpy() for part in torch.split(nodes, counts)]
        vectors = READOUTS[self.readout](encoded, batch)
        if level == "target":
            assert self.head is not None
            vectors = self.head.to_values(self.head(vectors))
        return list(vectors.cpu().numpy())


def find_device(name: str) -> torch.device:
    """Return a device by name; ``"auto"`` is CUDA if there is one.

    Raises:
        UserError: if there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # no such name; not built for it; none here
        raise UserError(f"cannot use device {name!r}: {str(error).splitlines()[0]}") from None
    return device
