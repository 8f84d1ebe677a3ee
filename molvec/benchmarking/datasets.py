"""The data sets of a suite: loading, checking, and what the record says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from molvec.benchmarking.settings import BenchmarkSettings
from molvec.data.labelled import Labelled, load_labelled, read_labelled
from molvec.data.split import Split
from molvec.errors import UserError
from molvec.evaluate.aggregate import Context

Report = Callable[[str], None]
"""Called with one line for every step that takes time."""


def load_datasets(settings: BenchmarkSettings, report: Report) -> Iterator[Labelled]:
    """Yield the data sets in order, each loaded when its turn comes, and report what they hold."""
    for name in settings.datasets or (None,):
        if name is not None:
            data = load_labelled(name)
        else:
            table = settings.table
            assert table is not None
            data = read_labelled(
                table.path,
                smiles_column=table.smiles_column,
                targets=table.targets,
                task=table.task,
            )
        for line in data.summary():
            report(line)
        if settings.dedupe:
            data = data.deduplicated()
            report(f"{data.name}: {len(data):,} molecules without repeats")
        yield data


def check_split(data: Labelled, split: Split, report: Report) -> None:
    """Report a split, and refuse one whose parts hold no labels.

    Raises:
        UserError: naming the part without labels.
    """
    sizes = f"{len(split.train):,} / {len(split.valid):,} / {len(split.test):,}"
    seed = "" if split.seed is None else f" seed {split.seed}"
    values = data.targets.to_numpy(dtype=np.float64)
    parts = {"training": split.train, "validation": split.valid, "test": split.test}
    for part, rows in parts.items():
        if np.isnan(values[rows]).all():
            raise UserError(
                f"{data.name}: no molecule of the {part} part has a label (split {split.name}"
                f"{seed}); use another --split, or more data"
            )
    report(f"{data.name}: split {split.name}{seed}, {sizes} molecules, sha256 {split.sha256[:16]}")
    if split.added:
        report(f"{data.name}: {split.added:,} molecules that the frozen split lacks went to train")
    if data.task == "classification":
        labels = values[split.test]
        both = ((labels == 0).any(axis=0) & (labels == 1).any(axis=0)).sum()
        if both < labels.shape[1]:
            report(
                f"{data.name}: the test part has both classes for {both} of {labels.shape[1]} "
                "targets; the others are left out of the scores"
            )


def about_data(data: Labelled, contexts: Mapping[tuple[str, str], Context]) -> dict[str, Any]:
    """Return what a record says of a data set: counts, hashes, splits."""
    splits = [c.split for (name, _), c in contexts.items() if name == data.name]
    return {
        "molecules": len(data),
        "rows": data.num_rows,
        "dropped": dict(data.skipped.counts),
        "duplicates": data.duplicates,
        "contradictions": data.contradictions,
        "sha256": data.sha256,
        "splits": [
            {
                "name": split.name,
                "seed": split.seed,
                "sha256": split.sha256,
                "sizes": [len(split.train), len(split.valid), len(split.test)],
            }
            for split in splits
        ],
    }
