"""What a suite leaves behind: tables, a record of how they came about, and a page to look at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molvec.atomic import atomic_write
from molvec.data.source import cache_folder
from molvec.errors import UserError
from molvec.evaluate.aggregate import Context
from molvec.evaluate.benchmark_report import write_benchmark_report
from molvec.evaluate.calibration import Calibration, calibration
from molvec.evaluate.cells import Cell
from molvec.evaluate.embedding_map import Map2D, embedding_map
from molvec.evaluate.markdown_table import results_markdown
from molvec.evaluate.published import published_rows
from molvec.evaluate.representation import Representation, features

Contexts = Mapping[tuple[str, str], Context]


def write_output(
    output: Path,
    *,
    record: Mapping[str, Any],
    results: pd.DataFrame,
    efficiency: pd.DataFrame,
    cells: Sequence[Cell],
    contexts: Contexts,
    shown: Representation,
) -> Path:
    """Write ``results.csv``, ``.md``, ``.json``, ``label_efficiency.csv`` and ``report.html``.

    Args:
        output: the folder, which exists.
        record: settings, data, versions, machine.
        results: see :func:`molvec.evaluate.aggregate.results_frame`.
        efficiency: see :func:`molvec.evaluate.aggregate.efficiency_frame`.
        cells: all of them, for the calibration of the best head.
        contexts: data and split of each.
        shown: the representation whose maps are drawn and whose calibration is plotted.

    Returns:
        The path of the report.

    Raises:
        UserError: if a file cannot be written.
    """
    document = {
        **record,
        "results": _records(results),
        "label_efficiency": _records(efficiency),
        "cells": [_cell(cell) for cell in cells],
    }
    # Of sets of the suite: a user's file of the same name is something else.
    names = list(dict.fromkeys(c.data.card for c in contexts.values() if c.data.card is not None))
    write_benchmark_report(
        output / "report.html",
        results=results,
        efficiency=efficiency if len(efficiency) else None,
        published=published_rows(names),
        maps=_maps(contexts, shown),
        calibrations=_calibrations(cells, contexts, shown.name),
        context=_lines(record),
    )
    _replace(output / "results.csv", results.to_csv(index=False))
    _replace(output / "results.md", results_markdown(results, efficiency))
    if len(efficiency):
        _replace(output / "label_efficiency.csv", efficiency.to_csv(index=False))
    else:  # that of an earlier call would not belong to this table
        (output / "label_efficiency.csv").unlink(missing_ok=True)
    _replace(output / "results.json", json.dumps(document, indent=1) + "\n")
    return output / "report.html"


def machines_of(cells: Sequence[Cell]) -> list[dict[str, str | int]]:
    """Return where and with what the cells were computed, and how many each time."""
    counts = Counter(json.dumps(dict(cell.machine)) for cell in cells)
    return [{**json.loads(text), "cells": count} for text, count in counts.items()]


def check_writable(output: Path) -> None:
    """Make the folder, and refuse one that cannot be written before hours of work.

    Raises:
        UserError: saying why.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot write to {output} ({reason}); choose another --output") from None


def _maps(contexts: Contexts, shown: Representation) -> list[Map2D]:
    """One map a data set, coloured by its first target; all parts, as no label is used."""
    maps = {}
    for (name, _), context in contexts.items():
        if name in maps:
            continue
        data = context.data
        x = features(shown, data, cache_folder() / "features")
        target = str(data.targets.columns[0])
        labels = data.targets[target].to_numpy(dtype=np.float64)
        maps[name] = embedding_map(name, target, x, labels, data.smiles)
    return list(maps.values())


def _calibrations(cells: Sequence[Cell], contexts: Contexts, name: str) -> list[Calibration]:
    """Calibrate, for every classification set, the head that is best on the validation part."""
    best: dict[str, Cell] = {}
    for cell in cells:
        key = cell.key
        context = contexts[key.dataset, key.split_sha256]
        whole = key.protocol != "label-efficiency"
        if not whole or key.representation != name or context.data.task != "classification":
            continue
        if key.dataset not in best or cell.valid_score > best[key.dataset].valid_score:
            best[key.dataset] = cell
    drawn = []
    for dataset, cell in best.items():
        context = contexts[dataset, cell.key.split_sha256]
        truth = context.data.targets.to_numpy(dtype=np.float64)[context.split.test]
        drawn.append(calibration(dataset, name, cell.key.head, truth, cell.test))
    return drawn


def _cell(cell: Cell) -> dict[str, Any]:
    key = cell.key
    return {
        "dataset": key.dataset,
        "representation": key.representation,
        "head": key.head,
        "protocol": key.protocol,
        "seed": key.seed,
        "fraction": key.fraction,
        "draw": key.draw,
        "cell": key.digest(),
        "features": key.key,
        "num_labels": cell.num_labels,
        "choice": cell.choice,
        "test": {name: _number(cell.mean(name)) for name in cell.scores},
        "valid": _number(cell.valid_score),
        "seconds": round(cell.seconds, 1),
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if np.isfinite(value) else None


def _lines(record: Mapping[str, Any]) -> dict[str, str]:
    """Flatten the record for the foot of the page."""
    settings = record["settings"]
    model = record["model"]
    lines = {
        "command": record["command"],
        "model": "none: baselines alone" if model is None else f"{model['path']}, {model['key']}",
    }
    for name in ("protocols", "heads", "split", "seeds", "draws", "dedupe"):
        value = settings[name]
        lines[name] = ", ".join(value) if isinstance(value, list) else str(value)
    for name, data in record["data"].items():
        hashes = ", ".join(s["sha256"][:16] for s in data["splits"])
        lines[f"data {name}"] = (
            f"{data['molecules']:,} of {data['rows']:,} rows, sha256 {data['sha256'][:16]}, "
            f"split {hashes}"
        )
    for number, machine in enumerate(record["machines"]):
        suffix = "" if number == 0 else f" ({number + 1})"
        lines |= {f"{name}{suffix}": str(value) for name, value in machine.items()}
    for failure in record["failures"]:
        lines[f"not computed: {failure.partition(': ')[0]}"] = failure
    return lines


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return records


def _replace(path: Path, text: str) -> None:
    atomic_write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
