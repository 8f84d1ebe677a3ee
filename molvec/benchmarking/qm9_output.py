"""The tables of QM9: mean absolute errors by label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from molvec.atomic import atomic_write
from molvec.evaluate.cells import Cell
from molvec.evaluate.markdown_table import table_lines

MEND = "choose another --output"


def write_qm9(
    output: Path, cells: Sequence[Cell], *, units: Mapping[str, str], record: Mapping[str, Any]
) -> str:
    """Write ``results.csv``, ``results.md`` and ``results.json``.

    Args:
        output: the folder.
        cells: all of them.
        units: label -> unit, in the order of the cells' scores.
        record: what the scores are of: command, model, settings.

    Returns:
        The tables in Markdown, as in ``results.md``.

    Raises:
        UserError: if a file cannot be written.
    """
    frame = qm9_frame(cells, units)
    text = qm9_markdown(frame)
    machines = [dict(cell.machine) for cell in cells]
    document = {
        **record,
        "machines": [m for i, m in enumerate(machines) if m not in machines[:i]],
        "results": json.loads(frame.to_json(orient="records", double_precision=15)),
        "cells": [_plain(cell, list(units)) for cell in cells],
    }
    files = {
        "results.csv": frame.to_csv(index=False),
        "results.md": text,
        "results.json": json.dumps(document, indent=1) + "\n",
    }
    for name, content in files.items():
        _write(output / name, content)
    return text


def qm9_frame(cells: Sequence[Cell], units: Mapping[str, str]) -> pd.DataFrame:
    """Aggregate cells over seeds and draws.

    Returns:
        One row per protocol, share of the labels, representation and label: ``mae`` and ``std``
        (ddof 1; NaN with one value), in ``unit``, and ``num_values``.
    """
    rows = [
        {
            "protocol": cell.key.protocol,
            "fraction": cell.key.fraction,
            "representation": cell.key.representation,
            "label": label,
            "unit": unit,
            "mae": error,
        }
        for cell in cells
        for (label, unit), error in zip(units.items(), cell.scores["mae"], strict=True)
    ]
    by = ["protocol", "fraction", "representation", "label", "unit"]
    groups = pd.DataFrame(rows).groupby(by, sort=False)["mae"]
    frame = groups.agg(mae="mean", std=lambda values: values.std(ddof=1), num_values="count")
    return frame.reset_index()


def qm9_markdown(frame: pd.DataFrame) -> str:
    """Draw a table for each protocol and share of the labels."""
    lines: list[str] = []
    for (protocol, share), table in frame.groupby(["protocol", "fraction"], sort=False):
        labels = table.drop_duplicates("label")
        head = [f"{label}, {unit}" for label, unit in zip(labels.label, labels.unit, strict=True)]
        body = []
        for name, row in table.groupby("representation", sort=False):
            values = zip(row.mae, row["std"], strict=True)
            cells = [f"{mae:.3f}" + ("" if pd.isna(s) else f" ± {s:.3f}") for mae, s in values]
            body.append([str(name), *cells])
        lines += [*table_lines([f"MAE, {protocol}, {share:.0%} of the labels", *head], body), ""]
    return "\n".join(lines)


def _plain(cell: Cell, labels: Sequence[str]) -> dict[str, Any]:
    key = cell.key
    return {
        "protocol": key.protocol,
        "fraction": key.fraction,
        "draw": key.draw,
        "representation": key.representation,
        "head": key.head,
        "seed": key.seed,
        "cell": key.digest(),
        "features": key.key,
        "choice": cell.choice,
        "mae": dict(zip(labels, map(float, cell.scores["mae"]), strict=True)),
        "seconds": round(cell.seconds, 1),
    }


def _write(path: Path, text: str) -> None:
    atomic_write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"), mend=MEND)
