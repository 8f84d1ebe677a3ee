"""``molvec neighbors``: what a model of a network finds alike."""

from __future__ import annotations

from typing import Annotated

import typer


def neighbors(
    node: Annotated[str, typer.Argument(help="A node's name.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A run or a model folder.")],
    count: Annotated[int, typer.Option(min=1, help="How many to show.")] = 10,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """List the nodes of a network whose vectors point the same way as a node's, nearest first."""
    from molvec.embed.load import load
    from molvec.embed.network import NetworkEmbedder
    from molvec.errors import UserError

    embedder = load(model, device=device)
    if not isinstance(embedder, NetworkEmbedder):
        raise UserError(f"this needs a model of a network, not of {embedder.featurizer.kind}s")
    for row in embedder.neighbors(node, count).itertuples():
        typer.echo(f"{row.similarity:6.3f}  {row.node}")
