"""A network in flat memory: who is next to whom, and which edges join two nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.records import Network


def both_ways(
    network: Network,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return every edge from each of its ends: where it is seen from, what it leads to, its kind.

    A relation seen from its tail is another kind of edge than from its head.

    Shapes:
        - output: int64 ``[2 num_edges]`` each.
    """
    one, two, kind = network.source, network.target, network.relation
    back = kind + len(network.relations) * network.directed
    return np.concatenate([one, two]), np.concatenate([two, one]), np.concatenate([kind, back])


def joined(network: Network) -> Any:
    """Return who is next to whom: symmetric, sparse, 1 whatever joins the two, float64."""
    from scipy.sparse import coo_matrix

    ends = np.unique(np.stack([network.source, network.target]), axis=1)
    size = len(network)
    there = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(size, size))
    return ((there + there.T) > 0).astype(np.float64).tocsr()


class Adjacency:
    """Compressed rows of a network, both ways.

    Of each node the entries are grouped by relation and direction, so that a walk can draw the
    kind of edge before the edge: a hub's rare relations count as much as its common ones. About
    60 bytes an edge.

    Args:
        network: at least one edge.

    Shapes (``n`` nodes, ``m`` edges, ``g`` groups):
        - ``groups``: int64 ``[n + 1]``; node ``i`` has the groups ``groups[i]:groups[i + 1]``.
        - ``starts``: int64 ``[g + 1]``; group ``j`` has the entries ``starts[j]:starts[j + 1]``.
        - ``neighbours``: int32 ``[2 m]``, the node at the other end of each entry.
        - ``reached``: float64 ``[2 m + 1]``, weights summed up before each entry, or ``None``.
        - ``degree``: int64 ``[n]``, different neighbours of each node.
    """

    def __init__(self, network: Network) -> None:
        size, kinds = len(network), len(network.relations)
        one, two = network.source, network.target
        self.size = size
        self.directed = network.directed
        here, there, kind = both_ways(network)
        group = here * (2 * kinds) + kind
        order = np.lexsort((there, group))
        self.neighbours: NDArray[np.int32] = there[order].astype(np.int32)
        group = group[order]
        first = np.flatnonzero(np.diff(group, prepend=-1))
        self.starts: NDArray[np.int64] = np.append(first, len(group))
        count = np.bincount(group[first] // (2 * kinds), minlength=size)
        self.groups: NDArray[np.int64] = np.concatenate([[0], np.cumsum(count)])
        self.reached: NDArray[np.float64] | None = None
        if network.weight is not None:
            weight = np.concatenate([network.weight, network.weight])[order]
            self.reached = np.concatenate([[0.0], np.cumsum(weight, dtype=np.float64)])
        pairs = np.unique(np.minimum(one, two) * size + np.maximum(one, two))
        ends = np.concatenate([pairs // size, pairs % size])
        self.degree: NDArray[np.int64] = np.bincount(ends, minlength=size)
        key = one * size + two
        by_key = np.lexsort((network.relation, key))
        self._key: NDArray[np.int64] = key[by_key]
        self._kind: NDArray[np.int32] = network.relation[by_key].astype(np.int32)

    def edges_among(
        self, nodes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Find all edges among some nodes, each once.

        Shapes:
            - nodes: int64 ``[k]``, all different; output: source and target, places in ``nodes``,
              and relation, int64 ``[e]`` each.
        """
        places = np.argsort(nodes)  # ascending keys are found three times as fast
        ordered = nodes[places]
        wanted = (ordered[:, None] * self.size + ordered[None, :]).ravel()
        low = np.searchsorted(self._key, wanted, side="left")
        found = np.flatnonzero(self._key[np.minimum(low, len(self._key) - 1)] == wanted)
        low = low[found]
        count = np.searchsorted(self._key, wanted[found], side="right") - low
        pair = np.repeat(found, count)
        edge = (
            np.repeat(low, count) + np.arange(len(pair)) - np.repeat(count.cumsum() - count, count)
        )
        source, target = places[pair // len(nodes)], places[pair % len(nodes)]
        return source, target, self._kind[edge].astype(np.int64)
