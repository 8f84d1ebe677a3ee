"""Models of a network that are given to a suite."""

from __future__ import annotations

from pathlib import Path

from molvec.embed.load import load
from molvec.embed.network import NetworkEmbedder
from molvec.errors import UserError
from molvec.records import Network


def network_embedder(model: str | Path, network: Network, name: str) -> NetworkEmbedder:
    """Load a model of this very network.

    Raises:
        UserError: if it is of something else.
    """
    embedder = load(model)
    if not isinstance(embedder, NetworkEmbedder):
        raise UserError(f"{model} is a model of {embedder.featurizer.kind}s, not of networks")
    held = embedder.network
    same = set(held.names) == set(network.names) and held.num_edges == network.num_edges
    if not same or set(held.relations) != set(network.relations):
        raise UserError(
            f"{model} was not trained on the training triples of {name}: it holds "
            f"{len(held):,} nodes and {held.num_edges:,} edges, not {len(network):,} and "
            f"{network.num_edges:,}"
        )
    return embedder
