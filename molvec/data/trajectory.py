"""A molecule in motion: frames with energies and forces, and the published parts of them."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.labelled import Labelled, labels_sha256
from molvec.data.network_card import require_here
from molvec.data.source import fetch
from molvec.data.split import Split
from molvec.data.trajectory_card import load_trajectory_card
from molvec.errors import UserError, did_you_mean
from molvec.records import Conformer, SkipCount

PARTS = 5
"""Published pairs of frames to learn from and frames to test."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Frames of one molecule.

    Attributes:
        name: of the data set and the molecule, ``rmd17-ethanol``.
        elements: uint8 ``[n]``, atomic numbers.
        positions: float32 ``[frames, n, 3]``, Angstrom.
        energies: float64 ``[frames]``, eV.
        forces: float32 ``[frames, n, 3]``, eV/Angstrom; the negative gradient of the energy.
        parts: frames to learn from and frames to test, int64, for each published pair.
    """

    name: str
    elements: NDArray[np.uint8]
    positions: NDArray[np.float32]
    energies: NDArray[np.float64]
    forces: NDArray[np.float32]
    parts: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]

    def __len__(self) -> int:
        return len(self.energies)

    def conformers(self) -> list[Conformer]:
        """Return the frames as conformers, named by their number."""
        return [
            Conformer(f"{self.name}:{i}", self.elements, positions)
            for i, positions in enumerate(self.positions)
        ]

    def labelled(self) -> Labelled:
        """Return the frames as molecules in space with one label, the energy in eV."""
        rows = np.arange(len(self), dtype=np.int64)
        names = tuple(f"{self.name}:{i}" for i in rows)  # in the place of SMILES: all are the same
        targets = pd.DataFrame({"energy": self.energies})
        return Labelled(
            name=self.name,
            task="regression",
            smiles=names,
            rows=rows,
            targets=targets,
            num_rows=len(self),
            skipped=SkipCount(),
            duplicates=0,
            contradictions=0,
            sha256=labels_sha256("regression", rows, names, targets),
            unit="eV",
            conformers=self.conformers(),
        )

    def split(self, pair: int = 0, *, valid: int = 50, seed: int = 0) -> Split:
        """Take a published pair; some of the frames to learn from are left for choices.

        Papers learn from 950 frames and choose with 50 of the 1,000.

        Args:
            pair: which, from 0.
            valid: frames for choices, drawn with ``seed``.
            seed: of that draw.

        Raises:
            ValueError: for a pair that there is not, or a ``valid`` that leaves nothing.
        """
        if not 0 <= pair < len(self.parts):
            raise ValueError(f"pair must be 0 to {len(self.parts) - 1}, got {pair}")
        learn, test = self.parts[pair]
        if not 0 < valid < len(learn):
            raise ValueError(f"valid must be 1 to {len(learn) - 1}, got {valid}")
        order = np.random.default_rng(seed).permutation(learn)
        parts = [np.sort(order[valid:]), np.sort(order[:valid]), np.sort(test)]
        digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
        name = f"published_{pair + 1}_valid_{valid}"
        return Split(name, seed, parts[0], parts[1], parts[2], digest)


def load_trajectory(name: str, molecule: str) -> Trajectory:
    """Load one molecule of a set of trajectories, fetching its file if need be.

    Args:
        name: of a card, ``"rmd17"``.
        molecule: ``"aspirin"`` or ``"ethanol"``.

    Raises:
        UserError: if there is no such set or molecule, or it cannot be had.
    """
    card = load_trajectory_card(name)
    files = dict(card.contents())
    if molecule not in files:
        hint = did_you_mean(molecule, files)
        raise UserError(f"{name} has no molecule {molecule!r}.{hint} Known: {', '.join(files)}")
    found = read_trajectory(fetch(files[molecule]), name=f"{name}-{molecule}")
    if len(found) != card.frames:
        raise UserError(f"{found.name}: {len(found):,} frames, the card says {card.frames:,}")
    return found


def read_trajectory(path: Path, *, name: str) -> Trajectory:
    """Read frames from a file of arrays, as those of rMD17 are.

    ``z`` ``[n]``, ``R`` ``[frames, n, 3]`` (Angstrom), ``E`` ``[frames]`` (eV), ``F`` as ``R``
    (eV/Angstrom), and ``train_01``, ``test_01`` to ``train_05``, ``test_05``.

    Raises:
        UserError: if an array is missing, of another shape or not finite, if a frame is not there,
            or is both learned from and tested.
    """
    names = [f"{part}_{pair:02}" for pair in range(1, PARTS + 1) for part in ("train", "test")]
    try:
        with np.load(path, allow_pickle=False) as arrays:
            held = {key: arrays[key] for key in ("z", "R", "E", "F", *names)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no trajectory of rMD17's form ({error})") from None
    frames, atoms = len(held["E"]), len(held["z"])
    for key, shape in (("E", (frames,)), ("R", (frames, atoms, 3)), ("F", (frames, atoms, 3))):
        if held[key].shape != shape:
            raise UserError(f"{path}: {key} has shape {held[key].shape}, expected {shape}")
        if not np.isfinite(held[key]).all():
            raise UserError(f"{path}: {key} has numbers that are not finite")
    parts = []
    for train, test in zip(names[::2], names[1::2], strict=True):
        pair = held[train].astype(np.int64), held[test].astype(np.int64)
        rows = np.concatenate(pair)
        if len(np.unique(rows)) < len(rows) or rows.min() < 0 or rows.max() >= frames:
            raise UserError(f"{path}: {train} and {test} repeat a frame, or name one that is none")
        parts.append(pair)
    return Trajectory(
        name=name,
        elements=held["z"].astype(np.uint8),
        positions=held["R"].astype(np.float32),
        energies=held["E"].astype(np.float64),
        forces=held["F"].astype(np.float32),
        parts=tuple(parts),
    )


def verify_trajectories(name: str) -> str:
    """Read all molecules of a set on this machine and compare them with the card.

    Returns:
        One line that says what was found.

    Raises:
        UserError: if there is no copy, or it does not fit the card.
    """
    card = load_trajectory_card(name)
    place = require_here(card)
    found = [load_trajectory(name, molecule) for molecule in card.files]
    frames = ", ".join(f"{len(t):,} frames of {m}" for m, t in zip(card.files, found, strict=True))
    return f"{name}: {frames}, sha256 fits ({place})"
