"""Which columns of a table hold the SMILES and the labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rdkit import Chem, rdBase

from molvec.errors import UserError, did_you_mean

USUAL_NAMES = ("smiles", "canonical_smiles", "can_smiles", "structure")
LabelColumns = Sequence[str] | range  # names, or positions in the header
_MAX_LISTED = 20


def choose_column(path: Path, columns: Sequence[str], wanted: str | None) -> int:
    """Return the position of the SMILES column.

    Args:
        path: the file, for messages.
        columns: its column names, in order.
        wanted: the name to look for; ``None`` takes the column with a usual name (whatever its
            case), else the only column.

    Raises:
        UserError: if there is no such column, or more than one.
    """
    if wanted is not None:
        found = [i for i, name in enumerate(columns) if name == wanted]
        if not found:
            raise _no_column(path, wanted, columns)
    else:
        found = [i for i, name in enumerate(columns) if name.strip().lower() in USUAL_NAMES]
        if not found and len(columns) == 1:
            _refuse_molecule(path, columns[0])
            return 0
        if not found:
            raise UserError(
                f"{path}: no column is named smiles; pass --smiles-column (smiles_column=) "
                f"with one of {_listed(columns)}"
            )
    if len(found) > 1:
        names = ", ".join(repr(columns[i]) for i in found)
        if len({columns[i] for i in found}) == 1:
            raise UserError(f"{path} has {len(found)} columns {columns[found[0]]!r}: rename one")
        raise UserError(
            f"{path}: {names} could all be the SMILES; pass --smiles-column (smiles_column=)"
        )
    return found[0]


def choose_labels(
    path: Path, columns: Sequence[str], wanted: LabelColumns, smiles: int
) -> list[int]:
    """Return the positions of the label columns, in the order asked for.

    Args:
        path: the file, for messages.
        columns: its column names, in order.
        wanted: names, or a range of positions in the header, for files whose names repeat.
        smiles: the position of the SMILES column.

    Raises:
        UserError: if a column is missing, asked for twice, twice in the header, or the SMILES.
    """
    if isinstance(wanted, range):
        found = list(wanted)
        if not found or min(found) < 0 or max(found) >= len(columns):
            raise UserError(
                f"{path} has {len(columns)} columns: there are no label columns at positions "
                f"{wanted.start} to {wanted.stop - 1}"
            )
    else:
        if not wanted:
            raise UserError(f"{path}: name at least one label column; it has {_listed(columns)}")
        found = [_label_position(path, columns, name) for name in wanted]
    twice = [position for i, position in enumerate(found) if position in found[:i]]
    if twice:
        raise UserError(f"label column {columns[twice[0]]!r} is asked for twice: name it once")
    if smiles in found:
        raise UserError(
            f"{path}: column {columns[smiles]!r} holds the SMILES, so it cannot hold labels; "
            "name another label column, or pass --smiles-column (smiles_column=)"
        )
    return found


def _label_position(path: Path, columns: Sequence[str], name: str) -> int:
    found = [i for i, column in enumerate(columns) if column == name]
    if not found:
        raise _no_column(path, name, columns)
    if len(found) > 1:
        raise UserError(
            f"{path}: label column {name!r} is duplicated ({len(found)} times in the header): "
            "rename the others"
        )
    return found[0]


def _no_column(path: Path, name: str, columns: Sequence[str]) -> UserError:
    hint = _same_but_for_case(name, columns) or did_you_mean(name, columns)
    return UserError(f"{path} has no column {name!r}.{hint} It has {_listed(columns)}")


def _refuse_molecule(path: Path, name: str) -> None:
    """A file without a header must not lose its first molecule to it."""
    with rdBase.BlockLogs():
        if name.strip() and name.isascii() and Chem.MolFromSmiles(name.strip()) is not None:
            raise UserError(
                f"{path}: the header {name!r} is itself a SMILES; add a header line, name the "
                f"file .smi, or pass --smiles-column {name}"
            )


def _same_but_for_case(wanted: str, columns: Sequence[str]) -> str:
    same = [name for name in columns if name.strip().lower() == wanted.strip().lower()]
    return f" Did you mean {same[0]!r}?" if same else ""


def _listed(columns: Sequence[str]) -> str:
    names = ", ".join(repr(name) for name in columns[:_MAX_LISTED])
    more = len(columns) - _MAX_LISTED
    return f"{names} and {more} more" if more > 0 else names
