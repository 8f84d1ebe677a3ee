"""Turn a finished run into a shipped model: half precision, inside the package, with a card.

    python -m benchmarks.ship runs/zinc-2d zinc-2d
    molvec benchmark moleculenet --model zinc-2d -o results
    python -m benchmarks.ship runs/zinc-2d zinc-2d --results results/results.md   # for the card

Refuses more than 16 MB, and weights whose embeddings half precision moves by more than 1 %.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import molvec
from molvec.checkpoint import load_model, save_model
from molvec.data.card import load_card
from molvec.data.store import open_store
from molvec.demo import molecules
from molvec.embed.load import load, model_folder

LARGEST = 16_000_000
"""Bytes of the weights."""

MOST_MOVED = 0.01
"""Largest relative distance between embeddings in half and in single precision."""


def main() -> None:
    """Convert, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--results", type=Path, help="results.md of the suite, for the card")
    parser.add_argument("--weights", type=Path, default=Path(molvec.__file__).parent / "weights")
    arguments = parser.parse_args()

    source = model_folder(arguments.run)
    config, tensors = load_model(source)
    half = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    target = arguments.weights / arguments.name
    results = arguments.results.read_text(encoding="utf-8") if arguments.results else ""
    save_model(target, config=config, tensors=half, card=card(arguments.name, config, results))
    size = (target / "model.safetensors").stat().st_size
    moved = distance(source, target)
    print(f"{target}: {size / 1e6:.1f} MB; half precision moves embeddings by {moved:.2e}")
    if size > LARGEST or moved > MOST_MOVED:
        raise SystemExit(f"{target} is too large, or half precision is too coarse for it")


def distance(source: Path, target: Path) -> float:
    """Largest relative difference of the embeddings of 500 NCI molecules."""
    mols = [mol for mol in molecules(open_store("nci"))[:500] if mol is not None]
    single, half = (load(folder, device="cpu").embed(mols) for folder in (source, target))
    difference = np.linalg.norm(single - half, axis=1) / np.linalg.norm(single, axis=1)
    return float(difference.max())


def card(name: str, config: dict, results: str) -> str:
    """Write the model card: data, recipe, results, limits, licence."""
    training = config["training"]
    settings = training["settings"]
    data = settings["data"]
    sources = {data["source"]: 1, **data.get("extra", {})}
    encoder = config["encoder"]
    lines = [
        f"# {name}",
        "",
        f"A graph Transformer ({encoder['depth']} blocks of {encoder['dim']}) that learned from "
        "molecules without labels, with data2vec. Use it frozen, with a linear head or a random "
        "forest on top, or fine-tune it:",
        "",
        "```python",
        f'X = molvec.load("{name}").embed(smiles)',
        "```",
        "",
        "## Data",
        "",
    ]
    for source, times in sources.items():
        about = load_card(source)
        often = "" if times == 1 else f", each row {times} times an epoch"
        lines.append(
            f"- {about.title} (`{source}`, {about.rows:,} rows{often}; licence: {about.licence})"
        )
    lines += [
        "",
        "## Training",
        "",
        f"{training['steps']:,} steps of {settings['batch_size']} molecules: "
        f"{training['molecules']:,} molecules, {training['views']:,} masked views, "
        f"{training['seconds'] / 60:.0f} minutes on two CPU cores, seed {settings['seed']}, "
        f"torch {training['torch']}. The weights are the teacher's, in half precision. "
        f"`molvec pretrain {name}` repeats it.",
        "",
    ]
    if results:
        lines += ["## Results, frozen", "", "MoleculeNet, split `scaffold_hu`:", "", results]
    lines += [
        "## Limits",
        "",
        "- ZINC's Clean Leads are neutral molecules of C, N, O, S, F, Cl and Br with 250 to 350 "
        "Da: ions, other elements, and much smaller or larger molecules were not there.",
        "- No stereochemistry in the training data: tetrahedral and double-bond labels are read, "
        "and mean little to it.",
        "- The table says where fingerprints or descriptors are better. Look there first.",
        "",
        "## Licence",
        "",
        "MIT, as molvec. The training data have the licences above.",
        "",
        "## Settings",
        "",
        "```json",
        json.dumps(settings, indent=1),
        "```",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
