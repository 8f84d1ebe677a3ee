"""Names of nodes in, vectors out: what a network's encoder makes of their neighbourhoods."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Batch, Data

from molvec.data.network import network_of
from molvec.data.subgraphs import SubgraphSampler
from molvec.embed.embedder import Array, Embedded, Embedder, Level, OnError
from molvec.errors import UserError, did_you_mean
from molvec.featurize.network import NetworkFeaturizer
from molvec.nn.budget import CPU_PAIRS, PAIRS, by_size
from molvec.nn.readout import READOUTS
from molvec.records import NodeRecord, RecordError, node_records

INFERENCE = 3
"""Tells the random numbers of inference from those of training."""


class NetworkEmbedder(Embedder):
    """A frozen encoder of a network's nodes, with the network.

    A node's vector is that of the seed in a neighbourhood of it, averaged over ``samples``
    neighbourhoods drawn with ``seed``: the same seed gives the same vector, alone or among others.

    For the other arguments see :class:`molvec.embed.Embedder`; ``data`` holds the network's edges.

    Attributes:
        samples: neighbourhoods of each node.
        seed: of their draw.
    """

    samples = 4
    seed = 0

    def __init__(self, encoder: Any, featurizer: Any, **arguments: Any) -> None:
        super().__init__(encoder, featurizer, **arguments)
        assert isinstance(featurizer, NetworkFeaturizer)
        self.network = network_of(self.data, featurizer)
        self.sampler = SubgraphSampler(self.network, **featurizer.sampling)
        self._rows = {name: row for row, name in enumerate(featurizer.names)}
        self._directions: Array | None = None

    @property
    def dim(self) -> int:
        """Width of a node's vector."""
        return self.node_dim

    def embed(
        self,
        items: Any,
        *,
        level: Level = "graph",
        on_error: OnError = "nan",
        max_atoms: int | None = None,
        samples: int | None = None,
        seed: int | None = None,
    ) -> Any:
        """Embed nodes.

        Args:
            items: names in a list, Series, array or iterator; one name; or a ``Path`` to a text
                file with one name a line.
            level: only ``"graph"``: a row is a node.
            on_error: a name that no node has becomes NaN (``"nan"``), an error (``"raise"``), or
                is left out (``"drop"``).
            max_atoms: has no meaning here.
            samples: neighbourhoods of each node to average over; 4 by default.
            seed: of their draw; 0 by default.

        Returns:
            float32 ``[num_items, dim]``.

        Raises:
            UserError: for a failing row with ``on_error="raise"``, or an unknown option.
        """
        chosen = copy.copy(self)
        chosen.samples = self.samples if samples is None else samples
        chosen.seed = self.seed if seed is None else seed
        if chosen.samples < 1:
            raise UserError(f"samples must be at least 1, got {samples}")
        return super(NetworkEmbedder, chosen).embed(
            items, level=level, on_error=on_error, max_atoms=max_atoms
        )

    def neighbors(self, node: str, count: int = 10) -> pd.DataFrame:
        """Find the nodes whose vectors point the same way as a node's.

        The first call embeds all nodes.

        Args:
            node: its name.
            count: how many to return.

        Returns:
            A frame with ``node`` and ``similarity``, nearest first: the cosine between vectors
            less their mean over all nodes, which all have in common.

        Raises:
            UserError: if there is no such node.
        """
        row = self._row(node)
        if row is None:
            raise UserError(self._unknown(node))
        if self._directions is None:
            vectors = self.embed(self.network.names)
            vectors = vectors - vectors.mean(0)
            length = np.linalg.norm(vectors, axis=1, keepdims=True)
            self._directions = vectors / np.maximum(length, 1e-12)
        similarity = self._directions @ self._directions[row]
        similarity[row] = -np.inf
        nearest = np.argsort(-similarity, kind="stable")[: min(count, len(similarity) - 1)]
        names = [self.network.names[i] for i in nearest]
        return pd.DataFrame({"node": names, "similarity": similarity[nearest]})

    def records(self, items: Any) -> Iterable[NodeRecord]:
        """Return the rows that :meth:`embed` makes of ``items``."""
        return node_records(items)

    def read(self, source: Path, *, smiles_column: str | None = None) -> Iterable[NodeRecord]:
        """Read the names in a file.

        Raises:
            UserError: if there is nothing to read.
        """
        if smiles_column is not None:
            raise UserError("this model embeds nodes of a network: drop --smiles-column")
        return node_records(source)

    def graph(self, record: NodeRecord, max_atoms: int | None) -> Data:
        """Make the graph of a node's first sample.

        Raises:
            RecordError: if no node has this name.
        """
        return self._graphs(record)[0]

    def _graphs(self, record: NodeRecord) -> list[Data]:
        row = self._row(record.text)
        if row is None:
            raise RecordError(self._unknown(record.text))
        assert isinstance(self.featurizer, NetworkFeaturizer)
        draws = (np.random.default_rng((self.seed, i, row, INFERENCE)) for i in range(self.samples))
        return [self.featurizer(self.sampler(row, rng)) for rng in draws]

    def _row(self, name: str) -> int | None:
        return self._rows.get(name)

    def _unknown(self, name: str) -> str:
        if not name:
            return "no name"
        small = len(self._rows) <= 50_000  # looking for the nearest name takes a second there
        return f"no node {name!r}.{did_you_mean(name, self._rows) if small else ''}"

    def _embed_chunk(self, chunk: list[Any], level: Level, max_atoms: int | None) -> list[Embedded]:
        if level != "graph":
            raise UserError("the rows of a network are its nodes: there is only level graph")
        rows: dict[int, Embedded] = {}
        graphs: list[tuple[int, Data]] = []
        for i, record in enumerate(chunk):
            try:
                graphs += [(i, graph) for graph in self._graphs(record)]
            except RecordError as error:
                rows[i] = Embedded(record, None, error.reason)
        sums: dict[int, Array] = {}
        pairs = CPU_PAIRS if self.device.type == "cpu" else PAIRS
        vectors: dict[int, Array] = {}
        for members in by_size([int(graph.num_nodes or 0) for _, graph in graphs], pairs):
            vectors |= zip(members, self._seeds([graphs[k][1] for k in members]), strict=True)
        for k, (i, _) in enumerate(graphs):  # in the order of samples: sums are always the same
            sums[i] = sums[i] + vectors[k] if i in sums else vectors[k]
        for i, total in sums.items():
            rows[i] = Embedded(chunk[i], total / np.float32(self.samples), None)
        return [rows[i] for i in range(len(chunk))]

    @torch.inference_mode()
    def _seeds(self, graphs: list[Data]) -> list[Array]:
        """Vectors of the graphs' first nodes."""
        batch = Batch.from_data_list(graphs).to(self.device)
        nodes = READOUTS[self.readout].nodes(self.encoder(batch), batch)
        return list(nodes[batch.ptr[:-1]].cpu().numpy())
