"""A molecule becomes a graph: atoms are nodes, bonds are edges, hydrogens are counted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import torch
from rdkit import Chem
from torch_geometric.data import Data

from molvec.featurize.vocabulary import ATOM, BOND, Vocabulary

_STEREO = {
    Chem.BondStereo.STEREOE: "E",
    Chem.BondStereo.STEREOTRANS: "E",
    Chem.BondStereo.STEREOZ: "Z",
    Chem.BondStereo.STEREOCIS: "Z",
}


class MoleculeFeaturizer:
    """RDKit molecule -> graph with ``x``, ``edge_index`` and ``edge_attr``.

    The vocabularies decide which index a value gets; a model keeps the ones it was trained with.

    Shapes (``n`` heavy atoms, ``m`` bonds):
        - ``x``: int64 ``[n, 6]``: element, charge, hydrogens, aromatic, ring, chirality.
        - ``edge_index``: int64 ``[2, 2 m]``, sorted by target.
        - ``edge_attr``: int64 ``[2 m, 2]``: order, stereo.
    """

    kind = "molecule"
    in_space = False
    encoder_inputs: Mapping[str, int] = {}

    def __init__(self, atom: Vocabulary = ATOM, bond: Vocabulary = BOND) -> None:
        if tuple(atom.features) != tuple(ATOM.features):
            raise ValueError(f"atom features must be {tuple(ATOM.features)}")
        if tuple(bond.features) != tuple(BOND.features):
            raise ValueError(f"bond features must be {tuple(BOND.features)}")
        self.atom = atom
        self.bond = bond
        self._atom_lookups = tuple(
            (table, size - 1) for table, size in zip(atom.lookups(), atom.sizes, strict=True)
        )
        self._order_lookup, self._stereo = bond.lookups()
        self._other_order, self._other_stereo = (size - 1 for size in bond.sizes)
        self._rows: dict[tuple[Hashable, ...], tuple[int, ...]] = {}

    def __call__(self, mol: Chem.Mol) -> Data:
        """Featurise one sanitised molecule.

        Raises:
            ValueError: if the molecule has no atoms.
        """
        if mol.GetNumAtoms() == 0:
            raise ValueError("no atoms")
        # GetAtoms() is a sequence written in Python and takes four times as long.
        atoms = map(mol.GetAtomWithIdx, range(mol.GetNumAtoms()))
        x = np.array([self._atom_row(atom) for atom in atoms], dtype=np.int64)
        edge_index, edge_attr = self._bonds(mol)
        return Data(
            x=torch.from_numpy(x),
            edge_index=torch.from_numpy(edge_index),
            edge_attr=torch.from_numpy(edge_attr),
        )

    def _atom_row(self, atom: Chem.Atom) -> tuple[int, ...]:
        values = (
            atom.GetAtomicNum(),
            atom.GetFormalCharge(),
            atom.GetTotalNumHs(),
            atom.GetIsAromatic(),
            atom.IsInRing(),
            atom.GetProp("_CIPCode") if atom.HasProp("_CIPCode") else "",
        )
        row = self._rows.get(values)  # a few hundred distinct rows cover a million molecules
        if row is None:
            row = tuple(
                table.get(value, other)
                for value, (table, other) in zip(values, self._atom_lookups, strict=True)
            )
            self._rows[values] = row
        return row

    def _bonds(self, mol: Chem.Mol) -> tuple[np.ndarray, np.ndarray]:
        """Return ``edge_index`` ``[2, 2 m]`` and ``edge_attr`` ``[2 m, 2]``.

        The bond-order matrix comes from one C++ call; a Python loop over bonds costs ten times
        as much. Its rows are the targets, so ``nonzero`` yields edges sorted by target.
        """
        matrix = Chem.GetAdjacencyMatrix(mol)
        target, source = matrix.nonzero()
        order_matrix = Chem.GetAdjacencyMatrix(mol, useBO=True)
        # A dative bond counts for its acceptor only: take the larger of the two directions.
        orders = np.maximum(order_matrix[target, source], order_matrix[source, target]).tolist()
        lookup, other, no_stereo = self._order_lookup, self._other_order, self._stereo[""]
        attr = [(lookup.get(order, other), no_stereo) for order in orders]
        if 2.0 in orders:
            for edge, order in enumerate(orders):
                if order == 2.0:
                    bond = mol.GetBondBetweenAtoms(int(source[edge]), int(target[edge]))
                    label = _STEREO.get(bond.GetStereo(), "")
                    attr[edge] = (attr[edge][0], self._stereo.get(label, self._other_stereo))
        edge_index = np.array((source, target), dtype=np.int64)
        return edge_index, np.array(attr, dtype=np.int64).reshape(-1, 2)

    @property
    def node_sizes(self) -> tuple[int, ...]:
        """Number of indices of each column of ``x``."""
        return self.atom.sizes

    @property
    def edge_sizes(self) -> tuple[int, ...]:
        """Number of indices of each column of ``edge_attr``."""
        return self.bond.sizes

    def to_json(self) -> dict[str, object]:
        """Everything needed to build the same featuriser again."""
        return {"kind": self.kind, "atom": self.atom.to_json(), "bond": self.bond.to_json()}

    @classmethod
    def from_json(cls, config: Mapping[str, dict[str, list[Hashable]]]) -> MoleculeFeaturizer:
        """Inverse of :meth:`to_json`."""
        return cls(Vocabulary.from_json(config["atom"]), Vocabulary.from_json(config["bond"]))
