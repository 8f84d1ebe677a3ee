"""Turn a finished run into a shipped model: half precision, inside the package, with a card.

    python -m benchmarks.ship runs/zinc-2d zinc-2d
    molvec benchmark moleculenet --model zinc-2d -o results
    python -m benchmarks.ship runs/zinc-2d zinc-2d --results results/results.md   # for the card
    python -m benchmarks.ship runs/pdb pdb-3d --check structures/

Refuses more than 16 MB, and weights whose embeddings half precision moves by more than 1 %:
those of 500 NCI molecules, or of the chains in the folder ``--check``. Paths of the user's own data
become their last part.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import molvec
from benchmarks.cards import CARDS
from molvec.checkpoint import load_model, save_model
from molvec.data.card import list_cards
from molvec.data.store import open_store
from molvec.demo import molecules
from molvec.embed.load import load, model_folder

LARGEST = 16_000_000
"""Bytes of the weights."""

MOST_MOVED = 0.01
"""Largest relative distance between embeddings in half and in single precision."""

CHECKED = 500
"""Molecules or chains to compare."""


def main() -> None:
    """Convert, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--results", type=Path, help="tables in Markdown, for the card")
    parser.add_argument("--check", type=Path, help="structures to embed, for a model of proteins")
    parser.add_argument("--weights", type=Path, default=Path(molvec.__file__).parent / "weights")
    arguments = parser.parse_args()

    source = model_folder(arguments.run)
    config, tensors = load_model(source)
    half = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    target = arguments.weights / arguments.name
    results = arguments.results.read_text(encoding="utf-8") if arguments.results else ""
    without_paths(config["training"]["settings"]["data"])
    kind = config["featurizer"]["kind"]
    card = CARDS[kind](arguments.name, config, results)
    save_model(target, config=config, tensors=half, card=card)
    size = (target / "model.safetensors").stat().st_size
    if kind == "protein" and arguments.check is None:
        parser.error("a model of proteins needs --check FOLDER")
    moved = distance(source, target, arguments.check)
    print(f"{target}: {size / 1e6:.1f} MB; half precision moves embeddings by {moved:.2e}")
    if size > LARGEST or moved > MOST_MOVED:
        raise SystemExit(f"{target} is too large, or half precision is too coarse for it")


def without_paths(data: dict[str, Any]) -> None:
    """Name the user's own files by the last part of their path."""
    if data["source"] not in list_cards():
        data["source"] = Path(data["source"]).name
    if data.get("leave_out"):
        data["leave_out"] = Path(data["leave_out"]).name


def distance(source: Path, target: Path, structures: Path | None) -> float:
    """Largest relative difference of the embeddings of molecules, or of chains."""
    single, half = (load(folder, device="cpu") for folder in (source, target))
    items: list[Any]
    if structures is None:
        items = [mol for mol in molecules(open_store("nci"))[:CHECKED] if mol is not None]
    else:
        found = single.records(structures)
        items = list(islice((each for each in found if each.error is None), CHECKED))  # type: ignore[union-attr]
    a, b = single.embed(items), half.embed(items)
    return float((np.linalg.norm(a - b, axis=1) / np.linalg.norm(a, axis=1)).max())


if __name__ == "__main__":
    main()
