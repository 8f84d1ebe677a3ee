"""Which head reads frozen features best? Cross-validated without the test parts of the suite.

    python -m benchmarks.heads --model zinc-2d --output benchmarks/results

Every head on a model's embeddings and on ECFP4 counts, with all labels and with a tenth of them;
five folds by scaffold, see :mod:`benchmarks.folds`. Writes ``heads.json`` and ``heads.md``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rdkit import RDLogger

from benchmarks.folds import DATASETS, FOLDS, TREES, cross_validated, folds
from molvec.benchmarking.encoders import ModelFolder
from molvec.data.labelled import load_labelled
from molvec.data.source import cache_folder
from molvec.embed.load import load
from molvec.evaluate.heads import HEADS
from molvec.evaluate.markdown_table import table_lines
from molvec.evaluate.representation import ECFP, ecfp, features
from molvec.provenance import describe

SHARES = (1.0, 0.1)


def main() -> None:
    """Score every head on every data set and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    arguments = parser.parse_args()

    RDLogger.DisableLog("rdApp.*")
    about = {"model": ModelFolder(arguments.model).about(), "machine": describe()}
    embedder = load(arguments.model)
    rows = []
    for name in arguments.datasets:
        data = load_labelled(name)
        parts = folds(data)
        inputs = {
            "pretrained": (embedder.embed(list(data.smiles)), True),
            ECFP: (features(ecfp(), data, cache_folder() / "features"), False),
        }
        for representation, (x, scale) in inputs.items():
            for head in HEADS:
                for share in SHARES:
                    scores = cross_validated(data, parts, x, head=head, share=share, scale=scale)
                    row = {"dataset": name, "representation": representation, "head": head}
                    rows.append({**row, "share": share, "folds": scores})
                    print(*row.values(), share, f"{np.mean(scores):.3f}", flush=True)
    write(arguments.output, rows, about)


def write(output: Path, rows: list[dict], about: dict) -> None:
    """Write every fold's score, and the means as a table a share of the labels."""
    output.mkdir(parents=True, exist_ok=True)
    document = json.dumps({**about, "scores": rows}, indent=1)
    (output / "heads.json").write_text(document + "\n", encoding="utf-8")
    names = list(dict.fromkeys(row["dataset"] for row in rows))
    means = {
        (r["share"], r["representation"], r["head"], r["dataset"]): np.mean(r["folds"])
        for r in rows
    }
    lines = [
        "# Heads on frozen features",
        "",
        f"`python -m benchmarks.heads --model {about['model']['path']}`",
        "",
        f"ROC-AUC or RMSE, mean over {FOLDS} folds by scaffold; forests of {TREES} trees, seed 0; "
        "no test parts.",
    ]
    for share in dict.fromkeys(row["share"] for row in rows):
        body = [
            [f"{x}, {head}", *(f"{means[share, x, head, name]:.3f}" for name in names)]
            for x, head in dict.fromkeys((r["representation"], r["head"]) for r in rows)
        ]
        lines += ["", f"## {share:.0%} of the labels", "", *table_lines(["", *names], body)]
    (output / "heads.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
