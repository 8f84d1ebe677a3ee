"""Data sets of graphs: what the loader needs to know of one, and the molecules' own."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from molvec.data.mixture import Mixture
from molvec.data.store import SmilesStore
from molvec.featurize.grounding import Grounding
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.graph import GROUNDING
from molvec.records import Record, parse


class GraphDataset(Protocol):
    """Random access to graphs; picklable, so that workers can hold it."""

    @property
    def sizes(self) -> NDArray[np.integer]:
        """``[num_samples]``, anything that grows with a graph's size; must be cheap."""
        ...

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def row(self, index: int) -> int:
        """Return the number by which the user knows a sample: its row in the data."""
        ...

    def graph(self, index: int, epoch: int = 0) -> Data:
        """Return one graph, of one that is drawn another each epoch.

        Raises:
            ValueError: with a short reason, if there is none.
        """
        ...


class MoleculeDataset:
    """Molecules from a store of SMILES, parsed and featurised on demand.

    Args:
        store: SMILES texts.
        featurizer: molecule -> graph.
        max_atoms: a larger molecule is an error (and is skipped in training).
        grounding: attach what it computes as ``grounding``; nothing by default.
        rows: numbers of the store's rows to use; all by default.
    """

    def __init__(
        self,
        store: SmilesStore | Mixture,
        featurizer: MoleculeFeaturizer,
        *,
        max_atoms: int | None = None,
        grounding: Grounding | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        self.store = store
        self.featurizer = featurizer
        self.max_atoms = max_atoms
        self.grounding = grounding
        self.rows = rows

    @property
    def sizes(self) -> NDArray[np.integer]:
        """Length of each SMILES text: a proxy for the number of atoms that needs no parsing."""
        lengths = self.store.lengths
        return lengths if self.rows is None else lengths[self.rows]

    def __len__(self) -> int:
        return len(self.store) if self.rows is None else len(self.rows)

    def row(self, index: int) -> int:
        """Row of the store behind a sample."""
        return index if self.rows is None else int(self.rows[index])

    def graph(self, index: int, epoch: int = 0) -> Data:
        """Parse and featurise one molecule."""
        row = self.row(index)
        mol = parse(Record(index=row, smiles=self.store[row]), max_atoms=self.max_atoms)
        graph = self.featurizer(mol)
        if self.grounding is not None:
            graph[GROUNDING] = self.grounding(mol)
        return graph
