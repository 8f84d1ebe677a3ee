"""Names of nodes to embed, from lists and text files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molvec.errors import UserError, did_you_mean
from molvec.records.lines import UNREADABLE, text_lines


@dataclass(frozen=True)
class NodeRecord:
    """One row: a name that may be that of a node.

    Attributes:
        index: the row, counted from 0.
        text: the name as it was given, without blanks around it.
    """

    index: int
    text: str


def node_records(items: Any) -> Iterator[NodeRecord]:
    """Read names of nodes, one record each.

    Args:
        items: a name; a ``Path`` to a text file (also ``.gz``) with one name a line, where a blank
            line is a row; or a list, Series, array or iterator of names (numbers too).

    Raises:
        UserError: if there is no such file, or nothing in it.
    """
    if isinstance(items, Path):
        items = _lines(items.expanduser())
    elif isinstance(items, str) or not isinstance(items, Iterable):
        items = [items]
    for index, item in enumerate(items):
        yield NodeRecord(index, "" if item is None else str(item).strip())


def _lines(path: Path) -> list[str]:
    if path.is_dir():
        raise UserError(f"{path} is a folder; give a text file with one name a line")
    if not path.exists():
        near = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UserError(f"there is no file {path}.{did_you_mean(path.name, near)}")
    try:
        lines = [line.rstrip("\r\n") for line in text_lines(path)]
    except UNREADABLE as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not lines:
        raise UserError(f"{path} is empty")
    return lines
