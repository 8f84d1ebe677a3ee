"""Molecules in space in, vectors out: from geometries, or from SMILES that get one first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from molvec.embed.embedder import Embedder
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.records import ConformerRecord, conformer_records


class ConformerEmbedder(Embedder):
    """A frozen encoder of molecules in space with its featuriser and readout.

    :meth:`embed` takes a ``Path`` to a file of geometries (``.xyz``, ``.sdf``, also ``.gz``), to a
    folder of them or to a table of SMILES; a :class:`molvec.records.Conformer`, a SMILES or an
    RDKit molecule, or a list of these. What brings no geometry gets one by ETKDG and MMFF94
    (:func:`molvec.records.embed_conformer`), always the same; without one its row is empty, with
    the reason. Atoms are in the geometry's order, hydrogens among them (those that are added come
    last). Turning or shifting a geometry leaves the vectors as they are.

    For the arguments see :class:`molvec.embed.Embedder`.
    """

    def records(self, items: Any) -> Iterable[ConformerRecord]:
        """Return the rows that :meth:`embed` makes of ``items``."""
        return conformer_records(items)

    def read(self, source: Path, *, smiles_column: str | None = None) -> Iterable[ConformerRecord]:
        """Read the rows of a file or a folder.

        Raises:
            UserError: if there is nothing to read.
        """
        return conformer_records(source, smiles_column=smiles_column)

    def graph(self, record: ConformerRecord, max_atoms: int | None) -> Data:
        """Make a conformer's graph.

        Raises:
            RecordError: if there is no geometry, or one of more than ``max_atoms`` atoms.
        """
        assert isinstance(self.featurizer, ConformerFeaturizer)
        return self.featurizer(record.geometry(max_atoms=max_atoms))
