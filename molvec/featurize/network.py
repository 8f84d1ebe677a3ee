"""A piece of a network becomes a graph: its nodes know who they are, and how busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from molvec.graph import FEATURES, NODE_ID
from molvec.records import Neighbourhood

DEGREES = 44
"""Indices of a node's degree: mask, 0, and two for every doubling up to a million neighbours."""


class NetworkFeaturizer:
    """Neighbourhood -> graph with ``x``, ``node_id``, ``edge_index``, ``edge_attr``, ``features``.

    An edge of a directed network is there both ways, as two kinds of edges: seen from its tail, a
    relation is its own inverse. Several relations between two nodes are several edges.

    Args:
        names: of the network's nodes; a node's row is ``node_id - 1``.
        relations: names of the kinds of edges.
        directed: whether edges have a direction.
        entities: whether the encoder has a vector of its own for every node (an entity table).
        features: numbers that describe a node; 0 for none.
        sampling: how neighbourhoods are drawn, the arguments of
            :class:`molvec.data.subgraphs.SubgraphSampler`.

    Shapes (``k`` nodes, ``e`` edges, each once):
        - ``x``: int64 ``[k, 1]``: degree in the whole network, on a logarithmic scale.
        - ``node_id``: int64 ``[k]``, row in the network plus one.
        - ``features``: float32 ``[k, F]``, if the network has them.
        - ``edge_index``: int64 ``[2, 2 e]``, sorted by target; ``edge_attr``: int64 ``[2 e, 1]``.
    """

    kind = "network"
    in_space = False
    node_sizes: tuple[int, ...] = (DEGREES,)

    def __init__(
        self,
        names: Sequence[str],
        relations: Sequence[str],
        *,
        directed: bool,
        entities: bool = True,
        features: int = 0,
        sampling: Mapping[str, Any] | None = None,
    ) -> None:
        self.names = tuple(names)
        self.relations = tuple(relations)
        self.directed = directed
        self.entities = entities
        self.features = features
        self.sampling = dict(sampling or {})

    @property
    def edge_sizes(self) -> tuple[int, ...]:
        """Vocabulary size of ``edge_attr``: mask, relations, and their inverses if directed."""
        return (1 + len(self.relations) * (1 + self.directed),)

    @property
    def encoder_inputs(self) -> dict[str, int]:
        """What the encoder reads beside ``x``: its arguments ``entities`` and ``features``."""
        inputs = {"entities": (len(self.names) + 1) * self.entities, "features": self.features}
        return {name: size for name, size in inputs.items() if size}

    def to_json(self) -> dict[str, Any]:
        """Everything needed to build the same featuriser again."""
        return {
            "kind": self.kind,
            "directed": self.directed,
            "entities": self.entities,
            "features": self.features,
            "sampling": self.sampling,
            "relations": list(self.relations),
            "names": list(self.names),
        }

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> NetworkFeaturizer:
        """Inverse of :meth:`to_json`."""
        arguments = {name: config[name] for name in ("directed", "entities", "features")}
        return cls(config["names"], config["relations"], sampling=config["sampling"], **arguments)

    def __call__(self, found: Neighbourhood) -> Data:
        """Featurise one neighbourhood."""
        back = found.relation + len(self.relations) * self.directed
        source = np.concatenate([found.source, found.target])
        target = np.concatenate([found.target, found.source])
        kind = 1 + np.concatenate([found.relation, back])
        order = np.lexsort((kind, source, target))
        graph = Data(
            x=torch.from_numpy(degree_index(found.degree)[:, None]),
            edge_index=torch.from_numpy(np.stack([source[order], target[order]])),
            edge_attr=torch.from_numpy(kind[order][:, None]),
            **{NODE_ID: torch.from_numpy(found.nodes + 1)},
        )
        if found.features is not None:
            graph[FEATURES] = torch.from_numpy(found.features)
        return graph


def degree_index(degree: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index of a degree: 1 for 0, then half a doubling each, ``DEGREES - 1`` at most."""
    doublings = np.floor(2 * np.log2(np.maximum(degree, 1))).astype(np.int64)
    return np.minimum(np.where(degree > 0, 2 + doublings, 1), DEGREES - 1)
