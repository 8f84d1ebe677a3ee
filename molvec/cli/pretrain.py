"""``molvec pretrain``: make a model from molecules, in 2D or in space, proteins or a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molvec.errors import UserError


def pretrain(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A recipe (zinc, zinc-2d, nci, qm9, pdb, ppi, kg) or a YAML file."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Molecules: .smi, .csv, .tsv, .parquet, .sdf; recipe qm9: also .xyz, a folder; "
            "recipe pdb: a folder of structures, or a .txt with PDB ids; ppi, kg: a table of edges."
        ),
    ] = None,
    smiles_column: Annotated[str | None, typer.Option(help="Column of --data with SMILES.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder; default runs/<recipe>.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue the run in this folder, bit for bit.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Molecules per step.")] = None,
    preset: Annotated[str | None, typer.Option(help="Encoder size: tiny, small, base.")] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="The only source of randomness.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that featurise ahead.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, 32-true or bf16-mixed.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting, e.g. --set mask.ratio=0.5; repeatable."),
    ] = None,
) -> None:
    """Pretrain an encoder with data2vec, from a recipe, your own file, or where a run stopped."""
    from molvec.cli.display import TrainingDisplay
    from molvec.config import load_settings, parse_overrides
    from molvec.pretraining import pretrain as start
    from molvec.pretraining import resume as go_on

    named = {
        "data.source": data,
        "data.smiles_column": smiles_column,
        "data.workers": workers,
        "encoder.preset": preset,
        "optimizer.lr": lr,
        "steps": steps,
        "batch_size": batch_size,
        "seed": seed,
        "precision": precision,
    }
    overrides = {key: value for key, value in named.items() if value is not None}
    overrides |= parse_overrides(set_ or [])
    if resume is not None:
        if recipe or overrides or output:
            raise UserError(
                "--resume continues a run with its own settings in its own folder; "
                "give no recipe, --output or other setting beside it"
            )
        with TrainingDisplay(f"resuming {resume}") as display:
            run = go_on(resume, report=display.update)
    else:
        if recipe is None and data is None:
            raise UserError("say what to learn from: `molvec pretrain zinc` or --data FILE")
        settings = load_settings(recipe, overrides)
        folder = output or Path("runs") / Path(recipe or data or "run").stem
        with TrainingDisplay(f"pretraining in {folder}") as display:
            run = start(settings, output=folder, report=display.update)
    _finish(run)


def _finish(run) -> None:  # type: ignore[no-untyped-def]
    """Say what came out; exit as an interrupted program does if it was interrupted."""
    progress = run.progress
    if run.skipped:
        typer.echo(run.skipped, err=True)
    if progress.stopped_by is not None:
        typer.echo(
            f"stopped at step {progress.step:,} of {run.settings.steps:,}; "
            f"continue with: molvec pretrain --resume {run.folder}",
            err=True,
        )
        raise typer.Exit(128 + int(progress.stopped_by))
    typer.echo(
        f"{progress.step:,} steps, {progress.molecules:,} {run.settings.data.graphs} in "
        f"{progress.seconds:,.0f} s; model in {run.model}"
    )
