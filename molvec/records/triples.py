"""Triples as they stand in a file: every line counts, in its order."""

from __future__ import annotations

from pathlib import Path

from molvec.errors import UserError
from molvec.records.lines import UNREADABLE, text_lines

Triple = tuple[str, str, str]


def read_triples(path: Path, *, header: bool = False) -> list[Triple]:
    """Read ``head <tab> relation <tab> tail``, one a line, without a header or with one to skip.

    Unlike :func:`molvec.records.read_network` it keeps self-loops and repeats, which count in
    link prediction, and forgives nothing. Blank lines are nothing.

    Raises:
        UserError: if the file cannot be read, naming the first line that is no triple.
    """
    found = []
    try:
        for number, line in enumerate(text_lines(path), 1):
            if not line.strip() or (header and number == 1):
                continue
            cells = [cell.strip() for cell in line.split("\t")]
            if len(cells) != 3 or not all(cells):
                raise UserError(f"{path}, line {number}: not head, relation and tail with tabs")
            found.append((cells[0], cells[1], cells[2]))
    except UNREADABLE as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not found:
        raise UserError(f"{path} is empty")
    return found
