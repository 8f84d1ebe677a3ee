"""Arrays of different lengths, one after another in files that every process maps.

On disk a folder: one ``.npy`` per column, ``offsets.npy`` (int64 ``[items + 1]``: item ``i`` has
the rows ``offsets[i]:offsets[i + 1]`` of every column) and ``store.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.atomic import new_folder
from molvec.errors import UserError


class Ragged:
    """A folder that :func:`write_ragged` wrote.

    Args:
        folder: where it is.
        kind: the format it must have.
        columns: their names.
        what: what it holds, for messages.

    Attributes:
        info: what ``store.json`` says.

    Raises:
        UserError: if it is not a whole folder of this format.
    """

    def __init__(self, folder: Path, *, kind: str, columns: Sequence[str], what: str) -> None:
        self.folder = Path(folder)
        try:
            self.info: dict[str, Any] = json.loads((self.folder / "store.json").read_text("utf-8"))
            self._offsets: NDArray[np.int64] = np.load(self.folder / "offsets.npy")
            # A plain view: indexing a np.memmap object is several times slower.
            self._columns = {
                name: np.asarray(np.load(self.folder / f"{name}.npy", mmap_mode="r"))
                for name in columns
            }
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{folder} is not a store of {what}: {error}") from None
        whole = {len(column) for column in self._columns.values()} == {int(self._offsets[-1])}
        if self.info.get("format") != kind or len(self.info["names"]) != len(self) or not whole:
            raise UserError(f"{folder} is not a whole store of format {kind}")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def item(self, index: int) -> dict[str, NDArray[Any]]:
        """Return a copy of one item's rows, by column.

        Raises:
            IndexError: if there is no such item.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"item {index} of a store with {len(self)}")
        rows = slice(int(self._offsets[index]), int(self._offsets[index + 1]))
        return {name: np.array(column[rows]) for name, column in self._columns.items()}

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of each item, int64 ``[items]``."""
        return np.diff(self._offsets)


def write_ragged(
    folder: Path,
    columns: Mapping[str, Sequence[NDArray[Any]]],
    *,
    kind: str,
    names: Sequence[str],
    about: Mapping[str, Any],
) -> None:
    """Write one array per item and column; the folder appears when whole.

    Raises:
        UserError: if it cannot be written.
    """
    lengths = [len(array) for array in next(iter(columns.values()))]
    assert all([len(array) for array in arrays] == lengths for arrays in columns.values())

    def write(scratch: Path) -> None:
        np.save(scratch / "offsets.npy", np.cumsum([0, *lengths], dtype=np.int64))
        for name, arrays in columns.items():
            np.save(scratch / f"{name}.npy", np.concatenate(arrays))
        info = {"format": kind, "names": list(names), **about}
        (scratch / "store.json").write_text(json.dumps(info), encoding="utf-8")

    new_folder(folder, write, mend="set MOLVEC_CACHE to one you own")
