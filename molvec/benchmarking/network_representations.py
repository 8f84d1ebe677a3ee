"""What a head reads of a network's nodes: a model's vectors, and what needs no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molvec.benchmarking.encoders import ModelFolder
from molvec.data.adjacency import Adjacency
from molvec.data.labelled_network import LabelledNetwork
from molvec.data.network_surroundings import network_surroundings
from molvec.data.positions import MAX_NODES, network_positions, with_positions
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.errors import UserError
from molvec.evaluate.representation import PRETRAINED, RANDOM_START

FEATURES, DEGREE, NODE2VEC = "features", "degree", "node2vec"
POSITIONS, SURROUNDINGS = "positions", "surroundings"
WIDTH = 128
"""Of positions, as in the recipe, and of node2vec."""
NODES_VERSION = 2
"""Raised with every change of code that changes vectors: finished cells are computed again."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class NodeRepresentation:
    """A way to describe nodes.

    Attributes:
        name: row of the table.
        key: identifies the numbers, together with the hash of the network.
        compute: float32 ``[num_nodes, dim]``; rows of nodes without labels may be zeros.
        seed: of one that depends on it; ``None`` for all others.
    """

    name: str
    key: str
    compute: Callable[[], Vectors]
    seed: int | None = None


def baselines(data: LabelledNetwork, seeds: int) -> Iterator[NodeRepresentation]:
    """Yield what needs no model: node2vec, features where there are any, the degree.

    And positions alone (:mod:`molvec.data.positions`), as the recipe's encoder reads them, and
    what the recipe's grounding term predicts, beside what it is made of: positions and features.
    """
    for seed in range(seeds):
        yield NodeRepresentation(
            NODE2VEC, f"node2vec-{seed}-v{NODES_VERSION}", _node2vec(data, seed), seed
        )
    for seed in range(seeds):
        key = f"positions-{WIDTH}-{seed}-v{NODES_VERSION}"
        yield NodeRepresentation(POSITIONS, key, _positions(data, seed), seed)
    for seed in range(seeds):
        key = f"surroundings-{WIDTH}-{seed}-v{NODES_VERSION}"
        yield NodeRepresentation(SURROUNDINGS, key, _surroundings(data, seed), seed)
    table = data.network.features
    if table is not None:
        yield NodeRepresentation(FEATURES, f"features-v{NODES_VERSION}", lambda: table)
    yield NodeRepresentation(DEGREE, f"degree-v{NODES_VERSION}", lambda: degree(data))


def of_model(
    folder: ModelFolder, data: LabelledNetwork, seed: int | None
) -> Iterator[NodeRepresentation]:
    """Yield a model's vectors, and those of the same network at random start.

    Args:
        folder: the model.
        data: the network that it was trained on.
        seed: of its pretraining, where each seed has a model of its own; of the random start.

    Raises:
        UserError: if the model is of another network.
    """
    embedder = load(folder.folder, device=folder.device)
    check_network(embedder, data)
    key = f"model-{folder.key}-v{NODES_VERSION}"
    yield NodeRepresentation(PRETRAINED, key, lambda: embed_labelled(embedder, data), seed)
    yield random_start(folder, data, seed or 0)


def random_start(folder: ModelFolder, data: LabelledNetwork, seed: int) -> NodeRepresentation:
    """Return the same network before training, drawn with ``seed``."""
    return NodeRepresentation(
        RANDOM_START,
        f"random-{folder.random_key}-{seed}-v{NODES_VERSION}",
        lambda: embed_labelled(folder.random_embedder(seed), data),
        seed,
    )


def check_network(embedder: Embedder, data: LabelledNetwork) -> None:
    """Refuse a model of anything but the data set's network.

    Raises:
        UserError: if it is one.
    """
    from molvec.embed.network import NetworkEmbedder

    if not isinstance(embedder, NetworkEmbedder):
        kind = embedder.featurizer.kind
        raise UserError(f"this suite needs a model of a network, not of {kind}s")
    ours, theirs = embedder.network, data.network
    same = ours.names == theirs.names and all(
        np.array_equal(getattr(ours, end), getattr(theirs, end)) for end in ("source", "target")
    )
    if not same:
        raise UserError(
            f"the model was trained on another network than {data.name}: name its data set, or "
            f"run molvec pretrain ppi --data {data.name}"
        )


def embed_labelled(embedder: Embedder, data: LabelledNetwork) -> Vectors:
    """Embed the nodes that a head reads; others are zeros.

    Raises:
        UserError: if a vector is not finite.
    """
    rows = data.nodes
    x = np.zeros((len(data.network), embedder.dim), dtype=np.float32)
    x[rows] = embedder.embed([data.network.names[i] for i in rows], on_error="raise")
    if not np.isfinite(x).all():
        raise UserError("the model's vectors are not finite: its training diverged")
    return x


def degree(data: LabelledNetwork) -> Vectors:
    """Logarithm of one plus the number of neighbours: ``[num_nodes, 1]``."""
    found: Vectors = np.log1p(Adjacency(data.network).degree)[:, None].astype(np.float32)
    return found


def _positions(data: LabelledNetwork, seed: int) -> Callable[[], Vectors]:
    return lambda: network_positions(data.network, WIDTH, seed=seed)


def _surroundings(data: LabelledNetwork, seed: int) -> Callable[[], Vectors]:
    def compute() -> Vectors:
        network = data.network
        if len(network) <= MAX_NODES or network.features is None:
            network = with_positions(network, WIDTH, seed=seed)
        assert network.features is not None
        return np.concatenate([network.features, network_surroundings(network)], axis=1)

    return compute


def _node2vec(data: LabelledNetwork, seed: int) -> Callable[[], Vectors]:
    def compute() -> Vectors:
        from molvec.evaluate.node2vec import node2vec

        return node2vec(data.network, seed=seed)

    return compute
