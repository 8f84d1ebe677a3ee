"""``molvec embed``: molecules in a file to vectors in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molvec.shipped import DEFAULT_MODEL


def embed(
    output: Annotated[Path, typer.Option("--output", "-o", help="A .parquet or .csv file.")],
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Molecules: .smi, .csv, .tsv, .parquet, .sdf; with a model in 3D geometries: "
            ".xyz, .sdf, a folder; with one of proteins structures: .pdb, .cif, a folder, a .txt "
            "of PDB ids; with one of a network a text file with one node a line. Also .gz."
        ),
    ] = None,
    nodes: Annotated[
        Path | None, typer.Option(help="The same for nodes of a network: --nodes ids.txt.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A shipped model's name, a run or a model folder.")
    ] = DEFAULT_MODEL,
    smiles_column: Annotated[str | None, typer.Option(help="Column with SMILES.")] = None,
    level: Annotated[
        str,
        typer.Option(help="graph: a vector per molecule or chain; node: per atom or residue."),
    ] = "graph",
    max_atoms: Annotated[
        int | None,
        typer.Option(min=1, help="More atoms (residues) make an empty row with a reason."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Embed molecules, proteins or nodes: a row each, bad ones empty with a reason."""
    from molvec.cli.display import RowsDisplay
    from molvec.embed.file import embed_file
    from molvec.embed.load import load
    from molvec.errors import UserError

    given = source if nodes is None else nodes
    if given is None or (source is not None and nodes is not None):
        raise UserError("say what to embed: one file (or folder), or --nodes FILE")
    level = "node" if level == "residue" else level
    if level not in ("graph", "node"):
        raise UserError(f"--level must be graph or node, got {level!r}")
    embedder = load(model, device=device)
    with RowsDisplay() as display:
        written = embed_file(
            embedder,
            given,
            output,
            smiles_column=smiles_column,
            level=level,  # type: ignore[arg-type]
            max_atoms=max_atoms,
            progress=display.update,
        )
    if written.skipped:
        summary = written.skipped.summary(written.rows)
        typer.echo(summary.replace("skipped", "no embedding for", 1), err=True)
    typer.echo(f"{written.rows:,} rows in {written.path}")
