"""Triples for link prediction: three parts, inverse relations, and which answers are known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Triples = NDArray[np.int64]
"""int64 ``[n, 3]``: head, relation, tail; rows of the entities and of the relations."""

SHARE = 11
"""Tells the draw of a share from other random numbers of the same seed."""


@dataclass(frozen=True, eq=False)
class LinkTask:
    """A knowledge graph in three parts.

    Attributes:
        train: to learn from; all triples, also those whose head is their tail.
        valid: to choose by.
        test: to score.
        num_entities: of the training part; heads and tails are below it.
        num_relations: without inverses.
        untaught: training triples that are not learned from; only the filter knows them.
    """

    train: Triples
    valid: Triples
    test: Triples
    num_entities: int
    num_relations: int
    untaught: Triples = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))

    def __post_init__(self) -> None:
        for part in (self.train, self.valid, self.test, self.untaught):
            assert part.shape == (len(part), 3), part.shape
            if len(part):
                assert part.min() >= 0
                assert part[:, [0, 2]].max() < self.num_entities
                assert part[:, 1].max() < self.num_relations

    @property
    def known(self) -> KnownTails:
        """The answers that all parts know, both ways: what the filtered setting removes."""
        every = np.concatenate([self.train, self.untaught, self.valid, self.test])
        return KnownTails(with_inverses(every, self.num_relations), 2 * self.num_relations)

    def with_share(self, share: float, *, seed: int) -> LinkTask:
        """Learn from a share of the training triples, drawn with ``seed``; ranks stay comparable.

        Raises:
            ValueError: if ``share`` is not above 0 and at most 1, or leaves no triple.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {share}")
        count = round(share * len(self.train))
        if count == 0:
            raise ValueError(f"a share of {share:g} leaves none of {len(self.train)} triples")
        order = np.random.default_rng((seed, SHARE)).permutation(len(self.train))
        taught, untaught = np.sort(order[:count]), np.sort(order[count:])
        return replace(self, train=self.train[taught], untaught=self.train[untaught])


def with_inverses(triples: Triples, num_relations: int) -> Triples:
    """Add every triple the other way round, by the inverse relation ``r + num_relations``.

    Who is the head of ``(?, r, t)`` is then who is the tail of ``(t, r inverse, ?)``, so that one
    side is all that models and ranks must know. Shapes: ``[n, 3]`` to ``[2 n, 3]``.
    """
    back = triples[:, ::-1] + np.array([0, num_relations, 0])
    return np.concatenate([triples, back])


class KnownTails:
    """The tails of each question ``(head, relation)``, in flat memory.

    Args:
        triples: repeats count once.
        num_relations: a bound on the relations' numbers, inverses included.

    Shapes (``q`` different questions, ``m`` different triples):
        - ``head``, ``relation``: int64 ``[q]``.
        - ``starts``: int64 ``[q + 1]``; question ``i`` has ``tails[starts[i]:starts[i + 1]]``.
        - ``tails``: int64 ``[m]``.
    """

    def __init__(self, triples: Triples, num_relations: int) -> None:
        width = int(triples[:, 2].max(initial=0)) + 1
        self.num_relations = num_relations
        question = triples[:, 0] * num_relations + triples[:, 1]
        key, tails = np.divmod(np.unique(question * width + triples[:, 2]), width)
        first = np.flatnonzero(np.diff(key, prepend=-1))
        self.tails: NDArray[np.int64] = tails
        self.starts: NDArray[np.int64] = np.append(first, len(tails))
        self._key: NDArray[np.int64] = key[first]
        self.head, self.relation = np.divmod(self._key, num_relations)

    def __len__(self) -> int:
        return len(self._key)

    def find(
        self, head: NDArray[np.int64], relation: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the tails of some questions.

        Shapes:
            - head, relation: int64 ``[k]``; output: place of a question in ``head``, and a tail of
              it, int64 ``[found]`` each; nothing for a question that is not known.
        """
        key = head * self.num_relations + relation
        place = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        asked = np.flatnonzero(self._key[place] == key)
        return self.of(place[asked], asked)

    def of(
        self, questions: NDArray[np.int64], label: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the tails of the questions of these numbers, as :meth:`find` does.

        ``label`` stands for each question in the first output, its place by default.
        """
        low = self.starts[questions]
        count = self.starts[questions + 1] - low
        label = np.arange(len(questions)) if label is None else label
        ends = count.cumsum()
        entry = np.arange(count.sum()) - np.repeat(ends - count, count) + np.repeat(low, count)
        return np.repeat(label, count), self.tails[entry]
