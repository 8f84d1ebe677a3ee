"""One big network: names, edges, perhaps relations, weights and node features."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from molvec.errors import UserError

PLAIN = ""
"""The one relation of a network whose edges are all of one kind."""

_FLOAT_NAME = re.compile(r"\d+\.0")


@dataclass(frozen=True, eq=False)
class Network:
    """A network of ``n`` nodes and ``m`` edges, each edge once.

    Attributes:
        names: what a user knows the nodes by, all different.
        relations: names of the kinds of edges; ``("",)`` for a plain edge list.
        directed: whether an edge's direction means something (a triple's does).
        left_out: what the input held beside (reason -> how many).

    Shapes:
        - ``source``, ``target``: int64 ``[m]``, rows of ``names``; a triple's head and tail.
        - ``relation``: int64 ``[m]``, rows of ``relations``.
        - ``weight``: float32 ``[m]``, positive, or ``None``: all edges count alike.
        - ``features``: float32 ``[n, F]``, or ``None``.
    """

    names: tuple[str, ...]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    relation: NDArray[np.int64]
    relations: tuple[str, ...] = (PLAIN,)
    weight: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None
    directed: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def num_edges(self) -> int:
        """Edges, each once."""
        return len(self.source)

    @property
    def isolated(self) -> int:
        """Nodes without an edge."""
        ends = np.concatenate([self.source, self.target])
        return int((np.bincount(ends, minlength=len(self)) == 0).sum())

    def summary(self) -> str:
        """Say what the input held that is not here; empty if all is."""
        parts = [f"{count:,} {what}" for what, count in self.left_out.items() if count]
        size = f"{len(self):,} nodes and {self.num_edges:,} edges"
        return f"left out of a network of {size}: {', '.join(parts)}" if parts else ""


def make_network(
    names: Sequence[str],
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    *,
    relation: NDArray[np.int64] | None = None,
    relations: Sequence[str] = (PLAIN,),
    weight: NDArray[np.float32] | None = None,
    features: NDArray[np.float32] | None = None,
    directed: bool = False,
    left_out: Mapping[str, int] | None = None,
    what: str = "the network",
) -> Network:
    """Build a network by the stated rules.

    Self-loops are dropped, and edges that are there already: the same two nodes (in the same
    order, of directed ones) with the same relation; the first one's weight counts. Nodes that
    have no edge, or none but a self-loop, stay. Blanks around names go. Names such as ``12.0``
    become ``12`` if all are like that: whole numbers that went through a table of floats.

    Args:
        names: of the nodes.
        source: int64 ``[edges]``, rows of ``names``.
        target: the same of the other end.
        relation: int64 ``[edges]``, rows of ``relations``; all 0 by default.
        relations: their names.
        weight: float32 ``[edges]``.
        features: float32 ``[nodes, F]``.
        directed: whether direction means something.
        left_out: what was dropped before.
        what: the input, for messages.

    Raises:
        UserError: if no edge is left, or two names differ in blanks alone.
    """
    names = [name.strip() for name in names]
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise UserError(f"{what} has two nodes {twice!r}, blanks around names aside")
    kind = np.zeros(len(source), dtype=np.int64) if relation is None else relation
    counts = dict(left_out or {})
    loops = source == target
    counts["self-loops"] = int(loops.sum())
    ends = (source, target)
    first, second = ends if directed else (np.minimum(*ends), np.maximum(*ends))
    key = (first * len(names) + second) * len(relations) + kind
    _, unique = np.unique(key, return_index=True)
    keep = np.zeros(len(source), dtype=bool)
    keep[unique] = True
    keep &= ~loops
    counts["duplicate edges"] = len(source) - int(keep.sum()) - counts["self-loops"]
    if not keep.any():
        raise UserError(f"{what} has no edge between two different nodes")
    if all(_FLOAT_NAME.fullmatch(name) for name in names):
        names = [name.removesuffix(".0") for name in names]
    return Network(
        names=tuple(names),
        source=source[keep],
        target=target[keep],
        relation=kind[keep],
        relations=tuple(relations),
        weight=None if weight is None else weight[keep],
        features=features,
        directed=directed,
        left_out=counts,
    )
