"""``molvec data``: list, get and verify data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from molvec.data.card import DatasetCard

app = typer.Typer(help="List, download and verify data sets.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """Show every data set, and whether it is on this machine."""
    from rich.console import Console
    from rich.table import Table

    from molvec.data.card import list_cards, load_card
    from molvec.data.network_card import list_networks, load_network_card, place_of
    from molvec.data.source import is_here, locate
    from molvec.data.trajectory_card import list_trajectories, load_trajectory_card

    rows = []
    for name in list_cards():
        card = load_card(name)
        found = locate(card)
        missing = "damaged" if is_here(card) else "not downloaded"
        where = found.place if found else missing
        licence = card.licence.split(";")[0]  # the details are in the card
        rows.append((name, f"{card.rows:,}", _labels(card), licence, where, card.title))
    for name in list_networks():
        network = load_network_card(name)
        licence, place = network.licence.split(";")[0], place_of(network)
        labels = f"{network.labels} yes/no" if network.labels else "triples"
        rows.append((name, f"{network.edges:,}", labels, licence, place, network.title))
    for name in list_trajectories():
        moving = load_trajectory_card(name)
        licence, place = moving.licence.split(";")[0], place_of(moving)
        rows.append((name, f"{moving.frames:,}", "forces", licence, place, moving.title))
    # A line for each, however narrow the terminal: the title is what gives way.
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    names = ("name", "rows", "labels", "licence", "where")
    for name, cells in zip(names, zip(*rows, strict=True), strict=False):
        width = max(map(len, (name, *cells)))
        table.add_column(name, no_wrap=True, min_width=width)
    table.add_column("title", no_wrap=True)
    table.columns[1].justify = "right"
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _labels(card: DatasetCard) -> str:
    if card.num_targets is None:
        return "none"
    kind = "yes/no" if card.task == "classification" else "value" + "s" * (card.num_targets > 1)
    return f"{card.num_targets} {kind}"


@app.command()
def get(name: Annotated[str, typer.Argument(help="A name from `molvec data list`.")]) -> None:
    """Download a data set if it is not here yet, and print where it is."""
    from molvec.data.card import DatasetCard
    from molvec.data.network_card import fetch_network, find_card
    from molvec.data.source import fetch
    from molvec.data.trajectory_card import list_trajectories, load_trajectory_card

    card = load_trajectory_card(name) if name in list_trajectories() else find_card(name)
    for path in [fetch(card)] if isinstance(card, DatasetCard) else fetch_network(card).values():
        typer.echo(path)


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
    from molvec.data.card import DatasetCard, list_cards
    from molvec.data.network_card import find_card, list_networks, place_of
    from molvec.data.network_source import verify_network
    from molvec.data.trajectory import verify_trajectories
    from molvec.data.trajectory_card import list_trajectories, load_trajectory_card

    moving = list_trajectories()
    for other in [name] if name in moving else [] if name else moving:
        place = place_of(load_trajectory_card(other))
        if name is None and place == "not downloaded":
            typer.echo(f"{other}: not downloaded")
        else:
            typer.echo(verify_trajectories(other))
    if name in moving:
        return
    for card in map(find_card, [name] if name else [*list_cards(), *list_networks()]):
        if isinstance(card, DatasetCard):
            if name is None and not source.is_here(card):
                typer.echo(f"{card.name}: not downloaded")
            else:
                typer.echo(source.verify(card, parse_all=parse))
        elif name is None and place_of(card) == "not downloaded":
            typer.echo(f"{card.name}: not downloaded")
        else:
            typer.echo(verify_network(card))
