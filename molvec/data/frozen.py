"""Frozen splits: which part each row of a data set belongs to, whatever RDKit's version.

A file ``datasets/splits/NAME.SPLIT.txt.gz`` holds one character per row of the content file: 0
train, 1 valid, 2 test, ``-`` not a molecule when it was frozen. Its sha256 is in the card.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molvec.data.card import DatasetCard, cards_folder
from molvec.errors import UserError
from molvec.records.lines import UNREADABLE

ABSENT = -1  # not a molecule when the split was frozen
_LETTERS = "012"


def splits_folder() -> Path:
    """Return the folder of the frozen splits."""
    return cards_folder() / "splits"


def split_file(card_name: str, split: str, *, folder: Path | None = None) -> Path:
    """Return where a frozen split is kept."""
    return (folder or splits_folder()) / f"{card_name}.{split}.txt.gz"


def read_frozen(
    card: DatasetCard, split: str, *, folder: Path | None = None
) -> NDArray[np.int64] | None:
    """Return the part (0, 1, 2 or `ABSENT`) of each file row; ``None`` if none is frozen.

    Raises:
        UserError: if the file is not there or not the one the card means.
    """
    expected = card.splits.get(split)
    if expected is None:
        return None
    path = split_file(card.name, split, folder=folder)
    try:
        text = gzip.decompress(path.read_bytes())
    except UNREADABLE as error:
        raise UserError(
            f"cannot read the frozen split {path} ({error}); reinstall molvec"
        ) from None
    found = hashlib.sha256(text).hexdigest()
    if found != expected:
        raise UserError(
            f"the frozen split {path} is damaged: sha256 {found[:12]}... is not "
            f"{expected[:12]}...; reinstall molvec"
        )
    assert len(text) == card.rows, "one character per row"
    return np.array([_LETTERS.find(letter) for letter in text.decode("ascii")], dtype=np.int64)


def frozen_text(parts: Sequence[NDArray[np.int64]], num_rows: int) -> str:
    """Return the content of a split file.

    Args:
        parts: the file rows of train, valid and test.
        num_rows: rows of the content file.
    """
    letters = np.full(num_rows, "-", dtype="U1")
    for letter, rows in zip(_LETTERS, parts, strict=True):
        letters[rows] = letter
    return "".join(letters)
