"""Does attention over atoms, learned with the labels, read more off a frozen encoder?

    python -m benchmarks.attention --model zinc-2d-mini --output benchmarks/results

Beside mean, maximum and sum, which need no labels: one attention over the atoms of each molecule
(Li et al. 2016, arXiv 1511.05493, as in PyG), learned together with a linear head on the atoms'
fixed vectors. All heads here are learned in the same way, by gradient descent; the fold that
chooses ends them. Five folds by scaffold, see :mod:`benchmarks.folds`; no test parts. Writes
``attention.json`` and ``attention.md``.
"""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import RDLogger
from torch import Tensor, nn
from torch_geometric.nn.aggr import AttentionalAggregation, MultiAggregation

from benchmarks.folds import DATASETS, Fold, folds
from molvec.data.labelled import Task, load_labelled
from molvec.embed.load import load
from molvec.evaluate.markdown_table import table_lines
from molvec.evaluate.metrics import METRICS, TASK_METRICS, score
from molvec.nn.head import GraphHead
from molvec.provenance import describe
from molvec.train.supervised import shuffled_batches, summed_loss

POOLED = ("mean", "max", "sum")
READOUTS = {
    "mean, maximum, sum": POOLED,
    "attention": ("attention",),
    "all four": (*POOLED, "attention"),
}
EPOCHS, PATIENCE, BATCH, RATE, DROPOUT = 200, 20, 64, 1e-3, 0.1

Rows = NDArray[np.int64]
Labels = NDArray[np.float64]
Atoms = list[Tensor]
Folds = dict[str, dict[str, list[float]]]
"""Scores by readout and data set, one per fold."""


class Reader(nn.Module):
    """A readout and a linear head on the vectors of a molecule's atoms.

    Args:
        width: of an atom's vector.
        reductions: of the atoms, side by side.
        task: of the targets.
        num_targets: how many there are.
    """

    def __init__(
        self, width: int, reductions: tuple[str, ...], task: Task, num_targets: int
    ) -> None:
        super().__init__()
        self.pool = MultiAggregation(
            [
                AttentionalAggregation(nn.Linear(width, 1)) if name == "attention" else name
                for name in reductions
            ]
        )
        self.head = GraphHead(
            width=width * len(reductions),
            num_targets=num_targets,
            task=task,
            dropout=DROPOUT,
        )

    def features(self, atoms: Atoms) -> Tensor:
        """Pool: ``[num_atoms, width]`` of each molecule -> ``[num_molecules, ...]``."""
        sizes = torch.tensor([len(each) for each in atoms])
        index = torch.arange(len(atoms)).repeat_interleave(sizes)
        return self.pool(torch.cat(atoms), index, dim_size=len(atoms))

    def forward(self, atoms: Atoms) -> Tensor:
        """Return logits or standardised values, ``[num_molecules, num_targets]``."""
        return self.head(self.features(atoms))

    @torch.no_grad()
    def predict(self, atoms: Atoms) -> NDArray[np.float64]:
        """Return probabilities or values, ``[num_molecules, num_targets]``."""
        self.eval()
        return self.head.to_values(self(atoms)).double().numpy()


def scores(task: Task, y: Labels, parts: list[Fold], atoms: Atoms, readout: str) -> list[float]:
    """Score a readout on each fold: mean ROC-AUC over the targets, or RMSE."""
    result = []
    for k, (rows, choose, held_out) in enumerate(parts):
        reader = fitted(task, y, rows, choose, atoms, READOUTS[readout], seed=k)
        result.append(measured(reader, y, held_out, atoms))
    return result


def measured(reader: Reader, y: Labels, rows: Rows, atoms: Atoms) -> float:
    """Score some rows."""
    metric = TASK_METRICS[reader.head.task][0]
    return score(metric, y[rows], reader.predict([atoms[i] for i in rows])).mean


def fitted(
    task: Task,
    y: Labels,
    rows: Rows,
    choose: Rows,
    atoms: Atoms,
    reductions: tuple[str, ...],
    *,
    seed: int,
) -> Reader:
    """Train a reader; keep the epoch that is best on the rows to choose with."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    reader = Reader(atoms[0].shape[1], reductions, task, y.shape[1])
    targets = torch.tensor(y[rows], dtype=torch.float32)
    reader.head.measure_targets(targets)
    with torch.no_grad():
        reader.head.measure_features(reader.features([atoms[i] for i in rows]))
    optimizer = torch.optim.AdamW(reader.parameters(), lr=RATE, weight_decay=0.01)
    sign = 1 if METRICS[TASK_METRICS[task][0]].higher_is_better else -1
    best, best_epoch, kept = -np.inf, 0, copy.deepcopy(reader.state_dict())
    sizes = [len(atoms[i]) for i in rows]
    for epoch in range(1, EPOCHS + 1):
        reader.train()
        for members in shuffled_batches(sizes, BATCH, generator):
            outputs = reader([atoms[rows[i]] for i in members])
            loss, labels = summed_loss(reader.head, outputs, targets[members])
            optimizer.zero_grad()
            (loss / max(labels, 1)).backward()
            optimizer.step()
        value = sign * measured(reader, y, choose, atoms)
        if value > best:
            best, best_epoch, kept = value, epoch, copy.deepcopy(reader.state_dict())
        if epoch - best_epoch >= PATIENCE:
            break
    reader.load_state_dict(kept)
    return reader


def main() -> None:
    """Score every readout on every data set and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    arguments = parser.parse_args()

    RDLogger.DisableLog("rdApp.*")
    machine, embedder = describe(), load(arguments.model, device="cpu")
    result: Folds = {name: {} for name in READOUTS}
    for name in arguments.datasets:
        data = load_labelled(name)
        y, parts = data.targets.to_numpy(dtype=np.float64), folds(data)
        atoms = [torch.from_numpy(v) for v in embedder.embed(list(data.smiles), level="node")]
        for readout, row in result.items():
            row[name] = scores(data.task, y, parts, atoms, readout)
            print(name, readout, f"{np.mean(row[name]):.3f}", flush=True)
    write(arguments.output, result, {"model": arguments.model, "machine": machine})


def write(output: Path, result: Folds, about: dict[str, object]) -> None:
    """Write every fold's score as JSON, and the means as a table."""
    document = json.dumps({**about, "scores": result}, indent=1)
    (output / "attention.json").write_text(document + "\n", encoding="utf-8")
    names = list(next(iter(result.values())))
    body = [
        [readout, *(f"{np.mean(row[name]):.3f}" for name in names)]
        for readout, row in result.items()
    ]
    lines = [
        "# Does attention over the atoms help a head on a frozen encoder?",
        "",
        f"`python -m benchmarks.attention --model {about['model']}`",
        "",
        "ROC-AUC, and RMSE for the last three sets; five folds by scaffold, no test parts. All "
        "heads are learned by gradient descent, attention together with them.",
        "",
        *table_lines(["readout, learned head", *names], body),
    ]
    (output / "attention.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
