"""Random walks over a network, all nodes at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from molvec.records import Network


class Walks:
    """Second-order random walks of node2vec (Grover and Leskovec 2016, arXiv 1607.00653).

    From ``v``, reached from ``t``, a neighbour ``x`` is taken with a probability in proportion to
    ``1 / p`` if it is ``t``, 1 if it is next to ``t``, and ``1 / q`` otherwise. Drawn by rejection:
    a neighbour at random is kept with its weight over the largest of the three.

    Args:
        network: whose edges are taken as undirected, all of one kind and weight.
        p: large values keep a walk from going back.
        q: small values send it outwards.
    """

    def __init__(self, network: Network, *, p: float = 1.0, q: float = 1.0) -> None:
        size = len(network)
        one, two = network.source, network.target
        key = np.unique(np.concatenate([one * size + two, two * size + one]))
        self.size = size
        self.weights = np.array([1 / p, 1.0, 1 / q])
        self._key = key
        self._end = key % size
        self._start = np.searchsorted(key, np.arange(size + 1) * size)
        self.joined: NDArray[np.int64] = np.flatnonzero(np.diff(self._start))

    def __call__(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Walk once from every node that has a neighbour, in random order: ``[walks, length]``."""
        here = rng.permutation(self.joined)
        steps = [here, self._neighbour(here, rng)]
        plain = np.ptp(self.weights) == 0
        while len(steps) < length:
            before, here = steps[-2], steps[-1]
            ahead = self._neighbour(here, rng)
            todo = np.arange(0 if plain else len(here))
            while len(todo):
                kept = rng.random(len(todo)) < self._share(before[todo], ahead[todo])
                todo = todo[~kept]
                ahead[todo] = self._neighbour(here[todo], rng)
            steps.append(ahead)
        return np.stack(steps[:length], axis=1)

    def _neighbour(self, nodes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        low, high = self._start[nodes], self._start[nodes + 1]
        drawn: NDArray[np.int64] = self._end[
            low + (rng.random(len(nodes)) * (high - low)).astype(int)
        ]
        return drawn

    def _share(self, before: NDArray[np.int64], ahead: NDArray[np.int64]) -> NDArray[np.float64]:
        wanted = before * self.size + ahead
        place = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        near = self._key[place] == wanted
        kind = np.where(before == ahead, 0, np.where(near, 1, 2))
        return self.weights[kind] / self.weights.max()


def walk_texts(walks: Walks, count: int, length: int, seed: int) -> Iterator[list[str]]:
    """Yield ``count`` walks from every node as lists of node numbers in text."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        for walk in walks(length, rng):
            yield [str(node) for node in walk]
