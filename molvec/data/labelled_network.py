"""Networks whose nodes have labels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from molvec.data.network_card import fetch_network, list_networks, load_network_card
from molvec.data.network_forms import FORMS
from molvec.data.network_split import Parts
from molvec.errors import UserError
from molvec.records import Network


@dataclass(frozen=True, eq=False)
class LabelledNetwork:
    """A network, and yes/no labels of its nodes.

    Attributes:
        name: of the data set.
        network: with features where the set has them, standardised.
        labels: float64 ``[num_nodes, num_labels]``: 0.0 or 1.0; a node without labels has NaN in
            all of them.
        exclusive: whether a node with labels has exactly one of them (classes).
        parts: official parts, perhaps several; empty where the set has none.
        scheme: how parts are made where there are no official ones, see
            :func:`molvec.data.network_split.network_split`.
        sha256: over edges, features, labels and parts: what was loaded.
    """

    name: str
    network: Network
    labels: pd.DataFrame
    exclusive: bool
    parts: tuple[Parts, ...]
    scheme: str
    sha256: str = ""

    @property
    def labelled(self) -> np.ndarray:
        """int64, rows of the nodes with labels, ascending."""
        return np.flatnonzero(self.labels.notna().to_numpy().all(axis=1))

    def summary(self) -> list[str]:
        """Say in a few lines what was loaded, and what was left out."""
        network, labelled = self.network, self.labelled
        kind = "classes" if self.exclusive else "labels"
        mean = float(self.labels.to_numpy()[labelled].sum(axis=1).mean())
        about = "" if self.exclusive else f", {mean:.2f} of them a node"
        features = 0 if network.features is None else network.features.shape[1]
        lines = [
            f"{self.name}: {len(network):,} nodes ({network.isolated:,} without an edge), "
            f"{network.num_edges:,} edges, {features or 'no'} features; {len(labelled):,} nodes "
            f"with {self.labels.shape[1]} {kind}{about}"
        ]
        return [*lines, *filter(None, [network.summary()])]


def list_labelled_networks() -> list[str]:
    """Return the names of the networks with labels of nodes, sorted."""
    return [name for name in list_networks() if load_network_card(name).form in FORMS]


def load_labelled_network(name: str) -> LabelledNetwork:
    """Load a network with labels that has a card, fetching its files if need be.

    Raises:
        UserError: if there is no such data set, its nodes have no labels, or it cannot be had.
    """
    card = load_network_card(name)
    if card.form not in FORMS:
        known = ", ".join(list_labelled_networks())
        raise UserError(f"the nodes of {name} have no labels. Known: {known}")
    found = FORMS[card.form](fetch_network(card), name)
    data = LabelledNetwork(name, *found)
    if card.unverified:
        features = 0 if data.network.features is None else data.network.features.shape[1]
        size = {"nodes": len(data.network), "features": features, "labels": data.labels.shape[1]}
        card.check(size)
    return replace(data, sha256=_sha256(data))


def _sha256(data: LabelledNetwork) -> str:
    network = data.network
    names = [list(network.names), list(data.labels.columns)]
    digest = hashlib.sha256(json.dumps(names).encode())
    arrays = [network.source, network.target, network.features, data.labels.to_numpy()]
    arrays += [part for parts in data.parts for part in parts]
    for array in arrays:
        if array is not None:
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
