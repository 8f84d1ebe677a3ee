"""A network by the name of its data set, whatever else the set holds; checking a copy of it."""

from __future__ import annotations

import hashlib

from molvec.data.knowledge_graph import load_knowledge_graph
from molvec.data.labelled_network import load_labelled_network
from molvec.data.network_card import (
    NetworkCard,
    fetch_network,
    load_network_card,
    require_here,
)
from molvec.data.source import content_sha256
from molvec.records import Network


def open_network(name: str) -> tuple[Network, str]:
    """Return the network of a data set, and a hash of its files.

    Of a knowledge graph it is that of the training triples; labels play no part.

    Raises:
        UserError: if there is no such data set, or it cannot be had.
    """
    card = load_network_card(name)
    paths = fetch_network(card)
    contents = [card.name, *(content_sha256(paths[role]) for role in sorted(paths))]
    identity = hashlib.sha256(" ".join(contents).encode()).hexdigest()
    if card.form == "triples":
        return load_knowledge_graph(name).network, identity
    return load_labelled_network(name).network, identity


def verify_network(card: NetworkCard) -> str:
    """Recompute the sha256 of a data set's files on this machine and count what is in them.

    Returns:
        One line that says what was found.

    Raises:
        UserError: if there is no copy, or it does not fit the card.
    """
    place = require_here(card)
    found, size = _counts(card)
    card.check(found)
    unverified = ", ".join(card.unverified)
    sums = f"no sha256 is known of {unverified}" if unverified else "sha256 fits"
    return f"{card.name}: {size}, {sums} ({place})"


def _counts(card: NetworkCard) -> tuple[dict[str, object], str]:
    found: dict[str, object]
    if card.form == "triples":
        graph = load_knowledge_graph(card.name)
        network = graph.network
        found = {
            "triples": (
                len(graph.train),
                len(graph.valid) + graph.unseen["valid"],
                len(graph.test) + graph.unseen["test"],
            ),
            "unseen": (graph.unseen["valid"], graph.unseen["test"]),
        }
        size = f"{len(network):,} entities, {len(graph.train):,} triples to learn from"
    else:
        data = load_labelled_network(card.name)
        network, labels = data.network, data.labels
        found = {"labels": labels.shape[1], "labelled": len(data.labelled)}
        size = f"{len(network):,} nodes, {network.num_edges:,} edges, {labels.shape[1]} labels"
    features = 0 if network.features is None else network.features.shape[1]
    found |= {"nodes": len(network), "edges": network.num_edges, "features": features}
    return found | {"relations": len(network.relations)}, size
