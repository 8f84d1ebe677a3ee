"""Kinds of interaction between two proteins, as STRING lists them: labels of edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.errors import UserError
from molvec.records import Network, make_network
from molvec.records.lines import text_lines

COLUMNS = ("item_id_a", "item_id_b", "mode")


def read_actions(
    paths: Mapping[str, Path], name: str
) -> tuple[Network, pd.DataFrame, NDArray[np.int64]]:
    """Read a table of actions: a line for each pair and kind, in either order, perhaps repeated.

    Returns:
        The network, of which every pair is an edge; labels 0.0 or 1.0, ``[num_pairs, num_kinds]``;
        and the pairs, int64 ``[num_pairs, 2]``, rows of the network's names, the lesser first.

    Raises:
        UserError: if the file has other columns, or no pair.
    """
    path = paths["edges"]
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
    if not kinds:
        raise UserError(f"{path} holds no pair of two proteins")
    pairs = np.array(list(kinds), dtype=np.int64)
    known = sorted(set().union(*kinds.values()))
    values = [[float(kind in held) for kind in known] for held in kinds.values()]
    network = make_network(names, pairs[:, 0], pairs[:, 1], what=name)
    return network, pd.DataFrame(values, columns=known), pairs
