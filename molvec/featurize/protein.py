"""A protein chain becomes a graph: residues are nodes at their CA atoms."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data

from molvec.featurize.neighbours import radius_edges
from molvec.featurize.vocabulary import Vocabulary
from molvec.graph import POS
from molvec.records import Chain

RESIDUE = Vocabulary({"residue": tuple("ACDEFGHIKLMNPQRSTVWY")})
CONTACT = Vocabulary({"relation": ("space", "next", "previous")})

BONDED = 4.5
"""Residues next to each other in the file with CA atoms at most this far apart (Angstrom) are
bonded: 3.8 across a trans and 2.9 across a cis peptide bond; a gap in the chain is wider."""


class ProteinFeaturizer:
    """Chain -> graph with ``x``, ``pos``, ``edge_index`` and ``edge_attr``.

    Every two residues within the cutoff are joined, the nearest of each first; neighbours in the
    sequence always, by relations of their own.

    Args:
        cutoff: largest distance of neighbours in space, between CA atoms, Angstrom.
        max_neighbours: nearest neighbours in space of each residue.
        residue: the kinds of residues, one feature.

    Shapes (``n`` residues):
        - ``x``: int64 ``[n, 1]``: kind of residue; modified ones count as what they were made
          from, unknown ones are "other".
        - ``pos``: float32 ``[n, 3]``, CA atoms, Angstrom.
        - ``edge_index``: int64 ``[2, m]``, sorted by target; ``edge_attr``: int64 ``[m, 1]``:
          "next" if the source follows the target in the sequence.
    """

    kind = "protein"
    in_space = True
    encoder_inputs: Mapping[str, int] = {}

    def __init__(
        self, *, cutoff: float = 10.0, max_neighbours: int = 24, residue: Vocabulary = RESIDUE
    ) -> None:
        self.cutoff = cutoff
        self.max_neighbours = max_neighbours
        self.residue = residue
        (self._residues,) = residue.lookups()
        self._other = residue.sizes[0] - 1
        (self._relations,) = CONTACT.lookups()

    @property
    def node_sizes(self) -> tuple[int, ...]:
        """Vocabulary sizes of the columns of ``x``."""
        return self.residue.sizes

    @property
    def edge_sizes(self) -> tuple[int, ...]:
        """Vocabulary sizes of the columns of ``edge_attr``."""
        return CONTACT.sizes

    def to_json(self) -> dict[str, Any]:
        """Everything needed to build the same featuriser again."""
        return {
            "kind": self.kind,
            "cutoff": self.cutoff,
            "max_neighbours": self.max_neighbours,
            "residue": self.residue.to_json(),
            "contact": CONTACT.to_json(),
        }

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> ProteinFeaturizer:
        """Inverse of :meth:`to_json`.

        Raises:
            ValueError: for relations that this version does not make.
        """
        contact: dict[str, list[Hashable]] = config["contact"]
        if contact != CONTACT.to_json():
            raise ValueError(f"unknown relations between residues: {contact}")
        return cls(
            cutoff=config["cutoff"],
            max_neighbours=config["max_neighbours"],
            residue=Vocabulary.from_json(config["residue"]),
        )

    def __call__(self, chain: Chain) -> Data:
        """Featurise one chain.

        Raises:
            ValueError: if it has no residues.
        """
        if len(chain) == 0:
            raise ValueError("no residues")
        pos = torch.from_numpy(np.ascontiguousarray(chain.ca))
        x = torch.tensor([[self._residues.get(letter, self._other)] for letter in chain.sequence])
        edge_index, relation = self._edges(pos)
        return Data(x=x, edge_index=edge_index, edge_attr=relation[:, None], **{POS: pos})

    def _edges(self, pos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        first = torch.arange(len(pos) - 1)
        first = first[(pos[1:] - pos[:-1]).norm(dim=1) <= BONDED]
        chain = torch.stack([torch.cat([first + 1, first]), torch.cat([first, first + 1])])
        space = radius_edges(pos, self.cutoff, max_neighbours=self.max_neighbours)
        number = space[1] * len(pos) + space[0]
        space = space[:, ~torch.isin(number, chain[1] * len(pos) + chain[0])]
        edge_index = torch.cat([chain, space], dim=1)
        relation = torch.full((edge_index.shape[1],), self._relations["space"])
        relation[: len(first)] = self._relations["next"]
        relation[len(first) : 2 * len(first)] = self._relations["previous"]
        order = (edge_index[1] * len(pos) + edge_index[0]).argsort()
        return edge_index[:, order], relation[order]
