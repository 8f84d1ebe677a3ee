"""The ``molvec`` command: its verbs, and how errors reach the user."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import molvec
from molvec.cli import (
    benchmark,
    data,
    demo,
    doctor,
    embed,
    finetune,
    info,
    neighbors,
    predict,
    pretrain,
)
from molvec.errors import Stopped, UserError

app = typer.Typer(
    name="molvec",
    help="Self-supervised embeddings of molecules, proteins and networks: pretrain, embed, "
    "fine-tune, predict.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(pretrain.pretrain)
app.command()(benchmark.benchmark)
app.command()(embed.embed)
app.command()(finetune.finetune)
app.command()(predict.predict)
app.command()(info.info)
app.command()(neighbors.neighbors)
app.add_typer(data.app, name="data")
app.command()(demo.demo)
app.command()(doctor.doctor)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"molvec {molvec.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Hold the options before the verb; ``run`` looks for ``--debug`` itself, anywhere."""


def run() -> None:
    """Entry point: user errors are one line on stderr and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        app([argument for argument in sys.argv[1:] if argument != "--debug"])
    except UserError as error:
        if debug:
            raise
        _fail(str(error), 2)
    except Stopped as stopped:
        _fail(str(stopped), 128 + stopped.signal)
    except RuntimeError as error:
        # By name: importing the class would import torch for every --help.
        if debug or type(error).__name__ != "CollapsedError":
            raise
        _fail(str(error), 1)


def _fail(message: str, code: int) -> None:
    typer.echo(f"molvec: {' '.join(message.splitlines())}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    run()
