"""Networks whose edges have labels: kinds of interaction between two proteins."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.network_card import fetch_network, list_networks, load_network_card
from molvec.errors import UserError
from molvec.records import Network, make_network
from molvec.records.lines import text_lines

COLUMNS = ("item_id_a", "item_id_b", "mode")


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """A network, and yes/no labels of its edges.

    Attributes:
        name: of the data set.
        network: every pair is an edge of it, also those that are asked about: only the kind of an
            interaction is to be predicted, not that there is one.
        pairs: int64 ``[num_pairs, 2]``, rows of the network's names, the lesser first.
        labels: 0.0 or 1.0, ``[num_pairs, num_kinds]``.
    """

    name: str
    network: Network
    pairs: NDArray[np.int64]
    labels: pd.DataFrame


def load_labelled_pairs(name: str) -> LabelledPairs:
    """Load a network with labelled edges that has a card, fetching its file if need be.

    Raises:
        UserError: if there is no such data set, its edges have no labels, or it cannot be had.
    """
    card = load_network_card(name)
    if card.form != "actions":
        known = ", ".join(n for n in list_networks() if load_network_card(n).form == "actions")
        raise UserError(f"the edges of {name} have no labels. Known: {known}")
    path = fetch_network(card)["edges"]
    lines = (line.rstrip("\r\n").split("\t") for line in text_lines(path) if line.strip())
    header = next(lines, [])
    try:
        a, b, mode = (header.index(column) for column in COLUMNS)
        rows = [(row[a], row[b], row[mode]) for row in lines]
    except (ValueError, IndexError):
        raise UserError(f"{path} is no table with columns {', '.join(COLUMNS)}") from None
    names = list(dict.fromkeys(end for row in rows for end in row[:2]))
    place = {protein: i for i, protein in enumerate(names)}
    kinds: dict[tuple[int, int], set[str]] = defaultdict(set)
    for one, two, kind in rows:
        low, high = sorted((place[one], place[two]))
        if low < high:
            kinds[low, high].add(kind)
    pairs = np.array(list(kinds), dtype=np.int64)
    known_kinds = sorted(set().union(*kinds.values()))
    values = [[float(kind in held) for kind in known_kinds] for held in kinds.values()]
    network = make_network(names, pairs[:, 0], pairs[:, 1], what=name)
    return LabelledPairs(name, network, pairs, pd.DataFrame(values, columns=known_kinds))
