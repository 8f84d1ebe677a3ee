"""Targets that are slow to compute, kept in a file that the loader's processes fill together."""

from __future__ import annotations

import hashlib
import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from molvec.atomic import new_folder
from molvec.data.source import cache_folder
from molvec.errors import UserError

VALUES, CHECKS = "values.npy", "checks.npy"
MEND = "set MOLVEC_CACHE to a folder you own"


class KeptGrounding:
    """What a grounding term predicts of each graph of a store, computed at the first need.

    Beside the values of a graph stands their checksum, 0 until they are known, so that what an
    interrupted process left behind is computed again. Processes that compute the same graph write
    the same.

    Args:
        ground: graph -> float32 ``[n, size]``; the same for the same graph, always.
        size: number of columns.
        lengths: nodes of each graph of the store, ``[graphs]``.
        key: everything the values depend on, as text.
        cache: the cache folder; default `cache_folder()`.

    Raises:
        UserError: if the cache cannot be written, or the disk is too full for it.
    """

    def __init__(
        self,
        ground: Callable[[Data], Tensor],
        *,
        size: int,
        lengths: NDArray[np.int64],
        key: str,
        cache: Path | None = None,
    ) -> None:
        self.ground = ground
        digest = hashlib.sha256(json.dumps([key, size, len(lengths)]).encode()).hexdigest()
        self.folder = (cache or cache_folder()) / "grounding" / digest[:32]
        self._offsets = np.cumsum([0, *lengths], dtype=np.int64)
        self._size = size
        self._files: tuple[NDArray[np.float32], NDArray[np.uint32]] | None = None
        self._open()

    def __call__(self, row: int, graph: Data) -> Tensor:
        """Return the values of the graph of a row, ``[n, size]``."""
        values, checks = self._files or self._open()
        place = slice(int(self._offsets[row]), int(self._offsets[row + 1]))
        if checks[row]:
            known = np.array(values[place])
            if _checksum(known) == checks[row]:
                return torch.from_numpy(known)
        computed = self.ground(graph)
        values[place] = computed.numpy()
        checks[row] = _checksum(computed.numpy())
        return computed

    def __getstate__(self) -> dict[str, object]:
        # For workers that are started rather than forked: they map the files anew.
        return {**self.__dict__, "_files": None}

    def _open(self) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
        """Map the files, after making them if need be; they take space only as they fill."""
        if self.folder.exists():
            try:
                return self._mapped()
            except PermissionError as error:
                raise UserError(f"cannot write {error.filename}; {MEND}") from None
            except (OSError, ValueError, EOFError):
                shutil.rmtree(self.folder, ignore_errors=True)  # damaged: start anew
        new_folder(self.folder, self._create, mend=MEND)
        return self._mapped()

    def _mapped(self) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
        values, checks = (open_memmap(self.folder / name, mode="r+") for name in (VALUES, CHECKS))
        # Plain views: indexing a np.memmap object is several times slower.
        self._files = np.asarray(values), np.asarray(checks)
        return self._files

    def _create(self, folder: Path) -> None:
        nodes, graphs = int(self._offsets[-1]), len(self._offsets) - 1
        needed, free = 4 * (nodes * self._size + graphs), shutil.disk_usage(folder).free
        if needed > free:  # a full disk would end the process at some later molecule
            raise UserError(
                f"{self.folder} needs {needed / 1e9:.1f} GB, and {free / 1e9:.1f} are free; "
                "set MOLVEC_CACHE to another folder"
            )
        open_memmap(folder / VALUES, mode="w+", dtype=np.float32, shape=(nodes, self._size))
        open_memmap(folder / CHECKS, mode="w+", dtype=np.uint32, shape=(graphs,))


def _checksum(values: NDArray[np.float32]) -> int:
    """CRC-32, never 0."""
    return zlib.crc32(values.tobytes()) or 1
