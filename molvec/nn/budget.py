"""Memory of one call: attention needs a number per pair of nodes, so pairs are what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PAIRS = 262_144
"""Node pairs per call: 256 molecules of 32 atoms, or a single one of 512."""

CPU_PAIRS = 32_768
"""The same where nothing is kept for a backward pass and all shall stay in a CPU's cache. Preset
``small``, two cores: 616, 729, 760, 742, 603 molecules of Tox21 a second with 8,192, 16,384,
32,768, 65,536, 262,144 pairs."""


def by_size(sizes: Sequence[int], pairs: int = PAIRS) -> Iterator[list[int]]:
    """Group graphs of similar size so that padded pairs stay below ``pairs`` per group.

    Args:
        sizes: nodes of each graph.
        pairs: largest ``graphs * nodes of the largest ** 2`` of a group; a graph that is larger
            by itself is a group of its own.

    Yields:
        Positions in ``sizes``, smallest graphs first; every position once.
    """
    members: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        if members and (len(members) + 1) * sizes[i] ** 2 > pairs:  # the largest so far
            yield members
            members = []
        members.append(i)
    if members:
        yield members
