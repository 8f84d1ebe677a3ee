"""``molvec benchmark``: is this model worth using, and for which data?"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from molvec.errors import UserError

SHARED = ("suite", "model", "output", "seeds", "set_", "jobs")
"""Options that special suites have, too."""


def benchmark(
    context: typer.Context,
    suite: Annotated[
        list[str] | None,
        typer.Argument(
            help="moleculenet, moleculenet-small, moleculenet-full, or names of data sets; "
            "ppi or kg, perhaps with names: networks of proteins, knowledge graphs; "
            "qm9, perhaps with names of its labels: molecules in space."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="A run, a model folder or zinc-2d; without one, baselines alone."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Your own labelled molecules: .csv, .tsv, .parquet.")
    ] = None,
    smiles_column: Annotated[str | None, typer.Option(help="Column of --data with SMILES.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="Column of --data to predict; repeatable.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="classification (0, 1) or regression.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder; default runs/benchmark-<suite>-<model>."),
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(help="frozen (default), finetune, label-efficiency; repeatable."),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(help="On frozen features: linear, forest, kernel (default), mlp; repeatable."),
    ] = None,
    split: Annotated[str, typer.Option(help="scaffold_hu, scaffold_balanced or random.")] = (
        "scaffold_hu"
    ),
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 to N-1.")] = 3,
    trees: Annotated[
        int | None, typer.Option(min=1, help="Of a forest; default 500, fewer for large sets.")
    ] = None,
    fraction: Annotated[
        list[float] | None, typer.Option(help="Share of the labels; default .05 .1 .25 .5 1.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Subsets of each share.")] = 5,
    trained: Annotated[
        bool, typer.Option(help="In label efficiency, train encoders too (slow).")
    ] = True,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="One row per molecule.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Of fine-tuning, e.g. --set epochs=30; ppi, kg: of pretraining."
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default all cores.")] = None,
) -> None:
    """Compare a model with fingerprints, descriptors and its own random start."""
    from molvec.benchmarking.special import SPECIAL

    if suite and suite[0] in SPECIAL:
        _special(context, suite[0], suite[1:], model, output, seeds, jobs, set_)
        return
    for name in suite or []:
        if name in SPECIAL:
            raise UserError(f"{name} is a suite of its own: molvec benchmark {name}")

    from rich.console import Console

    from molvec.benchmarking import BenchmarkSettings, run_benchmark
    from molvec.benchmarking.run import default_output
    from molvec.benchmarking.settings import FRACTIONS, choose_data
    from molvec.config import load_finetune_settings, parse_overrides
    from molvec.evaluate.benchmark_table import results_tables
    from molvec.evaluate.heads import DEFAULT_HEADS
    from molvec.train.interrupt import stopped_at_once

    names, chosen = choose_data(
        suite or [], data, smiles_column=smiles_column, targets=target or [], task=task
    )
    settings = BenchmarkSettings(
        **chosen,
        protocols=tuple(protocol or ["frozen"]),
        heads=tuple(head or DEFAULT_HEADS),
        split=split,
        seeds=seeds,
        trees=trees,
        draws=draws,
        trained=trained,
        dedupe=dedupe,
        finetune=load_finetune_settings(parse_overrides(set_ or [])),
        jobs=jobs or os.cpu_count() or 1,
        fractions=tuple(fraction) if fraction else FRACTIONS,
    )
    folder = output or default_output(names, model)
    with stopped_at_once(f"stopped; the same command continues in {folder}"):
        result = run_benchmark(
            settings,
            output=folder,
            model=model,
            command=shlex.join(["molvec", *sys.argv[1:]]),
            report=lambda line: typer.echo(line, err=True),
        )
    console = Console()
    for shown in results_tables(result.results, width=console.width):
        console.print(shown)
    if result.failures:
        typer.echo(
            f"not computed: {len(result.failures)}, named above and in results.json", err=True
        )
    typer.echo(f"tables in {folder / 'results.csv'}, report in {result.report}")
    if result.failures:
        raise typer.Exit(2)


def _special(
    context: typer.Context,
    suite: str,
    names: list[str],
    model: str | None,
    output: Path | None,
    seeds: int,
    jobs: int | None,
    set_: list[str] | None,
) -> None:
    """Run a suite of something else than molecules."""
    from rich.console import Console
    from rich.markdown import Markdown

    from molvec.benchmarking.run import default_output
    from molvec.benchmarking.special import OPTIONS, SPECIAL
    from molvec.config import parse_overrides
    from molvec.train.interrupt import stopped_at_once

    more = {}
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in SHARED:
            continue
        if name not in OPTIONS.get(suite, ()):
            raise UserError(f"{option.opts[0]} has no meaning for the suite {suite}")
        more[name] = context.params[name]
    own = Path("runs") / "-".join(["benchmark", suite, *names])  # a suite that pretrains
    folder = output or (own if model is None else default_output([suite, *names], model))
    with stopped_at_once(f"stopped; the same command continues in {folder}"):
        result = SPECIAL[suite](
            names=names,
            model=model,
            output=folder,
            seeds=seeds,
            jobs=jobs or os.cpu_count() or 1,
            overrides=parse_overrides(set_ or []),
            command=shlex.join(["molvec", *sys.argv[1:]]),
            report=lambda line: typer.echo(line, err=True),
            **more,
        )
    Console().print(Markdown(result.table))
    if result.failures:
        typer.echo(
            f"not computed: {len(result.failures)}, named above and in results.json", err=True
        )
    typer.echo(f"tables in {folder / 'results.csv'} and {folder / 'results.md'}")
    if result.failures:
        raise typer.Exit(2)
