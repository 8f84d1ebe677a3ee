"""Cards of networks: several files each (edges, features, labels, parts), otherwise as molecules'.

They are kept in a folder of their own, ``datasets/networks``, so that a name tells its kind.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, NonNegativeInt, model_validator

from molvec.data.card import (
    Card,
    DatasetCard,
    InnerPath,
    Sha256,
    Source,
    Strict,
    cards_folder,
    list_cards,
    load_card,
    read_card_of,
)
from molvec.data.source import Download, download_url, fetch, is_here, locate
from molvec.errors import UserError, did_you_mean

Count = Annotated[int, Field(gt=0)]
Form = Literal["tables", "matrix", "classes", "genes", "graphs", "actions", "triples"]
NEEDED: dict[Form, tuple[str, ...]] = {
    "tables": ("edges", "features", "labels", "splits"),
    "matrix": ("network",),
    "classes": ("edges", "nodes"),
    "genes": ("edges", "diseases"),
    "graphs": ("archive",),
    "actions": ("edges",),
    "triples": ("train",),
}
"""Roles of the files that each form has at least."""


class CardFile(Strict):
    """One file of a network's data set.

    Only the content counts, not how it was compressed. ``sources`` is empty where nobody serves
    the file in this form; ``converted_from`` then says what it was made of. ``sha256`` is left out
    only where ``unverified`` says why; the counts of the card must fit all the same.
    """

    file: Annotated[str, Field(pattern=r"^[^/\\]+$")]
    sha256: Sha256 | None = None
    mirror_path: InnerPath
    sources: tuple[Source, ...] = ()
    converted_from: str | None = None
    unverified: str | None = None

    @model_validator(mode="after")
    def _told(self) -> Self:
        if (self.sha256 is None) != (self.unverified is not None):
            raise ValueError("give sha256, or unverified with the reason why there is none")
        if bool(self.sources) == (self.converted_from is not None):
            raise ValueError("give sources, or converted_from where nobody serves this form")
        return self


@dataclass(frozen=True)
class NetworkFile:
    """One file of a card, as `molvec.data.source.fetch` wants it."""

    name: str
    file: str
    sha256: str | None
    mirror_path: str
    sources: tuple[Source, ...]


class NetworkCard(Card):
    """One network, or the graphs of one data set.

    Counts are those of what the loaders return: edges without self-loops and repeats, nodes with
    those that have no edge.
    """

    form: Form  # how its files are written: what reads them
    files: dict[str, CardFile]  # by role
    nodes: Count
    edges: Count
    relations: Count = 1
    features: NonNegativeInt = 0
    labels: NonNegativeInt = 0  # columns
    labelled: NonNegativeInt = 0  # nodes, or pairs, with labels
    # Triples: lines of the files, as they are, and how many of valid and test cannot be scored.
    triples: tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt] | None = None
    unseen: tuple[NonNegativeInt, NonNegativeInt] | None = None
    header: bool = False  # whether their first line is one
    target: str | None = None  # triples without official parts: the relation to predict

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = [role for role in NEEDED[self.form] if role not in self.files]
        if missing:
            raise ValueError(f"form {self.form} needs files {', '.join(missing)}")
        names = [file.file for file in self.files.values()]
        if len(set(names)) < len(names):
            raise ValueError("two files have the same name")
        if (self.form == "triples") != (self.triples is not None and self.unseen is not None):
            raise ValueError("triples and unseen are for form triples, and needed there")
        if (self.form == "triples") == bool(self.labels and self.labelled):
            raise ValueError("labels and labelled are for all forms but triples, and needed there")
        if self.form == "triples" and ({"valid", "test"} <= set(self.files)) == bool(self.target):
            raise ValueError("triples need files valid and test, or a target")
        return self

    @property
    def unverified(self) -> list[str]:
        """Names of the files of which no sha256 is known."""
        return [held.file for held in self.files.values() if held.sha256 is None]

    def check(self, found: Mapping[str, object]) -> None:
        """Compare counts with those of the card, by field.

        The edges of an unverified file are not compared: papers count them in other ways.

        Raises:
            UserError: naming the first that differs.
        """
        for field, count in found.items():
            told = getattr(self, field)
            if count != told and not (field == "edges" and self.unverified):
                raise UserError(f"{self.name}: {field} {_text(count)}, the card says {_text(told)}")

    def contents(self) -> Iterable[tuple[str, NetworkFile]]:
        """Yield the files by role."""
        for role, held in self.files.items():
            about = held.file, held.sha256, held.mirror_path, held.sources
            yield role, NetworkFile(self.name, *about)


def networks_folder() -> Path:
    """Return the folder of the cards of networks."""
    return cards_folder() / "networks"


def list_networks() -> list[str]:
    """Return the names of all cards of networks, sorted."""
    return sorted(path.stem for path in networks_folder().glob("*.yaml"))


def load_network_card(name: str) -> NetworkCard:
    """Return the card of a network.

    Raises:
        UserError: if there is no such card, or it is not a valid one.
    """
    known = list_networks()
    if name in known:
        return read_network_card(networks_folder() / f"{name}.yaml")
    if name in list_cards():
        raise UserError(f"{name} is a data set of molecules, no network. Known: {', '.join(known)}")
    raise UserError(
        f"there is no network {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}"
    )


def find_card(name: str) -> DatasetCard | NetworkCard:
    """Return the card of a data set of any kind.

    Raises:
        UserError: if there is no such card, or it is not a valid one.
    """
    networks = list_networks()
    if name in networks:
        return load_network_card(name)
    known = [*list_cards(), *networks]
    if name not in known:
        hint = did_you_mean(name, known)
        raise UserError(f"there is no data set {name!r}.{hint} Known: {', '.join(known)}")
    return load_card(name)


def read_network_card(path: Path) -> NetworkCard:
    """Read one card file.

    Raises:
        UserError: naming the field that is wrong.
    """
    return read_card_of(NetworkCard, path)


class Files(Protocol):
    """A card of several files."""

    @property
    def name(self) -> str:
        """Return the data set's name."""
        ...

    def contents(self) -> Iterable[tuple[str, NetworkFile]]:
        """Yield them by role."""
        ...


def fetch_network(
    card: Files, *, cache: Path | None = None, download: Download | None = None
) -> dict[str, Path]:
    """Return the files by role, each checked; what is not here is downloaded, an archive once.

    Raises:
        UserError: see :func:`molvec.data.source.fetch`.
    """
    with TemporaryDirectory() as folder:
        get = _Once(Path(folder), download or download_url)
        return {role: fetch(file, cache=cache, download=get) for role, file in card.contents()}


def place_of(card: Files, *, cache: Path | None = None) -> str:
    """Say where the files are: ``"cached"``, ``"mirror"``, ``"damaged"`` or ``"not downloaded"``.

    Where they are in several places, the first of them.
    """
    found = [(locate(file, cache=cache), file) for _, file in card.contents()]
    places = [place.place for place, _ in found if place is not None]
    if len(places) == len(found):
        return min(places)
    lost = [file for place, file in found if place is None]
    return "damaged" if any(is_here(file, cache=cache) for file in lost) else "not downloaded"


def require_here(card: Files) -> str:
    """Return :func:`place_of` files that are on this machine and fit the card.

    Raises:
        UserError: if they are not, or do not.
    """
    place = place_of(card)
    if place in ("damaged", "not downloaded"):
        what = "is damaged" if place == "damaged" else "is not on this machine"
        raise UserError(f"{card.name} {what}; run: molvec data get {card.name}")
    return place


def _text(count: object) -> str:
    if isinstance(count, tuple):
        return " / ".join(f"{n:,}" for n in count)
    return f"{count:,}" if isinstance(count, int) else str(count)


class _Once:
    """A downloader that keeps what it got: several files of one archive are one download."""

    def __init__(self, folder: Path, download: Download) -> None:
        self._folder = folder
        self._download = download
        self._kept: dict[str, Path] = {}

    def __call__(self, url: str, path: Path) -> None:
        if url not in self._kept:
            kept = self._folder / str(len(self._kept))
            self._download(url, kept)
            self._kept[url] = kept
        shutil.copyfile(self._kept[url], path)
