"""A molecule in space becomes a graph: all atoms are nodes, near ones are joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch_geometric.data import Data

from molvec.featurize.neighbours import radius_edges
from molvec.featurize.vocabulary import Vocabulary
from molvec.graph import POS
from molvec.records import Conformer

ELEMENT = Vocabulary({"element": tuple(range(1, 119))})

CUTOFF = 5.0
"""Angstrom; two bonds reach 2.5, three 3.9. That of PaiNN (arXiv 2102.03150) for QM9."""
MAX_NEIGHBOURS = 32


class ConformerFeaturizer:
    """Conformer -> graph with ``x``, ``pos``, ``edge_index`` and an empty ``edge_attr``.

    Bonds are not given: distances tell. Every two atoms within the cutoff are joined, the nearest
    of each first.

    Args:
        cutoff: largest distance of neighbours, Angstrom.
        max_neighbours: nearest neighbours of each atom.
        element: the elements, one feature.

    Shapes (``n`` atoms, hydrogens among them):
        - ``x``: int64 ``[n, 1]``: element.
        - ``pos``: float32 ``[n, 3]``, Angstrom.
        - ``edge_index``: int64 ``[2, m]``, sorted by target; ``edge_attr``: int64 ``[m, 0]``.
    """

    kind = "conformer"
    in_space = True
    encoder_inputs: Mapping[str, int] = {}
    edge_sizes: tuple[int, ...] = ()

    def __init__(
        self,
        *,
        cutoff: float = CUTOFF,
        max_neighbours: int = MAX_NEIGHBOURS,
        element: Vocabulary = ELEMENT,
    ) -> None:
        self.cutoff = cutoff
        self.max_neighbours = max_neighbours
        self.element = element
        (self._elements,) = element.lookups()
        self._other = element.sizes[0] - 1

    @property
    def node_sizes(self) -> tuple[int, ...]:
        """Vocabulary sizes of the columns of ``x``."""
        return self.element.sizes

    def to_json(self) -> dict[str, Any]:
        """Everything needed to build the same featuriser again."""
        return {
            "kind": self.kind,
            "cutoff": self.cutoff,
            "max_neighbours": self.max_neighbours,
            "element": self.element.to_json(),
        }

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> ConformerFeaturizer:
        """Inverse of :meth:`to_json`."""
        return cls(
            cutoff=config["cutoff"],
            max_neighbours=config["max_neighbours"],
            element=Vocabulary.from_json(config["element"]),
        )

    def __call__(self, conformer: Conformer) -> Data:
        """Featurise one conformer.

        Raises:
            ValueError: if it has no atoms.
        """
        if len(conformer) == 0:
            raise ValueError("no atoms")
        pos = torch.from_numpy(conformer.positions)
        known = [self._elements.get(int(z), self._other) for z in conformer.elements]
        edge_index = radius_edges(pos, self.cutoff, max_neighbours=self.max_neighbours)
        edge_attr = torch.empty(edge_index.shape[1], 0, dtype=torch.int64)
        x = torch.tensor(known)[:, None]
        return Data(x=x, edge_index=edge_index, edge_attr=edge_attr, **{POS: pos})
