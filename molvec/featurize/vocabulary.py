"""What each categorical feature can be: declared here, saved with every model.

Index 0 of every feature is the mask token ``MASK`` (see :mod:`molvec.graph`); the declared values
follow, and the last index stands for any other value, so that a rare atom is a defined input and
never an error.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from molvec.graph import MASK


@dataclass(frozen=True)
class Vocabulary:
    """Feature name -> its known values, in index order; JSON-friendly."""

    features: Mapping[str, tuple[Hashable, ...]]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of indices per feature: mask token, known values, "other"."""
        return tuple(len(values) + 2 for values in self.features.values())

    def lookups(self) -> tuple[dict[Hashable, int], ...]:
        """Return one value -> index table per feature."""
        return tuple(
            {value: MASK + 1 + i for i, value in enumerate(values)}
            for values in self.features.values()
        )

    def to_json(self) -> dict[str, list[Hashable]]:
        """Return plain lists, as ``config.json`` stores them."""
        return {name: list(values) for name, values in self.features.items()}

    @classmethod
    def from_json(cls, features: Mapping[str, list[Hashable]]) -> Vocabulary:
        """Inverse of :meth:`to_json`."""
        return cls({name: tuple(values) for name, values in features.items()})


ATOM = Vocabulary(
    {
        "element": tuple(range(1, 119)),  # atomic number; 0, RDKit's dummy atom, is "other"
        "charge": (0, 1, -1, 2, -2, 3, -3),
        "hydrogens": (0, 1, 2, 3, 4),
        "aromatic": (False, True),
        "ring": (False, True),
        # CIP labels, not RDKit's chiral tags: a tag depends on the order of the atoms.
        "chirality": ("", "R", "S"),
    }
)

BOND = Vocabulary(
    {
        "order": (1.0, 2.0, 3.0, 1.5),  # 1.5 is aromatic; dative bonds count as single
        "stereo": ("", "E", "Z"),
    }
)
