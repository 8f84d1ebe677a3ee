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


class Stored(Protocol):
    """A store: how many items, and how large each is."""

    @property
    def lengths(self) -> NDArray[np.integer]:
        """``[items]``, anything that grows with a graph's size."""
        ...

    def __len__(self) -> int:
        """Number of items."""
        ...


class StoreDataset:
    """What data sets over a store share; ``graph`` is each one's own.

    Args:
        store: what the graphs are made of.
        rows: numbers of the store's rows to use; all by default.
    """

    def __init__(self, store: Stored, rows: NDArray[np.int64] | None) -> None:
        self._lengths = store
        self.rows = rows

    @property
    def sizes(self) -> NDArray[np.integer]:
        """Length of each item in the store: of a SMILES text, in atoms, in residues."""
        lengths = self._lengths.lengths
        return lengths if self.rows is None else lengths[self.rows]

    def __len__(self) -> int:
        return len(self._lengths) if self.rows is None else len(self.rows)

    def row(self, index: int) -> int:
        """Return the row of the store behind a sample."""
        return index if self.rows is None else int(self.rows[index])


class MoleculeDataset(StoreDataset):
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
        super().__init__(store, rows)
        self.store = store
        self.featurizer = featurizer
        self.max_atoms = max_atoms
        self.grounding = grounding

    def graph(self, index: int, epoch: int = 0) -> Data:
        """Parse and featurise one molecule."""
        row = self.row(index)
        mol = parse(Record(index=row, smiles=self.store[row]), max_atoms=self.max_atoms)
        graph = self.featurizer(mol)
        if self.grounding is not None:
            graph[GROUNDING] = self.grounding(mol)
        return graph
