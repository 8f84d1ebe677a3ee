"""The frozen protocol: features computed once, a head fitted on the training part."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from molvec.data.labelled import Labelled
from molvec.data.split import Split
from molvec.evaluate.cells import Cell, CellKey
from molvec.evaluate.heads import fit_head
from molvec.evaluate.metrics import TASK_METRICS, score
from molvec.evaluate.subset import stratified_draw

PROTOCOL_VERSION = 4
"""Raised with every change of code that changes scores: finished cells are then computed again."""


def frozen_cell(
    key: CellKey,
    data: Labelled,
    split: Split,
    x: NDArray[np.float32],
    *,
    scale: bool,
    trees: int,
    jobs: int,
) -> Cell:
    """Fit one head and score it on the test part, which the fit never sees.

    Args:
        key: which head, seed, share of the training labels and draw.
        data: molecules and labels.
        split: its parts.
        x: features ``[num_molecules, dim]``.
        scale: whether the head standardises them.
        trees: of a random forest.
        jobs: threads of a random forest.
    """
    began = time.perf_counter()
    train = training_rows(key, data, split)
    y = data.targets.to_numpy(dtype=np.float64)
    head = fit_head(
        key.head,
        data.task,
        x[train],
        y[train],
        x[split.valid],
        y[split.valid],
        scale=scale,
        seed=key.seed,
        trees=trees,
        jobs=jobs,
    )
    valid, test = head.predict(x[split.valid]), head.predict(x[split.test])
    return scored(
        key,
        data,
        split,
        valid=valid,
        test=test,
        choice=dict(head.choice),
        seconds=time.perf_counter() - began,
    )


def scored(
    key: CellKey,
    data: Labelled,
    split: Split,
    *,
    valid: NDArray[np.float64],
    test: NDArray[np.float64],
    choice: dict[str, float | int | str],
    seconds: float,
) -> Cell:
    """Score predictions for the validation and test parts."""
    y = data.targets.to_numpy(dtype=np.float64)
    metrics = TASK_METRICS[data.task]
    return Cell(
        key=key,
        scores={name: score(name, y[split.test], test).per_task for name in metrics},
        valid_score=score(metrics[0], y[split.valid], valid).mean,
        choice=choice,
        num_labels=int(np.isfinite(y[training_rows(key, data, split)]).sum()),
        seconds=seconds,
        test=test,
    )


def training_rows(key: CellKey, data: Labelled, split: Split) -> NDArray[np.int64]:
    """Return the rows a cell learns from: the training part, or a stratified share of it."""
    targets = data.targets.iloc[split.train]
    drawn = stratified_draw(targets, data.task, key.fraction, seed=key.draw)
    rows: NDArray[np.int64] = split.train[drawn]
    return rows
