"""Finished pieces of a suite on disk, so that an interrupted one continues where it stopped.

A cell is one fitted head on one data set: its identity (everything its numbers depend on), its
scores and its predictions for the test part. It is a pair of files named by the hash of the
identity; the JSON file is written last, so a cell is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.atomic import atomic_write

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CellKey:
    """What a cell's numbers depend on.

    ``key`` identifies the representation's vectors (or the encoder that is trained), ``settings``
    holds what else matters: trees, epochs. ``fraction`` and ``draw`` say which share of the
    training labels was used, ``software`` with which versions.
    """

    dataset: str
    data_sha256: str
    split: str
    split_sha256: str
    protocol: str
    representation: str
    key: str
    head: str
    seed: int
    fraction: float = 1.0
    draw: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    software: str = ""

    def digest(self) -> str:
        """Return a name for the cell: 20 hexadecimal digits."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Cell:
    """One result.

    Attributes:
        key: its identity.
        scores: metric -> one value per target on the test part; NaN where not defined.
        valid_score: mean of the set's first metric on the validation part.
        choice: what was chosen on the validation part, e.g. ``{"strength": 0.1}``.
        num_labels: training labels used, over all targets.
        seconds: of fitting and predicting.
        test: predictions ``[num_test, num_targets]``.
        machine: where it was computed: commit, versions, processor.
    """

    key: CellKey
    scores: dict[str, Array]
    valid_score: float
    choice: dict[str, Any]
    num_labels: int
    seconds: float
    test: Array
    machine: Mapping[str, str] = field(default_factory=dict)

    def mean(self, metric: str) -> float:
        """Mean over the targets for which the metric is defined."""
        values = self.scores[metric]
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


class CellStore:
    """The cells of a suite in a folder, beside those that suites of all models share.

    Args:
        folder: of this suite.
        shared: where baselines are kept for the next model; ``None`` shares nothing.
    """

    def __init__(self, folder: Path, shared: Path | None = None) -> None:
        self.folder = folder
        self.shared = shared

    def load(self, key: CellKey) -> Cell | None:
        """Return a finished cell, or ``None`` if it is not there or is damaged.

        A shared one is copied into the suite's folder, which then holds all that its tables need.
        """
        cell = _load(self.folder, key)
        if cell is None and self.shared is not None:
            cell = _load(self.shared, key)
            if cell is not None:
                _save(self.folder, cell)
        return cell

    def save(self, cell: Cell, *, share: bool = False) -> None:
        """Write a cell; with ``share`` also for suites of other models.

        Raises:
            UserError: if a folder cannot be written.
        """
        _save(self.folder, cell)
        if share and self.shared is not None:
            _save(self.shared, cell, mend="set MOLVEC_CACHE to a folder you own")


def _load(folder: Path, key: CellKey) -> Cell | None:
    stem = folder / key.digest()
    try:
        document = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        test = np.load(stem.with_suffix(".npy"), allow_pickle=False)
        scores = {
            name: np.array([np.nan if v is None else v for v in values], dtype=np.float64)
            for name, values in document["scores"].items()
        }
        valid_score = document["valid_score"]
        return Cell(
            key=key,
            scores=scores,
            valid_score=float("nan") if valid_score is None else valid_score,
            choice=document["choice"],
            num_labels=document["num_labels"],
            seconds=document["seconds"],
            test=test,
            machine=document["machine"],
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _save(folder: Path, cell: Cell, *, mend: str = "") -> None:
    stem = folder / cell.key.digest()
    document = {
        **asdict(cell.key),
        "scores": {name: _plain(values) for name, values in cell.scores.items()},
        "valid_score": _plain(np.array([cell.valid_score]))[0],
        "choice": cell.choice,
        "num_labels": cell.num_labels,
        "seconds": round(cell.seconds, 3),
        "machine": dict(cell.machine),
    }
    atomic_write(stem.with_suffix(".npy"), lambda path: _save_array(path, cell.test), mend=mend)
    text = json.dumps(document) + "\n"
    atomic_write(stem.with_suffix(".json"), lambda path: path.write_text(text, "utf-8"), mend=mend)


def _save_array(path: Path, values: Array) -> None:
    with path.open("wb") as file:  # by name, numpy would add .npy
        np.save(file, values)


def _plain(values: Array) -> list[float | None]:
    """JSON has no NaN."""
    return [float(v) if np.isfinite(v) else None for v in values]
