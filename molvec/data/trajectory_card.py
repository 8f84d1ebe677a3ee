"""Cards of trajectories: a file of frames for each molecule, otherwise as networks' cards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from molvec.data.card import Card, cards_folder, read_card_of
from molvec.data.network_card import CardFile, NetworkFile
from molvec.errors import UserError, did_you_mean


class TrajectoryCard(Card):
    """Frames of molecules in motion, with energies and forces."""

    frames: Annotated[int, Field(gt=0)]  # of each molecule
    files: Annotated[dict[str, CardFile], Field(min_length=1)]  # by molecule

    def contents(self) -> Iterable[tuple[str, NetworkFile]]:
        """Yield the files by molecule."""
        for molecule, held in self.files.items():
            about = held.file, held.sha256, held.mirror_path, held.sources
            yield molecule, NetworkFile(self.name, *about)


def trajectories_folder() -> Path:
    """Return the folder of the cards of trajectories."""
    return cards_folder() / "trajectories"


def list_trajectories() -> list[str]:
    """Return the names of all cards of trajectories, sorted."""
    return sorted(path.stem for path in trajectories_folder().glob("*.yaml"))


def load_trajectory_card(name: str) -> TrajectoryCard:
    """Return the card of a set of trajectories.

    Raises:
        UserError: if there is no such card, or it is not a valid one.
    """
    known = list_trajectories()
    if name not in known:
        hint = did_you_mean(name, known)
        raise UserError(f"there are no trajectories {name!r}.{hint} Known: {', '.join(known)}")
    return read_card_of(TrajectoryCard, trajectories_folder() / f"{name}.yaml")
