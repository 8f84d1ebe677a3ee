"""``molvec predict``: molecules in a file to predicted values in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    source: Annotated[
        Path, typer.Argument(help="Molecules: .smi, .csv, .tsv, .parquet, .sdf, also .gz.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .parquet or .csv file.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A fine-tuned model's folder.")],
    smiles_column: Annotated[str | None, typer.Option(help="Column with SMILES.")] = None,
    max_atoms: Annotated[
        int | None, typer.Option(min=1, help="Larger molecules become empty rows with a reason.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Predict a fine-tuned model's targets for a file: one output row per input row."""
    from molvec.cli.display import RowsDisplay
    from molvec.embed.load import load
    from molvec.embed.predict import predict_file

    predictor = load(model, device=device)
    with RowsDisplay() as display:
        written = predict_file(
            predictor,
            source,
            output,
            smiles_column=smiles_column,
            max_atoms=max_atoms,
            progress=display.update,
        )
    if written.skipped:
        summary = written.skipped.summary(written.rows)
        typer.echo(summary.replace("skipped", "no prediction for", 1), err=True)
    typer.echo(f"{written.rows:,} rows in {written.path}")
