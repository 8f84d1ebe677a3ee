"""``molvec data``: list, get and verify data sets."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="List, download and verify data sets.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """Show every data set, and whether it is on this machine."""
    from rich.console import Console
    from rich.table import Table

    from molvec.data.card import list_cards, load_card
    from molvec.data.source import is_here, locate

    table = Table("name", "rows", "licence", "where", "title", box=None, header_style="bold")
    table.columns[1].justify = "right"
    for name in list_cards():
        card = load_card(name)
        found = locate(card)
        missing = "damaged" if is_here(card) else "not downloaded"
        where = found.place if found else missing
        table.add_row(name, f"{card.rows:,}", card.licence, where, card.title)
    Console().print(table)


@app.command()
def get(name: Annotated[str, typer.Argument(help="A name from `molvec data list`.")]) -> None:
    """Download a data set if it is not here yet, and print where it is."""
    from molvec.data.card import load_card
    from molvec.data.source import fetch

    typer.echo(fetch(load_card(name)))


@app.command()
def verify(
    name: Annotated[
        str | None, typer.Argument(help="A name from `molvec data list`; default all here.")
    ] = None,
    parse: Annotated[
        bool, typer.Option("--parse", help="Also parse every row and count the failures.")
    ] = False,
) -> None:
    """Recompute checksums and row counts of data sets on this machine."""
    from molvec.data import source
    from molvec.data.card import list_cards, load_card

    for card in map(load_card, [name] if name else list_cards()):
        if name is None and not source.is_here(card):
            typer.echo(f"{card.name}: not downloaded")
        else:
            typer.echo(source.verify(card, parse_all=parse))
