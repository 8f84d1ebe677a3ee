"""Geometries from files: XYZ (one frame or many) and SDF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molvec.errors import UserError
from molvec.records.conformer import (
    MAX_ELEMENT,
    Conformer,
    ConformerRecord,
    conformer_of,
    has_hydrogens,
)
from molvec.records.folder import files_below
from molvec.records.lines import UNREADABLE, open_bytes
from molvec.records.record import RecordError
from molvec.records.sdf import blocks

SUFFIXES = (".xyz", ".sdf")
"""Files that hold positions, also ``.gz``."""


def read_conformers(path: Path) -> Iterator[ConformerRecord]:
    """Read a file of geometries, ``.xyz`` (one or many frames) or ``.sdf``, also ``.gz``.

    A broken SDF block is one row with a reason. In an XYZ file, which has no separators, what
    follows a broken frame is lost, and the row says so.

    Raises:
        UserError: if the file cannot be read, or is empty.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    read = _read_sdf if geometry_format(path) == ".sdf" else _read_xyz
    stem = path.name.partition(".")[0]
    rows = 0
    try:
        for name, found in read(path):
            text = name or (f"{stem}:{rows}" if rows else stem)
            if isinstance(found, str):
                yield ConformerRecord(rows, text, error=found)
            else:
                yield ConformerRecord(rows, text, Conformer(text, *found))
            rows += 1
    except UNREADABLE as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if rows == 0:
        raise UserError(f"{path} is empty")


def read_geometries(source: Path) -> Iterator[ConformerRecord]:
    """Read a file of geometries, or all below a folder; rows say which file they are from.

    A file of several that cannot be read is one row with a reason, known by the file's name.

    Raises:
        UserError: if there is none, or the only one cannot be read.
    """
    files = geometry_files(source)
    for file in files:
        name = file.relative_to(source).as_posix() if file != source else file.name
        try:
            for record in read_conformers(file):
                yield replace(record, file=name)
        except UserError as error:
            if len(files) == 1:
                raise
            reason = str(error).replace(str(file), file.name)
            yield ConformerRecord(0, name, error=reason, file=name)


def geometry_format(path: Path) -> str:
    """Return ``".xyz"`` or ``".sdf"``, or ``""`` for any other file."""
    name = path.name.lower().removesuffix(".gz")
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")


def geometry_files(source: Path) -> list[Path]:
    """Find files of geometries: the file itself, or all below a folder, sorted by path.

    Raises:
        UserError: if there is none.
    """
    if source.is_dir():
        found = files_below(source, geometry_format)
        if not found:
            raise UserError(f"{source} holds no geometries: expected .xyz or .sdf files, or .gz")
        return found
    if not source.is_file():
        raise UserError(f"there is no file or folder {source}")
    return [source]


Geometry = tuple[NDArray[np.uint8], NDArray[np.float32]]


def _read_sdf(path: Path) -> Iterator[tuple[str, Geometry | str]]:
    for block in blocks(path):
        title = block.split("\n", 1)[0].strip()
        with rdBase.BlockLogs():
            mol = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
        if mol is None:
            yield title, "not a valid SDF block"
            continue
        try:
            found = conformer_of(mol)
            if not has_hydrogens(mol):
                raise RecordError("hydrogens are missing: a molecule in space is all of its atoms")
            yield title, (found.elements, found.positions)
        except RecordError as error:
            yield title, error.reason


def _read_xyz(path: Path) -> Iterator[tuple[str, Geometry | str]]:
    with open_bytes(path) as file:
        lines = (line.decode("utf-8", errors="replace") for line in file)
        for line in lines:
            if not line.strip():
                continue
            try:
                count = int(line)
                if count < 1:
                    raise ValueError
            except ValueError:
                yield "", f"expected a number of atoms, got {line.strip()[:40]!r}; the rest is lost"
                return
            title = next(lines, "").strip()[:80]
            rows = [row.split() for _, row in zip(range(count), lines, strict=False)]
            try:
                with rdBase.BlockLogs():
                    frame = _xyz_frame(rows, count)
                yield title, frame
            except ValueError as error:
                yield title, f"{error}; the rest of the file is lost"
                return


def _xyz_frame(rows: list[list[str]], count: int) -> Geometry:
    if len(rows) < count:
        raise ValueError(f"{len(rows)} of {count} atoms")
    table = Chem.GetPeriodicTable()
    elements = np.empty(count, np.uint8)
    positions = np.empty((count, 3), np.float32)
    for i, row in enumerate(rows):
        try:
            symbol = row[0]
            elements[i] = (
                int(symbol) if symbol.isdigit() else table.GetAtomicNumber(symbol.capitalize())
            )
            if not 0 < elements[i] <= MAX_ELEMENT:
                raise ValueError
            # Mathematica wrote some files of QM9: 1.5*^-6.
            x, y, z = (float(text.replace("*^", "e")) for text in row[1:4])
            positions[i] = x, y, z
        except (IndexError, ValueError, RuntimeError, OverflowError):
            raise ValueError(
                f"atom {i + 1} is {' '.join(row)!r}, not an element and x y z"
            ) from None
    if not np.isfinite(positions).all():
        raise ValueError("positions that are not finite")
    return elements, positions
