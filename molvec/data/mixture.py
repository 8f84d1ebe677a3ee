"""Several stores as one: rows of the first, then rows of the second, and so on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.data.store import SmilesStore


class Mixture:
    """Stores one after another, read like a single one.

    Args:
        stores: the first one's rows keep their numbers; the others' follow.
    """

    def __init__(self, stores: Sequence[SmilesStore]) -> None:
        self.stores = tuple(stores)
        self._starts = np.cumsum([0, *map(len, self.stores)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of stores with {len(self)} rows")
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self.stores[which][index - int(self._starts[which])]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each row's SMILES, int64 ``[rows]``."""
        return np.concatenate([store.lengths for store in self.stores])

    @property
    def info(self) -> dict[str, Any]:
        """``source_sha256``: of the sources' sha256, in order."""
        sources = "".join(str(store.info.get("source_sha256")) for store in self.stores)
        return {"source_sha256": hashlib.sha256(sources.encode()).hexdigest()}

    def rows(self, times: Sequence[int]) -> NDArray[np.int64]:
        """Numbers of all rows, those of store ``i`` repeated ``times[i]`` times: one epoch."""
        parts = zip(self._starts[:-1], self.stores, times, strict=True)
        return np.concatenate([np.tile(start + np.arange(len(s)), n) for start, s, n in parts])
