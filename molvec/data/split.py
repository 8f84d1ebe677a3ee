"""Train, validation and test parts of labelled molecules, 80/10/10.

"Scaffold split" names many algorithms, and scores differ between them, so each has its own name
here: ``scaffold_hu``, ``scaffold_balanced`` and ``random``.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from molvec.data.card import load_card
from molvec.data.frozen import ABSENT, read_frozen
from molvec.data.labelled import Labelled
from molvec.data.scaffold import (
    TRAIN,
    VALID,
    Parts,
    deal_balanced,
    deal_hu,
    scaffold_groups,
)
from molvec.errors import UserError, did_you_mean

SplitName = Literal["scaffold_hu", "scaffold_balanced", "random"]
SPLITS: tuple[str, ...] = get_args(SplitName)


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of a `Labelled`, disjoint, none empty, together all of it.

    Attributes:
        name: how it was made: ``scaffold_hu``, ``scaffold_balanced`` or ``random``.
        seed: of the order; ``None`` for ``scaffold_hu``, which has nothing random.
        train: int64, positions in the `Labelled`, ascending; ``valid`` and ``test`` likewise.
        valid: for choosing settings.
        test: for the score that is reported.
        sha256: over the file rows of the three parts: equal for equal parts of the same file.
        added: molecules that the frozen split does not know, see `make_split`.
    """

    name: str
    seed: int | None
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]
    sha256: str
    added: int = 0


def make_split(data: Labelled, name: str, *, seed: int = 0) -> Split:
    """Split labelled molecules into train, valid and test.

    - ``scaffold_hu``: no scaffold (Bemis-Murcko, with chirality) is in two parts; large scaffolds
      in train; see `molvec.data.scaffold.deal_hu`. The seed plays no part. For the data sets that
      have a card the parts are read from a frozen file, so that they do not depend on the version
      of RDKit. A molecule that could not be parsed when it was frozen (RDKit versions disagree
      about a few) goes to train and is counted in ``added``: the other two parts stay what they
      are everywhere, so scores stay comparable, and no molecule is dropped.
    - ``scaffold_balanced``: scaffolds (without chirality) in an order drawn from the seed; see
      `molvec.data.scaffold.deal_balanced`.
    - ``random``: molecules in an order drawn from the seed. Repeats of a molecule may land in
      different parts: `Labelled.deduplicated` first.

    Raises:
        UserError: if there is no such split, or a part would be empty.
    """
    added = 0
    if name == "scaffold_hu":
        frozen = _frozen(data, name)
        if frozen is None:
            parts = deal_hu(scaffold_groups(data.smiles, chirality=True))
        else:
            parts, added = frozen
    elif name == "scaffold_balanced":
        parts = deal_balanced(scaffold_groups(data.smiles, chirality=False), seed)
    elif name == "random":
        parts = _deal_random(len(data), seed)
    else:
        raise UserError(
            f"there is no split {name!r}.{did_you_mean(name, SPLITS)} Known: {', '.join(SPLITS)}"
        )
    train, valid, test = (np.array(sorted(part), dtype=np.int64) for part in parts)
    for part, positions in (("train", train), ("validation", valid), ("test", test)):
        if not len(positions):
            raise UserError(
                f"{data.name}: split {name} leaves the {part} part empty ({len(data):,} molecules "
                f"with too few scaffolds, or too few molecules); {_mend(name)}"
            )
    return Split(
        name=name,
        seed=None if name == "scaffold_hu" else seed,
        train=train,
        valid=valid,
        test=test,
        sha256=_sha256([data.rows[part] for part in (train, valid, test)]),
        added=added,
    )


def _frozen(data: Labelled, name: str) -> tuple[Parts, int] | None:
    """Return the parts of a data set that has a frozen split, and how many were added to train."""
    part_of_row = None if data.card is None else read_frozen(load_card(data.card), name)
    if part_of_row is None:
        return None
    part = part_of_row[data.rows]
    unknown = part == ABSENT
    part[unknown] = 0
    train, valid, test = (np.flatnonzero(part == number).tolist() for number in range(3))
    return (train, valid, test), int(unknown.sum())


def _deal_random(total: int, seed: int) -> Parts:
    order = list(range(total))
    random.Random(seed).shuffle(order)
    first, second = int(TRAIN * total), int((TRAIN + VALID) * total)
    return order[:first], order[first:second], order[second:]


def _mend(name: str) -> str:
    return "use --split random" if name != "random" else "give more molecules"


def _sha256(parts: Sequence[NDArray[np.int64]]) -> str:
    digest = hashlib.sha256()
    for rows in parts:
        digest.update(f"{len(rows)}:".encode())
        digest.update(rows.astype("<i8").tobytes())
    return digest.hexdigest()
