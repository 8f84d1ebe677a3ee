"""Which columns of a table of edges are the two ends, the relation and the weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from molvec.errors import UserError, did_you_mean

ENDS = {
    "source": "target",
    "head": "tail",
    "from": "to",
    "subject": "object",
    "start": "end",
    "node1": "node2",
    "protein1": "protein2",
    "prot1": "prot2",
    "gene1": "gene2",
    "id1": "id2",
    "item_id_a": "item_id_b",
}
"""Usual names of the two ends: a first row that has both is a header."""
RELATIONS = ("relation", "rel", "predicate", "metaedge", "edge_type", "type", "interaction", "mode")
WEIGHTS = ("weight", "score", "combined_score")
ROLES = ("source", "target", "relation", "weight")


@dataclass(frozen=True)
class EdgeColumns:
    """Positions of the columns that are read.

    Attributes:
        source: of one end, a triple's head.
        target: of the other, the tail.
        relation: of the kind of edge; ``None`` in a plain edge list.
        weight: ``None`` if edges have none.
        header: whether the first row holds names.
    """

    source: int
    target: int
    relation: int | None = None
    weight: int | None = None
    header: bool = False


def choose_edge_columns(
    what: str,
    head: Sequence[Sequence[str]],
    *,
    relations: bool | None = None,
    columns: Mapping[str, str] | None = None,
    named: bool = False,
) -> EdgeColumns:
    """Tell what the columns of a table are, from its first rows.

    With a header (known by its names, or because it alone does not hold numbers): the ends by
    their usual names, else the first two columns (of triples the first and the third). Without:
    two columns are the ends; three are triples (head, relation, tail) if the middle one is text of
    the fewest different values, else two ends and a weight if the last holds numbers.

    Args:
        what: the input, for messages.
        head: the first rows, at least one.
        relations: whether rows are triples; ``None`` to find out.
        columns: names of columns by what they hold (``ROLES``); the table has a header then.
        named: whether the first row is known to be a header (Parquet).

    Raises:
        UserError: if there are too few columns, no such column, or no telling.
    """
    first = [cell.strip() for cell in head[0]]
    if len(first) < 2:
        raise UserError(
            f"{what} has one column; edges need two, triples three (head relation tail)"
        )
    if columns:
        return _asked_for(what, first, columns)
    lower = [cell.lower() for cell in first]
    ends = next(
        ((lower.index(a), lower.index(b)) for a, b in ENDS.items() if {a, b} <= set(lower)), None
    )
    header = named or ends is not None or _alone_without_numbers(head)
    if not header:
        return _without_header(what, head, relations)
    relation = next((lower.index(name) for name in RELATIONS if name in lower), None)
    weight = next((lower.index(name) for name in WEIGHTS if name in lower), None)
    if relations is False:
        relation = None
    elif relations and relation is None:
        if len(first) < 3:
            raise UserError(f"{what} has {len(first)} columns; triples need a relation, too")
        relation = 1 if ends is None else min({0, 1, 2} - set(ends))
    if ends is None:
        free = [i for i in range(len(first)) if i not in (relation, weight)]
        if len(free) < 2:
            raise UserError(f"{what}: no two columns for the ends of edges, among {_listed(first)}")
        ends = free[0], free[1]
    return EdgeColumns(*ends, relation=relation, weight=weight, header=True)


def is_number(text: str) -> bool:
    """Say whether a cell holds a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _without_header(
    what: str, head: Sequence[Sequence[str]], relations: bool | None
) -> EdgeColumns:
    width = len(head[0])
    if relations:
        if width < 3:
            raise UserError(f"{what} has {width} columns; triples need three: head relation tail")
        return EdgeColumns(0, 2, relation=1)
    third_cells = [row[2] for row in head if len(row) > 2]
    weighted = sum(map(is_number, third_cells)) > len(third_cells) / 2  # a few may be broken
    third = EdgeColumns(0, 1, weight=2 if weighted else None)
    if relations is False or width == 2:
        return third
    distinct = [len({row[i] for row in head if len(row) > i}) for i in range(3)]
    texts = not all(len(row) > 1 and is_number(row[1]) for row in head)
    if width == 3 and texts and distinct[1] < min(distinct[0], distinct[2]):
        return EdgeColumns(0, 2, relation=1)
    if weighted:
        return third
    raise UserError(
        f"{what} has {width} columns and no header: say what they are with "
        "data.relations=true (head relation tail) or false (the first two are the ends)"
    )


def _asked_for(what: str, header: Sequence[str], columns: Mapping[str, str]) -> EdgeColumns:
    found = {}
    for role, name in columns.items():
        if role not in ROLES:
            raise UserError(f"unknown column {role!r}.{did_you_mean(role, ROLES)} Known: {ROLES}")
        if name not in header:
            hint = did_you_mean(name, header)
            raise UserError(f"{what} has no column {name!r}.{hint} It has {_listed(header)}")
        found[role] = header.index(name)
    if "source" not in found or "target" not in found:
        raise UserError("data.columns needs both source and target")
    return EdgeColumns(**found, header=True)


def _alone_without_numbers(head: Sequence[Sequence[str]]) -> bool:
    """Whether some column among the first three holds numbers in all rows but the first."""
    first, rest = head[0], head[1:]
    width = min(3, *(len(row) for row in head))
    return bool(rest) and any(
        not is_number(first[i]) and all(is_number(row[i]) for row in rest) for i in range(width)
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:20])
