"""Which readout serves frozen heads best? Cross-validated without the test parts of the suite.

    python -m benchmarks.readouts --model runs/zinc --output benchmarks/results

The molecules of the training and validation parts of ``scaffold_hu`` are cut into five folds by
Bemis-Murcko scaffold. Each fold is scored once, with a linear head fitted on three of the others
whose strength the fourth chose. Writes ``readouts.json`` and ``readouts.md``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import RDLogger
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles
from sklearn.model_selection import GroupKFold

from molvec.benchmarking.encoders import ModelFolder
from molvec.data.labelled import Labelled, load_labelled
from molvec.data.split import make_split
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.evaluate.heads import fit_head
from molvec.evaluate.metrics import TASK_METRICS, score
from molvec.nn.readout import READOUTS
from molvec.provenance import describe

DATASETS = ("bbbp", "bace", "clintox", "sider", "esol", "freesolv", "lipophilicity")
FOLDS = 5

Fold = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


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
            for readout in READOUTS:
                x = Embedder(
                    embedder.encoder, embedder.featurizer, readout=readout, device="cpu"
                ).embed(list(data.smiles))
                scores = cross_validated(data, parts, x)
                rows.append({"dataset": name, "start": start, "readout": readout, "folds": scores})
                print(name, start, readout, f"{np.mean(scores):.3f}", flush=True)
    write(arguments.output, rows, {"model": model.about(), "machine": machine})


def folds(data: Labelled) -> list[Fold]:
    """Rows to fit, to choose with and to score, by fold; the test part is in none of them."""
    split = make_split(data, "scaffold_hu", seed=0)
    rows = np.sort(np.concatenate([split.train, split.valid]))
    smiles = [data.smiles[row] for row in rows]
    groups = [MurckoScaffoldSmiles(text) or text for text in smiles]  # without a ring: one each
    folder = GroupKFold(FOLDS, shuffle=True, random_state=0)
    scored = [rows[held_out] for _, held_out in folder.split(rows, groups=groups)]
    return [
        (
            np.concatenate([scored[(k + j) % FOLDS] for j in range(2, FOLDS)]),
            scored[(k + 1) % FOLDS],
            scored[k],
        )
        for k in range(FOLDS)
    ]


def cross_validated(data: Labelled, parts: list[Fold], x: NDArray[np.float32]) -> list[float]:
    """Score a linear head on each fold: mean ROC-AUC over the targets, or RMSE."""
    y = data.targets.to_numpy(dtype=np.float64)
    metric = TASK_METRICS[data.task][0]
    scores = []
    for fit, choose, held_out in parts:
        head = fit_head(
            "linear", data.task, x[fit], y[fit], x[choose], y[choose], scale=True, seed=0
        )
        scores.append(score(metric, y[held_out], head.predict(x[held_out])).mean)
    return scores


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
