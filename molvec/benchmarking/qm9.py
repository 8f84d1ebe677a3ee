"""``molvec benchmark qm9``: how much quantum chemistry is in a model that saw none of its labels?

110,000 molecules teach, 10,000 choose, 10,831 test, at random (seed 0), as is usual for QM9; scores
are mean absolute errors on the test part. ``frozen`` fits linear heads on vectors, from all labels
and from shares of them, beside the same network at random start, the numbers of the elements,
extended Hückel, and xTB where the model learned from it. ``finetune`` trains all labels jointly
from a share of them, from the model's weights and from scratch, both with the same noise on their
coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from molvec.benchmarking.datasets import Report
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.output import check_writable
from molvec.benchmarking.qm9_jobs import qm9_jobs, title_of
from molvec.benchmarking.qm9_output import write_qm9
from molvec.benchmarking.run import check_same_model
from molvec.benchmarking.special import SuiteResult
from molvec.config import load_finetune_settings
from molvec.data.labelled import Labelled, labels_sha256
from molvec.data.qm9 import COLUMNS
from molvec.data.qm9_labelled import load_qm9, qm9_split
from molvec.data.source import cache_folder
from molvec.data.split import Split
from molvec.embed.conformers import ConformerEmbedder
from molvec.embed.load import load
from molvec.errors import UserError, did_you_mean
from molvec.evaluate.cells import CellStore
from molvec.evaluate.representation import PRETRAINED
from molvec.provenance import describe

LABELS = ("homo", "lumo", "gap", "mu", "alpha", "u0")
"""Asked for by default; all are :data:`molvec.data.qm9.COLUMNS`."""

PROTOCOLS = {"frozen": (0.01, 0.05, 0.1, 1.0), "finetune": (0.05,)}
"""What can be done, and with which shares of the labels by default."""

FINETUNE = {"epochs": 20, "lr": 1e-3, "noise": 0.05, "head_start": "random"}
"""Settings of fine-tuning where QM9's differ from the usual ones."""


def benchmark_qm9(
    *,
    names: Sequence[str] = (),
    model: str | Path | None,
    output: Path,
    seeds: int = 1,
    jobs: int = 1,
    overrides: Mapping[str, Any] | None = None,
    command: str = "",
    report: Report = lambda line: None,
    protocol: Sequence[str] = ("frozen",),
    fraction: Sequence[float] = (),
    draws: int = 3,
    part: str = "test",
    train: int | None = None,
    valid: int | None = None,
) -> SuiteResult:
    """Score a model of conformers on QM9, or go on where an interrupted call stopped.

    Args:
        names: labels to predict; ``LABELS`` by default.
        model: a run, a model folder or a shipped model, of conformers.
        output: folder for cells and tables.
        seeds: of random starts, and of fine-tuning: 0 to ``seeds - 1``.
        jobs: not used; linear heads run in one process.
        overrides: settings of fine-tuning; see ``FINETUNE`` for what differs from the usual ones.
        command: how to repeat this, for the record.
        report: receives one line for each step.
        protocol: ``"frozen"``, ``"finetune"`` or both.
        fraction: shares of the training labels; each protocol's own by default.
        draws: of each share below 1, for frozen heads.
        part: ``"valid"`` tests on half of the validation part instead: for choices.
        train: use so many molecules of the training part, the first in a random order.
        valid: the same for the validation part.

    Raises:
        UserError: for a model of something else, a name that is none, or a folder that cannot be
            written.
    """
    labels = _chosen(names)
    for name in protocol:
        if name not in PROTOCOLS:
            hint = did_you_mean(name, PROTOCOLS)
            raise UserError(f"QM9 has no protocol {name!r}.{hint} Known: {', '.join(PROTOCOLS)}")
    if not all(0 < share <= 1 for share in fraction):
        raise UserError("fractions of the labels must be above 0 and at most 1")
    if model is None:
        raise UserError("molvec benchmark qm9 needs --model, a model of conformers, e.g. qm9-3d")
    folder = ModelFolder(model)
    embedder = load(folder.folder, device=folder.device)
    if not isinstance(embedder, ConformerEmbedder):
        kind = embedder.featurizer.kind
        raise UserError(f"{model} is a model of {kind}s; QM9 needs one of conformers, e.g. qm9-3d")
    settings = load_finetune_settings({**FINETUNE, **(overrides or {})})
    if settings.seed != 0:
        raise UserError("seeds of fine-tuning are 0 to --seeds - 1; do not set seed")
    check_writable(output)
    check_same_model(output, folder)
    machine = describe()
    data = load_qm9(labels)
    data, split = smaller(data, qm9_split(data), train=train, valid=valid, part=part)
    report(f"qm9: {len(split.train):,} / {len(split.valid):,} / {len(split.test):,} molecules")
    store = CellStore(output / "cells", cache_folder() / "cells")
    cells = []
    for job in qm9_jobs(
        data,
        split,
        folder,
        embedder,
        settings,
        shares={name: tuple(fraction) or PROTOCOLS[name] for name in dict.fromkeys(protocol)},
        seeds=seeds,
        draws=draws,
        report=report,
    ):
        cell = store.load(job.key)
        source = ", kept"
        if cell is None:
            cell, source = replace(job.run(), machine=machine), ""
            store.save(cell, share=job.key.representation != PRETRAINED)
        cells.append(cell)
        errors = zip(labels, cell.scores["mae"], strict=True)
        scores = ", ".join(f"{name} {error:.3f}" for name, error in errors)
        report(f"{title_of(job.key)}: {scores} ({cell.seconds:.0f} s{source})")
    table = write_qm9(
        output,
        cells,
        units={name: COLUMNS[name][2] for name in labels},
        record={
            "command": command,
            "model": folder.about(),
            "molecules": [len(rows) for rows in (split.train, split.valid, split.test)],
            "part": part,
            "split_sha256": split.sha256,
            "finetune": settings.model_dump(mode="json"),
        },
    )
    return SuiteResult(table, output)


def smaller(
    data: Labelled, split: Split, *, train: int | None, valid: int | None, part: str
) -> tuple[Labelled, Split]:
    """Take fewer molecules, the first of a random order; for choices, test on validation rows.

    Returns:
        The molecules that are left, and which of them are in which part.
    """
    assert part in ("test", "valid"), part
    if train is None and valid is None and part == "test":
        return data, split
    rng = np.random.default_rng(1)
    learn, choose = rng.permutation(split.train)[:train], rng.permutation(split.valid)[:valid]
    tested = split.test
    if part == "valid":
        choose, tested = choose[: len(choose) // 2], choose[len(choose) // 2 :]
    kept = np.concatenate([np.sort(rows) for rows in (learn, choose, tested)])
    smiles, rows = tuple(data.smiles[i] for i in kept), data.rows[kept]
    targets = data.targets.iloc[kept].reset_index(drop=True)
    digest = labels_sha256(data.task, rows, smiles, targets)
    ends = np.cumsum([len(learn), len(choose)])
    place = np.split(np.arange(len(kept), dtype=np.int64), ends)
    return (
        replace(data, smiles=smiles, rows=rows, targets=targets, sha256=digest),
        replace(split, train=place[0], valid=place[1], test=place[2], sha256=digest),
    )


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS)
            raise UserError(f"QM9 has no label {name!r}.{hint} Known: {', '.join(COLUMNS)}")
    return tuple(dict.fromkeys(names)) or LABELS
