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
"""Entities a type must have, so that each fold holds some of them."""
FOLDS = 5
"""In turn, three teach, one chooses and one is scored."""
METRICS = ("pr_auc", "roc_auc")


@dataclass(frozen=True, eq=False)
class TypeTask:
    """Entities with their types, in folds.

    Attributes:
        types: names of the columns.
        labels: 0 or 1, ``[num_entities, num_types]``.
        folds: rows of each fold; entities without any type are in none.
    """

    types: tuple[str, ...]
    labels: Floats
    folds: tuple[NDArray[np.int64], ...]

    @property
    def size(self) -> int:
        """Number of entities in folds."""
        return sum(map(len, self.folds))


def type_task(types: Sequence[Sequence[str]], *, seed: int = 0) -> TypeTask | None:
    """Make the task: the frequent types of entities that have any, dealt at random.

    Args:
        types: of each entity.
        seed: of the folds.

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
    return TypeTask(kept, labels, tuple(np.array_split(order, FOLDS)))


def score_types(
    vectors: NDArray[np.floating], task: TypeTask, *, output: int | None = None
) -> dict[str, dict[str, float]]:
    """Fit one logistic regression per type and score it: ``{"valid": ..., "test": ...}``.

    Every fold is scored once as the test part and once as the validation part, by which one
    strength for all types is chosen; vectors are standardised. Scores are means over types, then
    over folds: average precision (``pr_auc``) and ``roc_auc``.

    Args:
        vectors: of all entities, ``[num_entities, width]``.
        task: who is what.
        output: where vectors end in what an encoder's last block gives, its width: each validation
            fold chooses between the whole and that alone, by average precision. What a few
            hundred columns more do not tell, they drown.
    """
    y = task.labels
    views = [vectors]
    if output is not None and output < vectors.shape[1]:
        views.append(vectors[:, -output:])
    found: dict[str, dict[str, list[float]]] = {
        part: {name: [] for name in METRICS} for part in ("valid", "test")
    }
    for turn in range(len(task.folds)):
        fitted = [_fold(view, y, *task.folds[turn:], *task.folds[:turn]) for view in views]
        best = max(fitted, key=lambda scores: scores["valid"]["pr_auc"])
        for part, scores in best.items():
            for name, value in scores.items():
                found[part][name].append(value)
    return {
        part: {name: float(np.mean(values)) for name, values in scores.items()}
        for part, scores in found.items()
    }


def _fold(
    x: NDArray[np.floating],
    y: Floats,
    test: NDArray[np.int64],
    valid: NDArray[np.int64],
    *rest: NDArray[np.int64],
) -> dict[str, dict[str, float]]:
    """Fit on the rest, choose the strength on the validation fold, score both."""
    train = np.concatenate(rest)
    head = fit_head(
        "linear",
        "classification",
        x[train],
        y[train],
        x[valid],
        y[valid],
        scale=True,
        seed=0,
    )
    return {
        part: {name: score(name, y[rows], head.predict(x[rows])).mean for name in METRICS}
        for part, rows in (("valid", valid), ("test", test))
    }
