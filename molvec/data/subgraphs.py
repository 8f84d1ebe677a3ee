"""Small graphs out of a big one: what a node sees around itself, drawn with a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.data.adjacency import Adjacency
from molvec.records import Neighbourhood, Network

STEPS_PER_NODE = 8
"""Steps of a walk per node that it should find; where it keeps to few nodes, fewer are found."""

MAX_EDGES = 2048
"""Edges of a sample, each once; beyond, as many are drawn. Only where many relations join the same
nodes: 32 nodes have 496 pairs."""


class SubgraphSampler:
    """Draw a neighbourhood of a node: a pure function of the node and the random numbers given.

    Both ways draw a relation first, then an edge of it (in proportion to its weight, where edges
    have weights). All edges among the nodes found belong to the sample.

    Args:
        network: what to draw from.
        kind: ``"walk"``, a random walk that starts again at the seed, or ``"hops"``, some
            neighbours of the seed, of each of these, and so on.
        nodes: most nodes of a sample.
        restart: probability that a walk's next step leaves from the seed.
        hops: how far to go.
        neighbours: most neighbours that each node contributes, with ``"hops"``.

    Raises:
        ValueError: for an unknown kind.
    """

    def __init__(
        self,
        network: Network,
        *,
        kind: str = "walk",
        nodes: int = 32,
        restart: float = 0.2,
        hops: int = 2,
        neighbours: int = 8,
    ) -> None:
        if kind not in SAMPLERS:
            raise ValueError(f"unknown sampling {kind!r}; known: {', '.join(SAMPLERS)}")
        self.adjacency = Adjacency(network)
        self.features = network.features
        self.kind = kind
        self.nodes = nodes
        self.restart = restart
        self.hops = hops
        self.neighbours = neighbours

    def __call__(self, seed: int, rng: np.random.Generator) -> Neighbourhood:
        """Draw one neighbourhood of node ``seed``, which comes first in it."""
        nodes = np.array(SAMPLERS[self.kind](self, seed, rng), dtype=np.int64)
        source, target, relation = self.adjacency.edges_among(nodes)
        if len(source) > MAX_EDGES:
            kept = np.sort(rng.permutation(len(source))[:MAX_EDGES])
            source, target, relation = source[kept], target[kept], relation[kept]
        return Neighbourhood(
            nodes=nodes,
            degree=self.adjacency.degree[nodes],
            source=source,
            target=target,
            relation=relation,
            features=None if self.features is None else self.features[nodes],
        )

    def step(self, node: int, group: float, entry: float) -> int:
        """Return a neighbour of a node that has one, by two numbers in [0, 1)."""
        held = self.adjacency
        first, end = held.groups[node], held.groups[node + 1]
        chosen = first + int(group * (end - first))
        low, high = held.starts[chosen], held.starts[chosen + 1]
        if held.reached is None:
            return int(held.neighbours[low + int(entry * (high - low))])
        below, above = held.reached[low], held.reached[high]
        place = np.searchsorted(held.reached, below + entry * (above - below), side="right") - 1
        return int(held.neighbours[min(max(place, low), high - 1)])


def _walk(sampler: SubgraphSampler, seed: int, rng: np.random.Generator) -> list[int]:
    found = {seed: None}  # a set in order
    if not sampler.adjacency.degree[seed]:
        return [seed]
    draws = rng.random((STEPS_PER_NODE * sampler.nodes, 3)).tolist()
    node = seed
    for restart, group, entry in draws:
        if len(found) == sampler.nodes:
            break
        node = sampler.step(seed if restart < sampler.restart else node, group, entry)
        found[node] = None
    return list(found)


def _hops(sampler: SubgraphSampler, seed: int, rng: np.random.Generator) -> list[int]:
    found = {seed: None}
    frontier = [seed]
    for _ in range(sampler.hops):
        level: dict[int, None] = {}
        for node in frontier:
            for other in _some_neighbours(sampler, node, rng):
                if other not in found:
                    level[other] = None
        room = sampler.nodes - len(found)
        frontier = list(level)
        if len(frontier) > room:  # not the first node's neighbours before the others'
            frontier = [frontier[i] for i in rng.permutation(len(frontier))[:room]]
        found |= dict.fromkeys(frontier)
        if len(found) == sampler.nodes:
            break
    return list(found)


def _some_neighbours(
    sampler: SubgraphSampler, node: int, rng: np.random.Generator
) -> Iterator[int] | list[int]:
    held = sampler.adjacency
    if held.degree[node] <= sampler.neighbours:
        low, high = held.starts[held.groups[node]], held.starts[held.groups[node + 1]]
        every: NDArray[np.int32] = held.neighbours[low:high]
        return every.tolist()
    draws = rng.random((sampler.neighbours, 2)).tolist()
    return (sampler.step(node, group, entry) for group, entry in draws)


SAMPLERS: dict[str, Callable[[Any, int, np.random.Generator], list[int]]] = {
    "walk": _walk,
    "hops": _hops,
}
"""``(sampler, seed, rng) -> nodes``, all different, the seed first."""
