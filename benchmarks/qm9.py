"""How much quantum chemistry is in a model that saw QM9's geometries, and none of its labels?

    python -m benchmarks.qm9 probe --model runs/qm9
    python -m benchmarks.qm9 finetune --model runs/qm9 --share 0.05

110,000 molecules teach, 10,000 choose, 10,831 test, at random (seed 0), as is usual for QM9. Six
labels: homo, lumo, gap (eV), mu (Debye), alpha (Bohr^3) and u0 (internal energy at 0 K less that of
the free atoms, eV); scores are mean absolute errors on the test part. ``probe`` fits linear heads
on frozen vectors, from all labels and from shares of them, beside the same network at random start
and beside counts of the elements. ``finetune`` trains all six jointly from a share of the labels,
from the model's weights and from scratch, both with the same noise on their coordinates.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molvec.benchmarking.encoders import ModelFolder
from molvec.config import load_finetune_settings, parse_overrides
from molvec.data.labelled import Labelled
from molvec.data.qm9_labelled import load_qm9, qm9_split
from molvec.data.split import Split
from molvec.embed.load import load
from molvec.evaluate.heads import fit_head
from molvec.evaluate.markdown_table import table_lines
from molvec.finetuning import finetune
from molvec.provenance import describe

TARGETS = {"homo": "eV", "lumo": "eV", "gap": "eV", "mu": "D", "alpha": "Bohr^3", "u0": "eV"}
SHARES = (0.01, 0.05, 0.1, 1.0)
DRAWS = 3  # of a share of the labels
ELEMENTS = (1, 6, 7, 8, 9)

Array = NDArray[np.floating]


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    for name in ("probe", "finetune"):
        command = commands.add_parser(name)
        command.add_argument("--model", type=Path, required=True)
        command.add_argument("--output", type=Path, default=Path("benchmarks/results"))
        command.add_argument(
            "--train", type=int, default=110_000, help="molecules of the training part to use"
        )
        command.add_argument("--valid", type=int, default=10_000)
        command.add_argument("--part", choices=("test", "valid"), default="test")
        command.add_argument("--seeds", type=int, default=1)
    command.add_argument("--share", type=float, default=0.05)
    command.add_argument("--set", action="append", default=[], help="a setting of fine-tuning")
    arguments = parser.parse_args()
    machine = describe()
    data = load_qm9(tuple(TARGETS))
    split = smaller(qm9_split(data), arguments.train, arguments.valid, arguments.part)
    run = run_probe if arguments.command == "probe" else run_finetune
    scores = run(arguments, data, split)
    sizes = [len(part) for part in (split.train, split.valid, split.test)]
    document = {
        "model": ModelFolder(arguments.model).about(),
        "machine": machine,
        "molecules": sizes,
        "part": arguments.part,
        "scores": scores,
    }
    write(arguments.output, f"qm9-{arguments.command}", document)


def smaller(split: Split, train: int, valid: int, part: str) -> Split:
    """Use fewer molecules (the first of a random order); for choices, test on validation rows."""
    rng = np.random.default_rng(1)
    learn, choose = rng.permutation(split.train)[:train], rng.permutation(split.valid)
    if part == "valid":
        return replace(split, train=learn, valid=choose[: valid // 2], test=choose[valid // 2 :])
    return replace(split, train=learn, valid=choose[:valid])


def run_probe(arguments: argparse.Namespace, data: Labelled, split: Split) -> dict:
    """Linear heads on what is frozen."""
    model = ModelFolder(arguments.model)
    rows = np.concatenate([split.train, split.valid, split.test])
    assert data.conformers is not None
    conformers = [data.conformers[int(data.rows[i])] for i in rows]
    counts = np.array([[(c.elements == z).sum() for z in ELEMENTS] for c in conformers])
    vectors = {"pretrained": [load(model.folder).embed(conformers, on_error="raise")]}
    starts = (model.random_embedder(seed) for seed in range(arguments.seeds))
    vectors["random start"] = [start.embed(conformers, on_error="raise") for start in starts]
    vectors["counts of the elements"] = [counts.astype(np.float64)]
    labels = data.targets.to_numpy(dtype=np.float64)[rows]
    ends = np.cumsum([len(split.train), len(split.valid)])
    scores: dict[str, dict[str, list[dict[str, float]]]] = {}
    for share in SHARES:
        draws = 1 if share == 1 else DRAWS
        scores[f"{share:.0%} of the labels"] = {
            name: [
                probe(x, labels, ends, learn)
                for x in several
                for learn in drawn(ends[0], share, draws)
            ]
            for name, several in vectors.items()
        }
    return scores


def drawn(size: int, share: float, draws: int) -> list[NDArray[np.int64]]:
    """Rows of a share of the training part, a few times."""
    count = round(share * size)
    return [np.random.default_rng(draw).permutation(size)[:count] for draw in range(draws)]


def probe(x: Array, y: Array, ends: Sequence[int], learn: NDArray[np.int64]) -> dict[str, float]:
    """Fit on the rows that are learned from, choose the strength, score the rest."""
    valid, test = slice(ends[0], ends[1]), slice(ends[1], None)
    errors = {}
    for column, name in enumerate(TARGETS):
        wanted = y[:, [column]]
        head = fit_head(
            "linear",
            "regression",
            x[learn],
            wanted[learn],
            x[valid],
            wanted[valid],
            scale=True,
            seed=0,
        )
        errors[name] = float(np.abs(head.predict(x[test]) - wanted[test]).mean())
    return errors


def run_finetune(arguments: argparse.Namespace, data: Labelled, split: Split) -> dict:
    """All six labels jointly, from the model and from scratch."""
    truth = data.targets.to_numpy(dtype=np.float64)[split.test]
    scores: dict[str, list[dict[str, float]]] = {"from the model": [], "from scratch": []}
    for seed in range(arguments.seeds):
        (learn,) = drawn(len(split.train), arguments.share, 1)
        part = replace(split, train=split.train[learn])
        settings = load_finetune_settings({**parse_overrides(arguments.set), "seed": seed})
        for name, draws in scores.items():
            done = finetune(
                data,
                part,
                model=arguments.model,
                settings=settings,
                from_scratch=name == "from scratch",
                report=lambda line, epochs, name=name: print(name, line, flush=True),
            )
            errors = np.abs(done.test["best"] - truth).mean(0)
            draws.append(dict(zip(TARGETS, errors.tolist(), strict=True)))
    return {f"{arguments.share:.0%} of the labels": scores}


def write(output: Path, name: str, document: dict) -> None:
    """Write all scores, and their means as tables."""
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1) + "\n"
    (output / f"{name}.json").write_text(text, encoding="utf-8")
    lines = []
    for title, rows in document["scores"].items():
        body = []
        for row, draws in rows.items():
            cells = []
            for target in TARGETS:
                values = [draw[target] for draw in draws]
                spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
                cells.append(f"{np.mean(values):.3f}{spread}")
            body.append([row, *cells])
        head = [f"MAE, {title}", *(f"{name}, {unit}" for name, unit in TARGETS.items())]
        lines += [*table_lines(head, body), ""]
    (output / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
