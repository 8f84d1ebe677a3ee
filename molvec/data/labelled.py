"""Molecules with labels: reading them from a data set or a user's table, finding repeats."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from molvec.data.card import Task, list_labelled, load_card
from molvec.data.labels import LabelReader, check_labels
from molvec.data.source import fetch
from molvec.errors import UserError
from molvec.records import (
    Conformer,
    Record,
    RecordError,
    SkipCount,
    bare_smiles,
    column_names,
    parse,
    read_records,
)
from molvec.records.columns import LabelColumns

MIN_MOLECULES = 10  # fewer cannot be split 80/10/10


class Conformers(Protocol):
    """Random access to geometries."""

    def __getitem__(self, index: int) -> Conformer:
        """Return the geometry of a file row."""
        ...


@dataclass(frozen=True, eq=False)
class Labelled:
    """Molecules with labels: the rows of a table that are molecules.

    Attributes:
        name: of the data set, or of the file.
        task: what the labels are.
        smiles: as written in the file, bare (no name), of the rows kept, in file order.
        rows: int64 ``[num_molecules]``, the file row of each, from 0, ascending.
        targets: float64 ``[num_molecules, num_targets]``, NaN = missing; 0.0 or 1.0 for
            classification.
        num_rows: rows in the file.
        skipped: the rows that are no molecules, with reasons.
        duplicates: molecules whose canonical SMILES an earlier kept row already has.
        contradictions: groups of such repeats whose labels differ for some target.
        sha256: over task, rows, SMILES, names and values of the targets: what was loaded.
        card: the data set's card, whose frozen splits hold for it; ``None`` for a user's file.
        unit: of regression targets, where known.
        conformers: geometries by file row, where the data set has them.
    """

    name: str
    task: Task
    smiles: tuple[str, ...]
    rows: NDArray[np.int64]
    targets: pd.DataFrame
    num_rows: int
    skipped: SkipCount
    duplicates: int
    contradictions: int
    sha256: str
    card: str | None = None
    unit: str | None = None
    conformers: Conformers | None = None
    # Position of the first molecule that is the same; computed anew where it is not given.
    _first: NDArray[np.int64] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.smiles)

    def summary(self) -> list[str]:
        """Say in a few lines what was loaded, what was dropped and why."""
        targets = self.targets.shape[1]
        lines = [
            f"{self.name}: {len(self):,} molecules from {self.num_rows:,} rows, "
            f"{targets:,} {self.task} target{'s' * (targets > 1)}"
        ]
        if self.skipped:
            lines.append(self.skipped.summary(self.num_rows))
        if self.duplicates:
            lines.append(
                f"{self.duplicates:,} of the molecules repeat an earlier one; labels contradict "
                f"each other for {self.contradictions:,}"
            )
        values = self.targets.to_numpy()
        known = ~np.isnan(values)
        unit = f" {self.unit}" if self.unit else ""
        if not known.any():
            about = ""
        elif self.task == "classification":
            about = f", {np.nanmean(values):.1%} of them positive"
        elif targets == 1:
            low, mean, high = np.nanmin(values), np.nanmean(values), np.nanmax(values)
            about = f", from {low:.4g} to {high:.4g}{unit}, mean {mean:.4g}"
        else:
            about = f", in{unit}" if unit else ""
        lines.append(f"labels: {known.mean():.1%} present{about}")
        return lines

    def deduplicated(self) -> Labelled:
        """Return one row per molecule, the first; later rows of it only give labels.

        A label that is missing in one row is taken from another. Where rows contradict each other,
        a classification label becomes missing (neither is better known) and a regression label
        the mean.
        """
        first = first_of_same(self.smiles) if self._first is None else self._first
        kept = np.unique(first)
        groups = self.targets.reset_index(drop=True).groupby(first, sort=True)
        merged = groups.mean().set_axis(self.targets.columns, axis=1)
        if self.task == "classification":
            merged = merged.where(groups.min() == groups.max())
        merged = merged.reset_index(drop=True)
        smiles = tuple(self.smiles[i] for i in kept)
        rows = self.rows[kept]
        return replace(
            self,
            smiles=smiles,
            rows=rows,
            targets=merged,
            duplicates=0,
            contradictions=0,
            sha256=labels_sha256(self.task, rows, smiles, merged),
            _first=np.arange(len(kept)),
        )


def load_labelled(name: str) -> Labelled:
    """Load a data set that has a card with labels, fetching its file if need be.

    Raises:
        UserError: if there is no such data set, it has no labels, or it cannot be had.
    """
    card = load_card(name)
    span = card.target_range
    if card.task is None or span is None:
        known = ", ".join(list_labelled())
        raise UserError(f"{name} has no labels. Data sets with labels: {known}")
    path = fetch(card)
    names = _unique(column_names(path))[span.start : span.stop]
    return _read(
        path,
        smiles_column=card.smiles_column,
        labels=span,
        names=names,
        task=card.task,
        name=name,
        card=name,
        unit=card.unit,
    )


def read_labelled(
    path: str | os.PathLike[str],
    *,
    smiles_column: str | None = None,
    targets: Sequence[str],
    task: Task,
    name: str | None = None,
) -> Labelled:
    """Read a table of one's own.

    An empty cell, ``NA`` and ``nan`` (whatever the case) are missing labels. Rows whose SMILES is
    no molecule are dropped and counted; rows without any label are kept.

    Args:
        path: a ``.csv``, ``.tsv`` (also gzipped) or ``.parquet`` file.
        smiles_column: the column with the SMILES; default see `molvec.records.read_records`.
        targets: the label columns.
        task: ``"classification"`` (labels 0 and 1) or ``"regression"``.
        name: what to call it; default the file's name.

    Raises:
        UserError: if the file or a column cannot be read, a label is no number (naming row, column
            and text), a column has one class only or no labels, or fewer than 10 rows are
            molecules.
    """
    path = Path(path)
    names = [targets] if isinstance(targets, str) else list(targets)
    return _read(
        path,
        smiles_column=smiles_column,
        labels=names,
        names=names,
        task=task,
        name=name or path.name.split(".")[0],
    )


def first_of_same(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return, for each molecule, the position of the first with the same canonical SMILES.

    Args:
        smiles: all of them molecules; stereochemistry and isotopes count.
    """
    texts = [Chem.MolToSmiles(parse(Record(i, smiles=text))) for i, text in enumerate(smiles)]
    return _first_positions(texts)


def _read(
    path: Path,
    *,
    smiles_column: str | None,
    labels: LabelColumns,
    names: Sequence[str],
    task: Task,
    name: str,
    card: str | None = None,
    unit: str | None = None,
) -> Labelled:
    reader = LabelReader(path, names)
    skipped = SkipCount()
    smiles: list[str] = []
    rows: list[int] = []
    canonical: list[str] = []
    num_rows = 0
    for record in read_records(path, smiles_column=smiles_column, labels=labels):
        num_rows += 1
        try:
            mol = parse(record)
        except RecordError as error:
            skipped.add(record.index, record.smiles, error.reason)
            continue
        assert record.smiles is not None, "a table holds molecules as text"
        assert record.labels is not None, "the row was told apart"
        reader.add(record.index, record.labels)
        smiles.append(bare_smiles(record.smiles))
        rows.append(record.index)
        canonical.append(Chem.MolToSmiles(mol))
    if len(smiles) < MIN_MOLECULES:
        why = f" ({skipped.summary(num_rows)})" if skipped else ""
        raise UserError(
            f"{path}: {len(smiles)} of {num_rows:,} rows are molecules, at least {MIN_MOLECULES} "
            f"are needed{why}"
        )
    values = reader.table()
    check_labels(path, names, values, task, one_class=card is not None)
    targets = pd.DataFrame(values, columns=list(names))
    first = _first_positions(canonical)
    row_array = np.array(rows, dtype=np.int64)
    return Labelled(
        name=name,
        task=task,
        smiles=tuple(smiles),
        rows=row_array,
        targets=targets,
        num_rows=num_rows,
        skipped=skipped,
        duplicates=int((first != np.arange(len(first))).sum()),
        contradictions=_contradictions(values, first),
        sha256=labels_sha256(task, row_array, smiles, targets),
        card=card,
        unit=unit,
        _first=first,
    )


def _first_positions(texts: Sequence[str]) -> NDArray[np.int64]:
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(text, i) for i, text in enumerate(texts)], dtype=np.int64)


def _contradictions(values: NDArray[np.float64], first: NDArray[np.int64]) -> int:
    """Count the molecules with two different labels for some target."""
    repeated = np.isin(first, first[first != np.arange(len(first))])
    if not repeated.any():
        return 0
    groups = pd.DataFrame(values[repeated]).groupby(first[repeated])
    return int((groups.max() > groups.min()).any(axis=1).sum())


def labels_sha256(
    task: Task, rows: NDArray[np.int64], smiles: Sequence[str], targets: pd.DataFrame
) -> str:
    """Return the sha256 of labelled molecules, as :class:`Labelled` has it."""
    values = targets.to_numpy(dtype="<f8", copy=True)
    values[np.isnan(values)] = np.nan  # one bit pattern for all of them
    values[values == 0] = 0.0  # and one zero
    digest = hashlib.sha256(json.dumps([task, list(smiles), list(targets.columns)]).encode())
    digest.update(rows.astype("<i8").tobytes())
    digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _unique(names: Sequence[str]) -> list[str]:
    """Number repeated names as pandas does: ``y``, ``y.1``, ``y.2``."""
    taken: dict[str, int] = {}
    unique = []
    for name in names:
        count = taken.get(name, 0)
        taken[name] = count + 1
        unique.append(f"{name}.{count}" if count else name)
    return unique
