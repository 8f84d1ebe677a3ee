"""Training, validation and test parts of nodes, or of pairs of them, that have labels."""

from __future__ import annotations

import hashlib
from collections import deque

import numpy as np
from numpy.typing import NDArray

from molvec.data.split import Split

Rows = NDArray[np.int64]
Parts = tuple[Rows, Rows, Rows]
"""Training, validation and test: rows, ascending."""

OFFICIAL = "official"
BREADTH_FIRST = "breadth_first"
SCHEMES: dict[str, tuple[float, float]] = {
    "halves": (0.4, 0.1),
    "stratified": (0.6, 0.2),
    BREADTH_FIRST: (0.6, 0.2),
}
"""Shares of training and validation.

``halves``: half of the nodes, at random, test; the other half teaches and chooses. That is the
middle of node2vec's protocol for Homo sapiens (Grover and Leskovec 2016, arXiv 1607.00653), where a
random half teaches. ``stratified``: every label is spread over the parts in proportion.
``breadth_first``, of pairs: see :func:`deal_breadth_first`.
"""
ROOT_DEGREE = 5
"""Most pairs of a node that a search starts from, so that it is no hub."""


def network_split(
    labels: NDArray[np.float64],
    *,
    official: tuple[Parts, ...] = (),
    scheme: str = "stratified",
    pairs: Rows | None = None,
    seed: int = 0,
) -> Split:
    """Return the parts for a seed.

    Args:
        labels: ``[num_rows, num_labels]``; rows with NaN belong to no part.
        official: parts that the data set brings: seed ``s`` takes the ``s``-th, counted around.
        scheme: of ``SCHEMES``, where there are none.
        pairs: ``[num_rows, 2]``, the nodes of each row, for ``breadth_first``.
        seed: of the order.
    """
    if official:
        chosen = official[seed % len(official)]
        number = seed % len(official) if len(official) > 1 else None
        return _split(OFFICIAL, number, chosen)
    rows = np.flatnonzero(~np.isnan(labels).any(axis=1))
    first, second = SCHEMES[scheme]
    rng = np.random.default_rng(seed)
    if scheme == "halves":
        order = rng.permutation(rows)
        cuts = [round(first * len(rows)), round((first + second) * len(rows))]
        train, valid, test = np.split(order, cuts)
    elif scheme == BREADTH_FIRST:
        assert pairs is not None
        part = deal_breadth_first(pairs[rows], (first, second), rng)
        train, valid, test = (rows[part == number] for number in range(3))
    else:
        part = deal_stratified(labels[rows] == 1, (first, second, 1 - first - second), rng)
        train, valid, test = (rows[part == number] for number in range(3))
    return _split(scheme, seed, (np.sort(train), np.sort(valid), np.sort(test)))


def deal_stratified(
    has: NDArray[np.bool_], shares: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal rows to parts so that each part gets its share of every label.

    The rarest label that is left is dealt first, each row of it to the part that lacks this label
    most, then to the part that lacks rows most, then by lot: iterative stratification (Sechidis,
    Tsoumakas and Vlahavas 2011, doi:10.1007/978-3-642-23808-6_10). Rows without a label come last.

    Shapes:
        - has: bool ``[num_rows, num_labels]``; output: int64 ``[num_rows]``, the part of each.
    """
    share = np.asarray(shares, dtype=np.float64)
    part = np.full(len(has), -1, dtype=np.int64)
    wanted = share[:, None] * has.sum(axis=0)  # [num_parts, num_labels]
    room = share * len(has)
    left = has.sum(axis=0).astype(np.float64)
    while (part < 0).any():
        label = int(np.argmin(np.where(left > 0, left, np.inf)))
        some = left[label] > 0
        members = np.flatnonzero((part < 0) & (has[:, label] if some else True))
        for row in rng.permutation(members):
            lack = wanted[:, label] if some else np.zeros(len(share))
            place = int(np.lexsort((rng.random(len(share)), -room, -lack))[0])
            part[row] = place
            room[place] -= 1
            wanted[place] -= has[row]
            left -= has[row]
    return part


def deal_breadth_first(
    pairs: Rows, shares: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal pairs to parts so that many of those to predict have a node that no other part has.

    From a node with few pairs, drawn by lot, a search in breadth takes all pairs of each node that
    it comes to until the test part is full; another one, over what is left, fills the validation
    part. That is how interactions of proteins nobody has studied yet are predicted, and harder than
    a draw of single pairs, where every node is known: "BFS" of Lv et al. 2021 (arXiv 2105.06709),
    with a validation part of its own.

    Args:
        pairs: int64 ``[num_pairs, 2]``.
        shares: of training and validation.
        rng: draws the roots.

    Returns:
        int64 ``[num_pairs]``, 0 training, 1 validation, 2 test.
    """
    part = np.zeros(len(pairs), dtype=np.int64)
    wanted = {2: round((1 - sum(shares)) * len(pairs)), 1: round(shares[1] * len(pairs))}
    for number, count in wanted.items():
        left = np.flatnonzero(part == 0)
        part[left[_reached(pairs[left], count, rng)]] = number
    return part


def _reached(pairs: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Rows of the first ``count`` pairs that a search in breadth comes to."""
    of: dict[int, list[int]] = {}
    for row, (one, two) in enumerate(pairs.tolist()):
        of.setdefault(one, []).append(row)
        of.setdefault(two, []).append(row)
    nodes = sorted(of)
    small = [node for node in nodes if len(of[node]) <= ROOT_DEGREE] or nodes
    roots = iter([*rng.permutation(small).tolist(), *nodes])
    taken: dict[int, None] = {}
    seen: set[int] = set()
    queue: deque[int] = deque()
    while len(taken) < count:
        node = queue.popleft() if queue else next(roots)
        seen.add(node)
        for row in of[node]:
            taken.setdefault(row)
            for end in pairs[row].tolist():
                if end not in seen:
                    seen.add(end)
                    queue.append(end)
    return np.array(list(taken)[:count], dtype=np.int64)


def _split(name: str, seed: int | None, parts: Parts) -> Split:
    train, valid, test = parts
    digest = hashlib.sha256()
    for rows in parts:
        digest.update(f"{len(rows)}:".encode())
        digest.update(rows.astype("<i8").tobytes())
    return Split(name, seed, train, valid, test, digest.hexdigest())
