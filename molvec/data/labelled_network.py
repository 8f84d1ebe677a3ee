"""Networks whose nodes, or pairs of nodes, have labels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.actions import read_actions
from molvec.data.network_card import fetch_network, list_networks, load_network_card
from molvec.data.network_forms import FORMS
from molvec.data.network_split import BREADTH_FIRST, Parts
from molvec.errors import UserError
from molvec.records import Network

PAIRS = "actions"
"""The form of a card whose pairs have labels."""
LABELLED = (*FORMS, PAIRS)


@dataclass(frozen=True, eq=False)
class LabelledNetwork:
    """A network, and yes/no labels of its nodes, or of pairs of them.

    Attributes:
        name: of the data set.
        network: with features where the set has them, standardised.
        labels: float64 ``[num_nodes, num_labels]``, or of pairs ``[num_pairs, num_labels]``: 0.0
            or 1.0; a node without labels has NaN in all of them.
        exclusive: whether a node with labels has exactly one of them (classes).
        parts: official parts, perhaps several; empty where the set has none.
        scheme: how parts are made where there are no official ones, see
            :func:`molvec.data.network_split.network_split`.
        pairs: int64 ``[num_pairs, 2]``, rows of the network's names, where pairs have the labels.
            Each is an edge of the network: its kind is asked, not whether there is one.
        sha256: over edges, features, labels, parts and pairs: what was loaded.
    """

    name: str
    network: Network
    labels: pd.DataFrame
    exclusive: bool
    parts: tuple[Parts, ...]
    scheme: str
    pairs: NDArray[np.int64] | None = None
    sha256: str = ""

    @property
    def labelled(self) -> NDArray[np.int64]:
        """int64, rows of the nodes, or of the pairs, that have labels, ascending."""
        return np.flatnonzero(self.labels.notna().to_numpy().all(axis=1))

    @property
    def nodes(self) -> NDArray[np.int64]:
        """int64, rows of the nodes whose vectors a head reads, ascending."""
        return self.labelled if self.pairs is None else np.unique(self.pairs[self.labelled])

    def vectors(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what a head reads, row by row of the labels, from the vectors of all nodes.

        Of a pair that is the sum and the product of its ends, whatever their order. Shapes:
        ``[num_nodes, dim]`` to itself, or to ``[num_pairs, 2 * dim]``.
        """
        if self.pairs is None:
            return x
        one, two = x[self.pairs[:, 0]], x[self.pairs[:, 1]]
        return np.concatenate([one + two, one * two], axis=1)

    def summary(self) -> list[str]:
        """Say in a few lines what was loaded, and what was left out."""
        network, labelled = self.network, self.labelled
        kind = "classes" if self.exclusive else "labels"
        mean = float(self.labels.to_numpy()[labelled].sum(axis=1).mean())
        what = "node" if self.pairs is None else "pair"
        about = "" if self.exclusive else f", {mean:.2f} of them a {what}"
        features = 0 if network.features is None else network.features.shape[1]
        lines = [
            f"{self.name}: {len(network):,} nodes ({network.isolated:,} without an edge), "
            f"{network.num_edges:,} edges, {features or 'no'} features; {len(labelled):,} {what}s "
            f"with {self.labels.shape[1]} {kind}{about}"
        ]
        return [*lines, *filter(None, [network.summary()])]


def list_labelled_networks() -> list[str]:
    """Return the names of the networks with labels of nodes or pairs, sorted."""
    return [name for name in list_networks() if load_network_card(name).form in LABELLED]


def load_labelled_network(name: str) -> LabelledNetwork:
    """Load a network with labels that has a card, fetching its files if need be.

    Raises:
        UserError: if there is no such data set, it has no labels, or it cannot be had.
    """
    card = load_network_card(name)
    if card.form not in LABELLED:
        known = ", ".join(list_labelled_networks())
        raise UserError(f"{name} has no labels. Known: {known}")
    paths = fetch_network(card)
    if card.form == PAIRS:
        network, labels, pairs = read_actions(paths, name)
        data = LabelledNetwork(name, network, labels, False, (), BREADTH_FIRST, pairs)
    else:
        data = LabelledNetwork(name, *FORMS[card.form](paths, name))
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
    arrays += [*(part for parts in data.parts for part in parts), data.pairs]
    for array in arrays:
        if array is not None:
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
