"""A model of a network for a suite: pretrained in its folder, or one that is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molvec.benchmarking.datasets import Report
from molvec.config import PretrainSettings, load_settings
from molvec.embed.load import load
from molvec.embed.network import NetworkEmbedder
from molvec.errors import Stopped, UserError
from molvec.pretraining import pretrain, resume
from molvec.records import Network
from molvec.train.loop import Report as Steps


def pretrained_run(
    recipe: str,
    source: str,
    folder: Path,
    *,
    overrides: Mapping[str, Any],
    seed: int,
    report: Report,
) -> Path:
    """Pretrain on a network, or go on, or find it done; return the run's folder.

    Args:
        recipe: name of a recipe.
        source: of the network, the name of a data set or a file.
        folder: of the run.
        overrides: more settings, by dotted key.
        seed: of the run.
        report: receives some lines.

    Raises:
        Stopped: if a signal ended it; its checkpoint stays.
        UserError: if the folder holds a run with other settings.
    """
    settings = load_settings(recipe, {"data.source": source, "seed": seed, **overrides})
    if not (folder / "config.yaml").exists():
        report(f"{source}: pretraining in {folder}")
        run = pretrain(settings, output=folder, report=_progress(source, report))
    else:
        _check_same(settings, folder)
        run = resume(folder, report=_progress(source, report))
    if run.progress.stopped_by is not None:
        raise Stopped(
            f"stopped at step {run.progress.step:,} of {run.settings.steps:,}; the same command "
            "continues",
            run.progress.stopped_by,
        )
    report(f"{source}: {run.progress.step:,} steps of pretraining, {run.progress.seconds:.0f} s")
    return folder


def network_embedder(model: str | Path, network: Network, name: str) -> NetworkEmbedder:
    """Load a model of this very network.

    Raises:
        UserError: if it is of something else.
    """
    embedder = load(model)
    if not isinstance(embedder, NetworkEmbedder):
        raise UserError(f"{model} is a model of {embedder.featurizer.kind}s, not of networks")
    held = embedder.network
    same = set(held.names) == set(network.names) and held.num_edges == network.num_edges
    if not same or set(held.relations) != set(network.relations):
        raise UserError(
            f"{model} was not trained on the training triples of {name}: it holds "
            f"{len(held):,} nodes and {held.num_edges:,} edges, not {len(network):,} and "
            f"{network.num_edges:,}"
        )
    return embedder


def _check_same(settings: PretrainSettings, folder: Path) -> None:
    held = load_settings(folder / "config.yaml")
    if held != settings:
        raise UserError(
            f"{folder} holds a run with other settings; choose another --output, or remove it"
        )


def _progress(source: str, report: Report) -> Steps:
    """Report ten times a run."""
    told = 0

    def tell(progress: Any, values: dict[str, float], steps: int) -> None:
        nonlocal told
        tenth = 10 * progress.step // steps
        if tenth > told:
            told = tenth
            report(
                f"{source}: step {progress.step:,} of {steps:,}, loss {values['loss']:.3f}, "
                f"effective rank {values['effective_rank']:.0f}"
            )

    return tell
