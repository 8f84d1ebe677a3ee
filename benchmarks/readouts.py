"""Which readout serves frozen heads best? Cross-validated without the test parts of the suite.

    python -m benchmarks.readouts --model runs/zinc --output benchmarks/results

Five folds by scaffold, see :mod:`benchmarks.folds`. Writes ``readouts.json`` and ``readouts.md``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rdkit import RDLogger

from benchmarks.folds import DATASETS, cross_validated, folds
from molvec.benchmarking.encoders import ModelFolder
from molvec.data.labelled import load_labelled
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.nn.readout import READOUTS
from molvec.provenance import describe


def main() -> None:
    """Score every readout on every data set and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    arguments = parser.parse_args()

    RDLogger.DisableLog("rdApp.*")
    machine = describe()
    model = ModelFolder(arguments.model)
    encoders = {"pretrained": load(arguments.model), "random start": model.random_embedder(0)}
    rows = []
    for name in arguments.datasets:
        data = load_labelled(name)
        parts = folds(data)
        for start, embedder in encoders.items():
            for readout in (name for name, how in READOUTS.items() if not how.space):
                x = Embedder(
                    embedder.encoder, embedder.featurizer, readout=readout, device="cpu"
                ).embed(list(data.smiles))
                scores = cross_validated(data, parts, x)
                rows.append({"dataset": name, "start": start, "readout": readout, "folds": scores})
                print(name, start, readout, f"{np.mean(scores):.3f}", flush=True)
    write(arguments.output, rows, {"model": model.about(), "machine": machine})


def write(output: Path, rows: list[dict], about: dict) -> None:
    """Write every fold's score, and the means as a table."""
    output.mkdir(parents=True, exist_ok=True)
    document = json.dumps({**about, "scores": rows}, indent=1)
    (output / "readouts.json").write_text(document + "\n", encoding="utf-8")
    names = list(dict.fromkeys(row["dataset"] for row in rows))
    means = {(r["start"], r["readout"], r["dataset"]): np.mean(r["folds"]) for r in rows}
    lines = ["| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for start, readout in dict.fromkeys((row["start"], row["readout"]) for row in rows):
        values = [f"{means[start, readout, name]:.3f}" for name in names]
        lines.append(f"| {start}, `{readout}` | " + " | ".join(values) + " |")
    (output / "readouts.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
