"""A record: what one input row holds, before it is a molecule."""

from __future__ import annotations

from dataclasses import dataclass

from rdkit import Chem


@dataclass(frozen=True, slots=True)
class Record:
    """One input row. Output row ``i`` belongs to input row ``i``, so a bad row is still a record.

    At most one of ``smiles``, ``mol`` and ``error`` is set; none of them means a missing value.

    Attributes:
        index: the input row, counted from 0; a header is not a row.
        smiles: the text as it was given, perhaps followed by a name.
        mol: a molecule, where the input holds molecules (SDF, Python).
        error: why the reader could not make sense of this row.
        labels: the cells of the label columns, in the order asked for, ``None`` where empty;
            ``None`` as a whole if none were asked for or the row could not be told apart.
    """

    index: int
    smiles: str | None = None
    mol: Chem.Mol | None = None
    error: str | None = None
    labels: tuple[str | None, ...] | None = None

    @property
    def text(self) -> str:
        """What a user knows the row by, for messages."""
        return self.smiles or ""


class RecordError(ValueError):
    """One row is not a usable molecule; ``reason`` says why in a few words."""

    @property
    def reason(self) -> str:
        """The message: short, without the row number, fit for a table cell."""
        return str(self.args[0])


def bare_smiles(text: str) -> str:
    """Return the SMILES of a text such as ``" CCO ethanol"``: its first word, or ``""``.

    What follows the SMILES is a name (or a CXSMILES extension); neither changes the graph.
    """
    words = text.split(None, 1)
    return words[0] if words else ""
