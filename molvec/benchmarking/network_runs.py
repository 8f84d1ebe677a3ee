"""Pretrained models of networks for a suite: made, continued or taken as they are."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molvec.benchmarking.datasets import Report
from molvec.config import load_settings
from molvec.errors import UserError
from molvec.pretraining import findable, pretrain, resume
from molvec.settings import PretrainSettings
from molvec.train.state import Progress


def pretrained(
    folder: Path,
    *,
    recipe: str,
    source: str,
    seed: int,
    overrides: Mapping[str, Any],
    report: Report,
) -> Path:
    """Return the run folder of a finished pretraining, starting or continuing it if need be.

    Args:
        folder: of the run.
        recipe: name of a shipped recipe.
        source: name of a network.
        seed: of the run.
        overrides: other settings, by dotted key.
        report: receives a line at some of the steps.

    Raises:
        UserError: if the folder holds a run with other settings, or a setting is wrong.
        KeyboardInterrupt: if a signal stopped it; the next call continues.
    """
    fixed = {"data.source": source, "seed": seed}
    for name in fixed:
        if name in overrides:
            raise UserError(f"the suite chooses {name}; do not set it")
    wanted = findable(load_settings(recipe, {**overrides, **fixed}))
    if (folder / "config.yaml").exists():
        if _plain(load_settings(folder / "config.yaml")) != _plain(wanted):
            raise UserError(
                f"{folder} holds a run with other settings; choose another --output, or remove it"
            )
        if (folder / "model" / "config.json").exists() and _steps(folder) == wanted.steps:
            return folder
        run = resume(folder, report=_reporter(source, seed, report))
    else:
        run = pretrain(wanted, output=folder, report=_reporter(source, seed, report))
    if run.progress.stopped_by is not None:
        signal.raise_signal(signal.Signals(run.progress.stopped_by))
    report(
        f"{source}: pretrained, seed {seed}: {run.progress.step:,} steps in "
        f"{run.progress.seconds:,.0f} s"
    )
    return folder


def _plain(settings: PretrainSettings) -> dict[str, Any]:
    """Settings that the numbers depend on."""
    tree = settings.model_dump(mode="json")
    for name in ("log_every", "checkpoint_every", "keep", "tensorboard"):
        del tree[name]
    del tree["data"]["workers"]
    return tree


def _steps(folder: Path) -> int:
    from molvec.checkpoint import load_model

    config, _ = load_model(folder / "model")
    steps: int = config["training"]["steps"]
    return steps


def _reporter(source: str, seed: int, report: Report) -> Any:
    tenth = 0

    def tell(progress: Progress, values: Mapping[str, float], steps: int) -> None:
        nonlocal tenth
        if 10 * progress.step // steps > tenth:
            tenth = 10 * progress.step // steps
            report(f"{source}: pretraining, seed {seed}: step {progress.step:,} of {steps:,}")

    return tell
