"""Labels as numbers: from the cells of a table to float64, with NaN where one is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from molvec.data.card import Task
from molvec.errors import UserError

MISSING = frozenset({"", "nan", "na"})  # whatever the case
_MAX_SHOWN = 4  # values listed in a message


class LabelReader:
    """Turns rows of label cells into numbers and keeps them.

    Args:
        path: the file, for messages.
        names: the label columns, one per cell of a row.
    """

    def __init__(self, path: object, names: Sequence[str]) -> None:
        self._path = path
        self._names = names
        self._numbers = _Numbers()
        self._rows: list[NDArray[np.float64]] = []

    def add(self, index: int, cells: Sequence[str | None]) -> None:
        """Read the labels of row ``index`` (from 0).

        Raises:
            UserError: naming row and column, if a cell is neither missing nor a finite number.
        """
        numbers = self._numbers
        try:
            self._rows.append(np.array([numbers[cell] for cell in cells], dtype=np.float64))
        except _NoNumber as found:
            text = found.args[0]
            name = self._names[cells.index(text)]
            hint = "is not finite" if found.args[1] else "is text: encode classes as 0 and 1"
            raise UserError(
                f"{self._path}: labels must be numbers; data row {index + 1}, column {name!r}: "
                f"{text!r} {hint}"
            ) from None

    def table(self) -> NDArray[np.float64]:
        """Return all labels, ``[num_rows, num_targets]``."""
        return np.array(self._rows, dtype=np.float64).reshape(-1, len(self._names))


class _NoNumber(Exception):
    """A cell that is no label: its text, and whether it is a number all the same."""


class _Numbers(dict[str | None, float]):
    """The number of each text met so far: columns repeat few texts, and a look-up is quick."""

    def __missing__(self, text: str | None) -> float:
        if text is None or text.strip().lower() in MISSING:
            number = math.nan
        else:
            try:
                number = float(text)
            except ValueError:
                raise _NoNumber(text, False) from None
            if not math.isfinite(number) or "_" in text:  # Python reads 1_0 as 10
                raise _NoNumber(text, "_" not in text)
        self[text] = number
        return number


def check_labels(
    path: object,
    names: Sequence[str],
    values: NDArray[np.float64],
    task: Task,
    *,
    one_class: bool = False,
) -> None:
    """Refuse label columns that nothing can be learned from.

    Args:
        path: the file, for messages.
        names: the label columns.
        values: their labels, ``[num_rows, num_targets]``, NaN = missing.
        task: classification labels must be 0 or 1.
        one_class: allow columns with one class only, or without any label (published sets have
            them; a metric that needs two classes is then not defined there).

    Raises:
        UserError: naming the first such column.
    """
    for name, column in zip(names, values.T, strict=True):
        found = np.unique(column[~np.isnan(column)])
        if task == "classification" and not np.isin(found, (0.0, 1.0)).all():
            raise UserError(
                f"{path}: classification labels must be 0 or 1; column {name!r} holds "
                f"{_shown(found)}. For values rather than classes: --task regression"
            )
        if one_class:
            continue
        if not len(found):
            raise UserError(f"{path}: all labels of column {name!r} are missing")
        if len(found) == 1:
            kind = "the class" if task == "classification" else "the value"
            raise UserError(
                f"{path}: column {name!r} holds only {kind} {found[0]:g}; there is nothing to learn"
            )


def _shown(values: Iterable[float]) -> str:
    texts = [f"{value:g}" for value in values]
    more = len(texts) - _MAX_SHOWN
    return ", ".join(texts[:_MAX_SHOWN]) + (f" and {more:,} other values" if more > 0 else "")
