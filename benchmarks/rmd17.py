"""Energies along trajectories: does pretraining on molecules at rest help with one in motion?

    python -m benchmarks.rmd17 --model qm9-3d
    python -m benchmarks.rmd17 --model qm9-3d --protocol finetune --molecules ethanol

Aspirin and ethanol of rMD17, the first published pair of parts: 950 frames teach, 50 choose, 1,000
test; scores are mean absolute errors of the energy in meV. ``frozen`` fits a linear head on vectors
of the model and of the same network at random start; ``finetune`` trains from the model's weights
and from scratch. Energies alone: forces, from which papers learn too, are not used.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from molvec.atomic import atomic_write
from molvec.benchmarking.encoders import ModelFolder
from molvec.config import load_finetune_settings, parse_overrides
from molvec.data.split import Split
from molvec.data.trajectory import Trajectory, load_trajectory
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.evaluate.heads import fit_head
from molvec.evaluate.markdown_table import table_lines
from molvec.finetuning import finetune
from molvec.provenance import describe

FINETUNE = {"epochs": 60, "lr": 1e-3}
"""Where fine-tuning on frames differs from the usual settings."""

Scores = dict[str, dict[str, list[float]]]
"""Molecule -> row of the table -> meV, one number a seed."""


def main() -> None:
    """Score one model by one protocol."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--protocol", choices=("frozen", "finetune"), default="frozen")
    parser.add_argument("--molecules", nargs="+", default=["aspirin", "ethanol"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], help="a setting of fine-tuning")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args()
    machine, folder = describe(), ModelFolder(given.model)
    overrides = {**FINETUNE, **parse_overrides(given.set)}
    scores: Scores = {}
    for molecule in given.molecules:
        frames = load_trajectory("rmd17", molecule)
        split = frames.split(0)
        spread = 1000 * np.abs(frames.energies[split.test] - frames.energies[split.train].mean())
        scores[molecule] = {"mean of the training frames": [float(spread.mean())]}
        if given.protocol == "frozen":
            scores[molecule] |= probed(frames, split, folder, given.seeds)
        else:
            scores[molecule] |= tuned(frames, split, folder, overrides, given.seeds)
    document = {
        "model": folder.about(),
        "machine": machine,
        "settings": overrides if given.protocol == "finetune" else {},
        "scores": scores,
    }
    write(given.output, f"rmd17-{given.protocol}", document)


def probed(
    frames: Trajectory, split: Split, folder: ModelFolder, seeds: int
) -> dict[str, list[float]]:
    """Linear heads on frozen vectors."""
    starts = [folder.random_embedder(seed) for seed in range(seeds)]
    return {
        "pretrained": [probe(load(folder.folder), frames, split)],
        "random start": [probe(start, frames, split) for start in starts],
    }


def probe(embedder: Embedder, frames: Trajectory, split: Split) -> float:
    """Fit on the training frames, choose the strength, score the test frames, meV."""
    parts, conformers = (split.train, split.valid, split.test), frames.conformers()
    x = [embedder.embed([conformers[i] for i in part], on_error="raise") for part in parts]
    y = [frames.energies[part][:, None] for part in parts]
    head = fit_head("linear", "regression", x[0], y[0], x[1], y[1], scale=True, seed=0)
    return float(1000 * np.abs(head.predict(x[2]) - y[2]).mean())


def tuned(
    frames: Trajectory, split: Split, folder: ModelFolder, overrides: dict, seeds: int
) -> dict[str, list[float]]:
    """Train the whole network, from the model and from scratch."""
    data, truth = frames.labelled(), frames.energies[split.test][:, None]
    scores: dict[str, list[float]] = {"fine-tuned": [], "from scratch": []}
    for seed in range(seeds):
        settings = load_finetune_settings({**overrides, "seed": seed})
        for name, values in scores.items():
            done = finetune(
                data,
                split,
                model=folder.folder,
                settings=settings,
                from_scratch=name == "from scratch",
            )
            values.append(float(1000 * np.abs(done.test["best"] - truth).mean()))
            print(f"{frames.name}, {name}, seed {seed}: {values[-1]:.1f} meV", flush=True)
    return scores


def write(output: Path, name: str, document: dict) -> None:
    """Write all scores, and a table of their means."""
    scores: Scores = document["scores"]
    body = []
    for row in next(iter(scores.values())):
        cells = []
        for values in (rows[row] for rows in scores.values()):
            spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.1f}{spread}")
        body.append([row, *cells])
    head = ["MAE of the energy, meV", *scores]
    table = "\n".join([*table_lines(head, body), ""])
    text = json.dumps(document, indent=1) + "\n"
    for suffix, content in ((".json", text), (".md", table)):
        atomic_write(
            output / f"{name}{suffix}",
            lambda path, content=content: path.write_text(content, encoding="utf-8"),
        )
    print(table)


if __name__ == "__main__":
    main()
