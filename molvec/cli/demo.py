"""``molvec demo``: the whole story in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for run and report.")] = (
        Path("demo")
    ),
    steps: Annotated[int | None, typer.Option(help="Fewer steps for a quick look.")] = None,
    seed: Annotated[int, typer.Option(help="The only source of randomness.")] = 0,
) -> None:
    """Pretrain on the 5,000 NCI molecules that RDKit ships; compare with random start."""
    from rich.console import Console
    from rich.table import Table

    from molvec.cli.display import TrainingDisplay
    from molvec.demo import run_demo

    with TrainingDisplay("pretraining on nci") as display:
        result = run_demo(output, steps=steps, seed=seed, report=display.update)
    table = Table(
        title="R² of a linear probe that counts functional groups in held-out molecules", box=None
    )
    scores = result.table.pivot(index="property", columns="representation", values="r2")
    table.add_column("property")
    for name in ("pretrained", "random start"):
        table.add_column(name, justify="right")
    for name in result.table["property"].unique():
        ours, theirs = scores.loc[name, "pretrained"], scores.loc[name, "random start"]
        table.add_row(name, f"{ours:.3f}", f"{theirs:.3f}", style="bold" if ours > theirs else "")
    Console().print(table)
    typer.echo(f"model in {result.run.model}, report in {result.report}")
