"""Conformers from whatever a user has: files, folders, SMILES, RDKit molecules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rdkit import Chem

from molvec.errors import UserError
from molvec.records.conformer import Conformer, ConformerRecord, conformer_of, has_hydrogens
from molvec.records.geometry import geometry_format, read_geometries
from molvec.records.python import from_python
from molvec.records.read import file_format, read_records
from molvec.records.record import Record, RecordError


def conformer_records(items: Any, *, smiles_column: str | None = None) -> Iterator[ConformerRecord]:
    """Read conformers, or molecules to make them of: one record per row.

    Args:
        items: a ``Path`` to a file or a folder of geometries, or to a table of SMILES; a
            :class:`Conformer`, a SMILES, an RDKit molecule (its own geometry counts, if it has
            hydrogens or needs none; else one is made), a record, or an iterable of these.
        smiles_column: of a table.

    Raises:
        UserError: for a path that cannot be read.
    """
    for index, record in enumerate(_found(items, smiles_column)):
        yield replace(record, index=index)


_NO_COLUMN = (str, bytes, bytearray, Mapping, Chem.Mol)


def _found(items: Any, smiles_column: str | None) -> Iterator[ConformerRecord]:
    if isinstance(items, Conformer):
        yield ConformerRecord(0, items.name, items)
    elif isinstance(items, ConformerRecord):
        yield items
    elif isinstance(items, Path):
        yield from _from_path(items.expanduser(), smiles_column)
    elif isinstance(items, Iterable) and not (
        isinstance(items, _NO_COLUMN) or hasattr(items, "columns")
    ):
        for item in items:
            if isinstance(item, Conformer | ConformerRecord | Path):
                yield from _found(item, smiles_column)
            else:
                yield from map(_of_molecule, from_python([item]))
    else:
        yield from map(_of_molecule, from_python(items))  # one molecule, or refused


def _from_path(path: Path, smiles_column: str | None) -> Iterator[ConformerRecord]:
    if path.is_dir() or geometry_format(path):
        if smiles_column is not None:
            raise UserError(f"{path} has no columns: drop --smiles-column")
        yield from read_geometries(path)
        return
    file_format(path)  # names the formats if it is none of them
    yield from map(_of_molecule, read_records(path, smiles_column=smiles_column))


def _of_molecule(record: Record) -> ConformerRecord:
    mol = record.mol
    if mol is not None and mol.GetNumConformers() and has_hydrogens(mol):
        name = Chem.MolToSmiles(Chem.RemoveHs(mol, sanitize=False))
        try:
            return ConformerRecord(0, name, conformer_of(mol, name=name))
        except RecordError as error:
            if mol.GetConformer().Is3D():
                return ConformerRecord(0, name, error=error.reason)
            # a drawing
    text = Chem.MolToSmiles(mol) if mol is not None else record.text
    return ConformerRecord(0, text, molecule=record, error=record.error)
