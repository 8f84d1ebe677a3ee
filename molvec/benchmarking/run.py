"""Running a suite: data sets, representations, cells, tables, report, in this order.

A finished cell is on disk, so the same command continues an interrupted suite.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from molvec.benchmarking.datasets import Report, about_data, check_split, load_datasets
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.jobs import Job, jobs
from molvec.benchmarking.output import check_writable, machines_of, write_output
from molvec.benchmarking.settings import BenchmarkSettings, choose_data
from molvec.data.labelled import Labelled, Task
from molvec.data.source import cache_folder
from molvec.errors import UserError
from molvec.evaluate.aggregate import Context, efficiency_frame, results_frame
from molvec.evaluate.cells import Cell, CellKey, CellStore
from molvec.evaluate.representation import PRETRAINED, Representation, ecfp, rdkit_descriptors
from molvec.provenance import describe


@dataclass(frozen=True)
class BenchmarkResult:
    """What came out; see :mod:`molvec.evaluate.aggregate` for the columns.

    ``failures`` names the cells that could not be computed, and why.
    """

    results: pd.DataFrame
    efficiency: pd.DataFrame
    folder: Path
    report: Path
    failures: tuple[str, ...] = ()


def benchmark(
    suite: str | Sequence[str] | None = None,
    *,
    model: str | Path | None = None,
    data: str | Path | None = None,
    smiles_column: str | None = None,
    target: str | Sequence[str] = (),
    task: Task | None = None,
    output: str | Path | None = None,
    report: Report = lambda line: None,
    **settings: Any,
) -> pd.DataFrame:
    """Run a suite, data sets by name, or your own table; return the table of results.

    Args:
        suite: names of suites and data sets, by default ``"moleculenet"``; not beside ``data``.
        model: a run, a model folder or a shipped model; ``None`` runs the baselines alone.
        data: a CSV, TSV or Parquet file of your own, with ``target`` columns to predict.
        smiles_column: its column with SMILES.
        target: a column, or several.
        task: ``"classification"`` (columns of 0 and 1) or ``"regression"``; beside ``data``.
        output: folder for cells, tables and report, by default ``runs/benchmark-...`` named for
            suite and model; the same call continues where it stopped.
        report: receives one line for each step.
        settings: fields of :class:`BenchmarkSettings`.

    Returns:
        See :func:`molvec.evaluate.aggregate.results_frame`.

    Raises:
        UserError: for anything that cannot be used.
    """
    names, chosen = choose_data(
        [suite] if isinstance(suite, str) else list(suite or ()),
        None if data is None else Path(data),
        smiles_column=smiles_column,
        targets=[target] if isinstance(target, str) else target,
        task=task,
    )
    folder = default_output(names, model) if output is None else Path(output)
    return run_benchmark(
        BenchmarkSettings(**chosen, **settings),
        output=folder,
        model=model,
        command="molvec.benchmark(...)",
        report=report,
    ).results


def default_output(names: Sequence[str], model: str | Path | None) -> Path:
    """Return ``runs/benchmark-<suite>-<model>``."""
    resolved = None if model is None else Path(model).resolve()
    if resolved is not None and resolved.name == "model":  # of a run
        resolved = resolved.parent
    words = ["benchmark", *names, "baselines" if resolved is None else resolved.name]
    return Path("runs") / "-".join(words)


def run_benchmark(
    settings: BenchmarkSettings,
    *,
    output: Path,
    model: str | Path | None = None,
    command: str = "",
    report: Report = lambda line: None,
) -> BenchmarkResult:
    """Run a suite, or the rest of one that was interrupted.

    Writes ``results.csv``, ``results.md``, ``results.json``, ``label_efficiency.csv`` and
    ``report.html`` into ``output``, and every finished cell into ``output/cells``. Baselines on
    shipped data sets are also kept in the cache folder, and taken from there for the next model.

    Args:
        settings: what to run.
        output: a folder; made if it is not there.
        model: a run, a model folder or a shipped model; ``None`` runs the baselines alone.
        command: how to repeat this, for the record.
        report: receives progress.

    Raises:
        UserError: for data, a model or a folder that cannot be used; if no cell at all could be
            computed.
    """
    machine = describe()  # now: the source tree may change meanwhile
    folder = None if model is None else ModelFolder(model)
    if folder is not None:
        folder.require_molecules()
    # A user's own labels stay in the user's own folder.
    shared = None if settings.table is not None else cache_folder() / "cells"
    store = CellStore(output / "cells", shared)
    check_writable(output)
    check_same_model(output, folder)
    representations = _representations(settings, folder)
    cells: list[Cell] = []
    contexts: dict[tuple[str, str], Context] = {}
    loaded: dict[str, Labelled] = {}
    failures: list[str] = []
    for data in load_datasets(settings, report):
        loaded[data.name] = data
        for job in jobs(settings, data, representations, folder):
            parts = (data.name, job.split.sha256)
            try:
                if parts not in contexts:
                    check_split(data, job.split, report)
                    contexts[parts] = Context(data, job.split)
                cells += _finished(job, store, machine, report)
            except UserError as error:  # of one draw or seed: the others are worth having
                failures.append(f"{_name(job.keys[0])}: {error}")
                report(f"not computed: {failures[-1]}")
    if not cells:
        raise UserError(failures[0])
    results = results_frame(cells, contexts)
    efficiency = efficiency_frame(cells)
    record = {
        "command": command,
        "model": None if folder is None else folder.about(),
        "settings": _plain(settings),
        "machines": machines_of(cells),
        "data": {name: about_data(data, contexts) for name, data in loaded.items()},
        "failures": failures,
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
    return BenchmarkResult(results, efficiency, output, path, tuple(failures))


def _finished(job: Job, store: CellStore, machine: Mapping[str, str], report: Report) -> list[Cell]:
    """Return the cells of a job, computing what is not on disk."""
    known = [store.load(key) for key in job.keys]
    cells = [cell for cell in known if cell is not None]
    if len(cells) < len(job.keys):
        cells = [replace(cell, machine=machine) for cell in job.run()]
        for cell in cells:
            store.save(cell, share=cell.key.representation != PRETRAINED)
        source = ""
    else:
        source = ", kept"
    for cell in cells:
        metric = next(iter(cell.scores))
        value = f"{metric} {cell.mean(metric):.3f}"
        report(f"{_name(cell.key)}: {value} ({cell.seconds:.0f} s{source})")
    return cells


def _name(key: CellKey) -> str:
    share = "" if key.fraction == 1 else f", {key.fraction:.0%} of the labels, draw {key.draw}"
    return f"{key.dataset}: {key.representation}, {key.head}, seed {key.seed}{share}"


def check_same_model(output: Path, folder: ModelFolder | None) -> None:
    """Two models do not share a folder: the tables of the first would be replaced.

    Raises:
        UserError: if ``results.json`` is there and is of another model, or damaged.
    """
    path = output / "results.json"
    if not path.exists():
        return
    try:
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        known = None if model is None else model["key"]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged; remove it, or choose another --output") from None
    if known != (None if folder is None else folder.key):
        raise UserError(f"{output} holds the results of another model; choose another --output")


def _representations(
    settings: BenchmarkSettings, folder: ModelFolder | None
) -> list[Representation]:
    """The model first, then the baselines that always stand beside it."""
    baselines = [ecfp(), rdkit_descriptors(settings.jobs)]
    if folder is None:
        return baselines
    starts = [folder.random_start(seed) for seed in range(settings.seeds)]
    return [folder.representation(), *starts, *baselines]


def _plain(settings: BenchmarkSettings) -> dict[str, Any]:
    tree = {f.name: getattr(settings, f.name) for f in fields(settings)}
    tree["finetune"] = settings.finetune.model_dump(mode="json")
    tree["table"] = None if settings.table is None else asdict(settings.table)
    plain: dict[str, Any] = json.loads(json.dumps(tree, default=str))
    return plain
