"""``molvec info``: what a model or a run is."""

from __future__ import annotations

from typing import Annotated

import typer


def info(
    model: Annotated[
        str | None, typer.Argument(help="A model's name, a run or a model folder.")
    ] = None,
) -> None:
    """Describe a model: size, training, settings. Without an argument: what is shipped."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False)
    for key, value in (_shipped() if model is None else _describe(model)).items():
        table.add_row(key, Text(value))
    Console().print(table)


def _shipped() -> dict[str, str]:
    import molvec
    from molvec.config import list_recipes
    from molvec.data.card import list_cards
    from molvec.data.network_card import list_networks
    from molvec.data.trajectory_card import list_trajectories
    from molvec.shipped import shipped_models

    return {
        "molvec": molvec.__version__,
        "models": ", ".join(shipped_models()),
        "recipes": ", ".join(list_recipes()),
        "data sets": ", ".join(list_cards()),
        "networks": ", ".join(list_networks()),
        "trajectories": ", ".join(list_trajectories()),
    }


def _describe(model: str) -> dict[str, str]:
    from molvec.embed.load import load, model_folder
    from molvec.featurize.conformer import ConformerFeaturizer
    from molvec.featurize.molecule import MoleculeFeaturizer
    from molvec.featurize.network import NetworkFeaturizer

    folder = model_folder(model)
    embedder = load(folder, device="cpu")
    config = embedder.config
    training = config.get("training", {})
    parameters = sum(p.numel() for p in embedder.encoder.parameters())
    settings = training.get("settings", {})
    featurizer = embedder.featurizer
    if isinstance(featurizer, MoleculeFeaturizer):
        whole, part, features = "molecule", "atom", ", ".join(featurizer.atom.features)
    elif isinstance(featurizer, ConformerFeaturizer):
        whole, part = "conformer", "atom"
        features = f"element; atoms within {featurizer.cutoff:g} Angstrom"
    elif isinstance(featurizer, NetworkFeaturizer):
        whole, part = "node", "sample of it"
        has = [f"{len(featurizer.names):,} nodes", f"{len(embedder.data['source']):,} edges"]
        has += [f"{len(featurizer.relations)} relations"] * featurizer.directed
        read = ["degree", *["node"] * featurizer.entities]
        read += [f"{featurizer.features} numbers"] * (featurizer.features > 0)
        features = f"{', '.join(read)}; a network of {', '.join(has)}"
    else:
        whole, part = "chain", "residue"
        features = f"kind of residue; CA atoms within {featurizer.cutoff:g} Angstrom"
    described = {
        "model": str(folder),
        "molvec": str(config.get("molvec_version")),
        "encoder": ", ".join(f"{key} {value}" for key, value in config["encoder"].items()),
        "parameters": f"{parameters:,}",
        "embedding": f"{embedder.dim} numbers per {whole} ({embedder.readout}), "
        f"{embedder.node_dim} per {part}",
        "features": features,
    }
    if training:
        described |= {
            "data": str(settings["data"]["source"]),
            "trained": f"{training['steps']:,} of {settings['steps']:,} steps, "
            f"{training['molecules']:,} {whole}s, {training['views']:,} masked views, "
            f"{training['seconds']:,.0f} s",
            "seed": str(settings["seed"]),
            "torch": training["torch"],
        }
    if "head" in config:
        head = config["head"]
        described["predicts"] = f"{', '.join(head['targets'])} ({head['task']})"
    return described
