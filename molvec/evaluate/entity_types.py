"""What kinds of things entities are, read from frozen vectors by a linear probe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molvec.evaluate.heads import fit_head
from molvec.evaluate.metrics import Floats, score

MIN_ENTITIES = 50
"""Entities a type must have, so that a test part of a tenth holds some of them."""
SHARES = (0.8, 0.1)
"""Of the entities: to learn from, to choose by; the rest is the test part."""


@dataclass(frozen=True, eq=False)
class TypeTask:
    """Entities with their types, in three parts.

    Attributes:
        types: names of the columns.
        labels: 0 or 1, ``[num_entities, num_types]``.
        train: rows to learn from.
        valid: rows to choose by.
        test: rows to score.
    """

    types: tuple[str, ...]
    labels: Floats
    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]


def type_task(types: Sequence[Sequence[str]], *, seed: int = 0) -> TypeTask | None:
    """Make the task: the frequent types of entities that have any, dealt at random.

    Args:
        types: of each entity.
        seed: of the parts.

    Returns:
        ``None`` if fewer than two types have ``MIN_ENTITIES`` entities.
    """
    counts = Counter(name for held in types for name in set(held))
    kept = tuple(sorted(name for name, count in counts.items() if count >= MIN_ENTITIES))
    if len(kept) < 2:
        return None
    column = {name: i for i, name in enumerate(kept)}
    labels = np.zeros((len(types), len(kept)))
    for row, held in enumerate(types):
        for name in held:
            if name in column:
                labels[row, column[name]] = 1
    told = np.array([row for row, held in enumerate(types) if held])
    order = np.random.default_rng((seed, 6)).permutation(told)
    first, second = (round(share * len(order)) for share in np.cumsum(SHARES))
    return TypeTask(kept, labels, order[:first], order[first:second], order[second:])


def score_types(vectors: NDArray[np.floating], task: TypeTask) -> dict[str, dict[str, float]]:
    """Fit one logistic regression per type and score it: ``{"valid": ..., "test": ...}``.

    Vectors are standardised; one strength for all types is chosen on the validation part. Scores
    are means over types: average precision (``pr_auc``) and ``roc_auc``.
    """
    y = task.labels
    head = fit_head(
        "linear",
        "classification",
        vectors[task.train],
        y[task.train],
        vectors[task.valid],
        y[task.valid],
        scale=True,
        seed=0,
    )
    found = {}
    for part, rows in (("valid", task.valid), ("test", task.test)):
        predicted = head.predict(vectors[rows])
        names = ("pr_auc", "roc_auc")
        found[part] = {name: score(name, y[rows], predicted).mean for name in names}
    return found
