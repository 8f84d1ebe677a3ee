"""Running a suite: data sets, representations, cells, tables, report, in this order.

A finished cell is on disk, so the same command continues an interrupted suite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.jobs import Job, jobs
from molvec.benchmarking.output import write_output
from molvec.benchmarking.settings import BenchmarkSettings, UserTable, suite_datasets
from molvec.data.labelled import Labelled, Task, load_labelled, read_labelled
from molvec.data.split import Split
from molvec.errors import UserError
from molvec.evaluate.aggregate import Context, efficiency_frame, results_frame
from molvec.evaluate.cells import Cell, CellStore
from molvec.evaluate.representation import Representation, ecfp, rdkit_descriptors
from molvec.provenance import describe

Report = Callable[[str], None]
"""Called with one line for every step that takes time."""


@dataclass(frozen=True)
class BenchmarkResult:
    """What came out; see :mod:`molvec.evaluate.aggregate` for the columns."""

    results: pd.DataFrame
    efficiency: pd.DataFrame
    folder: Path
    report: Path


def benchmark(
    suite: str | Sequence[str] | None = "moleculenet",
    *,
    model: str | Path | None = None,
    data: str | Path | None = None,
    smiles_column: str | None = None,
    target: str | Sequence[str] = (),
    task: Task = "classification",
    output: str | Path = "runs/benchmark",
    report: Report = lambda line: None,
    **settings: Any,
) -> pd.DataFrame:
    """Run a suite, data sets by name, or your own table; return the table of results.

    Args:
        suite: names of suites and data sets; not looked at if ``data`` is given.
        model: a run or model folder; ``None`` runs the baselines alone.
        data: a CSV, TSV or Parquet file of your own, with ``target`` columns to predict.
        smiles_column: its column with SMILES.
        target: a column, or several.
        task: ``"classification"`` (columns of 0 and 1) or ``"regression"``.
        output: folder for cells, tables and report; the same call continues where it stopped.
        report: receives one line for each step.
        settings: fields of :class:`BenchmarkSettings`.

    Returns:
        See :func:`molvec.evaluate.aggregate.results_frame`.

    Raises:
        UserError: for anything that cannot be used.
    """
    columns = (target,) if isinstance(target, str) else tuple(target)
    if data is not None:
        if not columns:
            raise UserError("name the columns to predict: --target NAME (target=)")
        chosen = BenchmarkSettings(
            table=UserTable(Path(data), columns, task, smiles_column), **settings
        )
    else:
        if columns or smiles_column is not None:
            raise UserError("--target and --smiles-column go with --data FILE")
        names = [suite] if isinstance(suite, str) else list(suite or ())
        chosen = BenchmarkSettings(datasets=suite_datasets(names), **settings)
    return run_benchmark(chosen, output=Path(output), model=model, report=report).results


def run_benchmark(
    settings: BenchmarkSettings,
    *,
    output: Path,
    model: str | Path | None = None,
    command: str = "",
    report: Report = lambda line: None,
) -> BenchmarkResult:
    """Run a suite, or the rest of one that was interrupted.

    Writes ``results.csv``, ``results.json``, ``label_efficiency.csv`` and ``report.html`` into
    ``output``, and every finished cell into ``output/cells``.

    Args:
        settings: what to run.
        output: a folder; made if it is not there.
        model: a run or model folder; ``None`` runs the baselines alone.
        command: how to repeat this, for the record.
        report: receives progress.

    Raises:
        UserError: for data, a model or a folder that cannot be used.
    """
    machine = describe()  # now: the source tree may change meanwhile
    store = CellStore(output / "cells")
    _writable(output)
    folder = None if model is None else ModelFolder(model)
    representations = _representations(settings, folder)
    cells: list[Cell] = []
    contexts: dict[tuple[str, str], Context] = {}
    loaded: dict[str, Labelled] = {}
    for data in _datasets(settings, report):
        loaded[data.name] = data
        for job in jobs(settings, data, representations, folder):
            if (data.name, job.split.sha256) not in contexts:
                contexts[data.name, job.split.sha256] = Context(data, job.split)
                _describe_split(data, job.split, report)
            cells += _finished(job, store, report)
    results = results_frame(cells, contexts)
    efficiency = efficiency_frame(cells)
    record = {
        "command": command,
        "model": None if model is None else str(model),
        "settings": _plain(settings),
        "machine": machine,
        "data": {name: _about(data, contexts) for name, data in loaded.items()},
    }
    path = write_output(
        output,
        record=record,
        results=results,
        efficiency=efficiency,
        cells=cells,
        contexts=contexts,
        shown=representations[0],
    )
    return BenchmarkResult(results, efficiency, output, path)


def _describe_split(data: Labelled, split: Split, report: Report) -> None:
    sizes = f"{len(split.train):,} / {len(split.valid):,} / {len(split.test):,}"
    seed = "" if split.seed is None else f" seed {split.seed}"
    report(f"{data.name}: split {split.name}{seed}, {sizes} molecules, sha256 {split.sha256[:16]}")
    if split.added:
        report(f"{data.name}: {split.added:,} molecules that the frozen split lacks went to train")
    if data.task == "classification":
        labels = data.targets.to_numpy()[split.test]
        both = ((labels == 0).any(axis=0) & (labels == 1).any(axis=0)).sum()
        if both < labels.shape[1]:
            report(
                f"{data.name}: the test part has both classes for {both} of {labels.shape[1]} "
                "targets; the others are left out of the scores"
            )


def _finished(job: Job, store: CellStore, report: Report) -> list[Cell]:
    """Return the cells of a job, computing what is not on disk."""
    known = [store.load(key) for key in job.keys]
    cells = [cell for cell in known if cell is not None]
    if len(cells) < len(job.keys):
        cells = job.run()
        for cell in cells:
            store.save(cell)
    for cell in cells:
        report(_line(cell))
    return cells


def _line(cell: Cell) -> str:
    key = cell.key
    metric = next(iter(cell.scores))
    share = "" if key.fraction == 1 else f", {key.fraction:.0%} of the labels, draw {key.draw}"
    return (
        f"{key.dataset}: {key.representation}, {key.head}, seed {key.seed}{share}: "
        f"{metric} {cell.mean(metric):.3f} ({cell.seconds:.0f} s)"
    )


def _representations(
    settings: BenchmarkSettings, folder: ModelFolder | None
) -> list[Representation]:
    """The model first, then the baselines that always stand beside it."""
    baselines = [ecfp(), rdkit_descriptors(settings.jobs)]
    if folder is None:
        return baselines
    starts = [folder.random_start(seed) for seed in range(settings.seeds)]
    return [folder.representation(), *starts, *baselines]


def _datasets(settings: BenchmarkSettings, report: Report) -> Iterator[Labelled]:
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


def _about(data: Labelled, contexts: dict[tuple[str, str], Context]) -> dict[str, Any]:
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


def _plain(settings: BenchmarkSettings) -> dict[str, Any]:
    tree = asdict(replace(settings, finetune=None))  # type: ignore[arg-type]
    tree["finetune"] = settings.finetune.model_dump(mode="json")
    plain: dict[str, Any] = json.loads(json.dumps(tree, default=str))
    return plain


def _writable(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot write to {output} ({reason}); choose another --output") from None
