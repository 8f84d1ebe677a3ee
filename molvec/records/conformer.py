"""Molecules as points in space: atoms with positions, at hand or made by a force field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molvec.records.parse import parse
from molvec.records.record import Record, RecordError

MAX_ELEMENT = 118
ATTEMPTS = 10
"""Starts of the distance geometry of one molecule; RDKit's default goes on for minutes."""


@dataclass(frozen=True, eq=False)
class Conformer:
    """One molecule in one geometry.

    Attributes:
        name: what it is known by.
        elements: uint8 ``[n]``, atomic numbers; hydrogens are atoms like all others.
        positions: float32 ``[n, 3]``, Angstrom.
    """

    name: str
    elements: NDArray[np.uint8]
    positions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.elements)


@dataclass(frozen=True, eq=False)
class ConformerRecord:
    """One row of a reading: a conformer, what one can be made of, or why there is none.

    Attributes:
        index: the row, counted from 0.
        text: what a user knows the row by: a name or a SMILES.
        conformer: the geometry, if the row brings one.
        molecule: the row as a molecule without a geometry.
        error: why there is neither.
        file: where it was read, below the folder that was given; ``None`` for what is in no file.
    """

    index: int
    text: str
    conformer: Conformer | None = None
    molecule: Record | None = None
    error: str | None = None
    file: str | None = None

    def geometry(self, *, max_atoms: int | None = None) -> Conformer:
        """Return the conformer; :func:`embed_conformer` makes it where the row brings none.

        Raises:
            RecordError: with a short reason, if there is none, or one of more atoms.
        """
        if self.error is not None:
            raise RecordError(self.error)
        conformer = self.conformer
        if conformer is None:
            assert self.molecule is not None
            conformer = embed_conformer(parse(self.molecule), name=self.text, max_atoms=max_atoms)
        if max_atoms is not None and len(conformer) > max_atoms:
            raise RecordError(f"{len(conformer)} atoms, more than the limit of {max_atoms}")
        return conformer


def embed_conformer(
    mol: Chem.Mol, *, name: str = "", seed: int = 0, max_atoms: int | None = None
) -> Conformer:
    """Make a geometry: ETKDGv3, then up to 200 steps of MMFF94 where it knows all atoms.

    Hydrogens are added; those at hand are kept. The same molecule, seed and RDKit give the same
    geometry. Source: Riniker and Landrum 2015 (doi:10.1021/acs.jcim.5b00654).

    Args:
        mol: a sanitised molecule; it is not changed.
        name: of the conformer.
        seed: of the starting distances.
        max_atoms: refuse larger ones, hydrogens included, before the costly part.

    Raises:
        RecordError: if there is none, with a short reason.
    """
    with rdBase.BlockLogs():
        whole = Chem.AddHs(mol)
        if max_atoms is not None and whole.GetNumAtoms() > max_atoms:
            raise RecordError(f"{whole.GetNumAtoms()} atoms, more than the limit of {max_atoms}")
        if any(atom.GetAtomicNum() == 0 for atom in whole.GetAtoms()):
            raise RecordError("no geometry: an atom without an element")
        parameters = rdDistGeom.ETKDGv3()
        parameters.randomSeed = seed  # type: ignore[assignment]  # RDKit's stubs are wrong here
        parameters.maxIterations = ATTEMPTS  # type: ignore[assignment]
        if not _embedded(whole, parameters):
            # Slower, for cages and crowded molecules.
            parameters.useRandomCoords = True  # type: ignore[assignment]
            if not _embedded(whole, parameters):
                raise RecordError("no geometry: distance geometry failed")
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(whole):
            rdForceFieldHelpers.MMFFOptimizeMolecule(whole)
    return conformer_of(whole, name=name)


def _embedded(mol: Chem.Mol, parameters: rdDistGeom.EmbedParameters) -> bool:
    try:
        return rdDistGeom.EmbedMolecule(mol, parameters) >= 0
    except (RuntimeError, ValueError):  # RDKit, of atoms that it has no radius for
        return False


def conformer_of(mol: Chem.Mol, *, name: str = "") -> Conformer:
    """Return a molecule's own geometry, its first.

    Raises:
        RecordError: if it has none in space, or one that is not finite.
    """
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        raise RecordError("no positions in space")
    positions = mol.GetConformer().GetPositions().astype(np.float32)
    elements = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    return _conformer(name, elements, positions)


def has_hydrogens(mol: Chem.Mol) -> bool:
    """Whether all hydrogens are atoms of their own: a geometry without them is not whole."""
    known = Chem.Mol(mol)
    known.UpdatePropertyCache(strict=False)  # of an unsanitised molecule RDKit knows no hydrogens
    return all(atom.GetNumImplicitHs() + atom.GetNumExplicitHs() == 0 for atom in known.GetAtoms())


def _conformer(name: str, elements: Any, positions: Any) -> Conformer:
    if len(elements) == 0:
        raise RecordError("no atoms")
    if 0 in elements:
        raise RecordError("an atom without an element")
    if not np.isfinite(positions).all():
        raise RecordError("positions that are not finite")
    return Conformer(name, np.asarray(elements, np.uint8), np.asarray(positions, np.float32))
