"""Molecules in space to learn from: a store of geometries, or geometries made on demand."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from molvec.data.card import list_cards, load_card
from molvec.data.dataset import StoreDataset
from molvec.data.qm9 import read_qm9_geometries
from molvec.data.ragged import Ragged, write_ragged
from molvec.data.source import cache_folder, fetch, sha256_if_readable
from molvec.data.store import SmilesStore
from molvec.errors import UserError
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.graph import GROUNDING
from molvec.records import (
    Conformer,
    ConformerRecord,
    Record,
    SkipCount,
    geometry_files,
    read_geometries,
)

FORMAT = "molvec.conformers/1"
READER = 3
"""Raised with what files are taken to say: stores that were made of them are made again."""
COLUMNS = ("elements", "positions")

GEOMETRIES: dict[str, Callable[[Path], Iterator[Conformer]]] = {"qm9": read_qm9_geometries}
"""Readers of data sets with geometries, by the ``geometry`` of their cards."""


class ConformerStore:
    """Conformers in flat memory; ``store[i]`` is a :class:`molvec.records.Conformer`.

    Args:
        folder: what :func:`open_conformers` wrote.

    Raises:
        UserError: if the folder is not a whole store of this format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._arrays = Ragged(folder, kind=FORMAT, columns=COLUMNS, what="conformers")
        self.info = self._arrays.info

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, index: int) -> Conformer:
        found = self._arrays.item(index)
        return Conformer(self.info["names"][index], found["elements"], found["positions"])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Atoms of each conformer, int64 ``[conformers]``."""
        return self._arrays.lengths

    def summary(self) -> str:
        """Say which rows are not here and why; empty if all are."""
        count = SkipCount()
        for row, (name, reason) in enumerate(self.info["skipped"].items()):
            count.add(row, name, reason)
        return count.named_summary(f"{len(self) + len(self.info['skipped']):,} geometries")

    def __reduce__(self) -> tuple[type[ConformerStore], tuple[Path]]:
        # Pickled by path, for workers that are started rather than forked: they map it anew.
        return ConformerStore, (self.folder,)


def has_geometries(source: str) -> bool:
    """Say whether a source is a data set with geometries."""
    return source in list_cards() and load_card(source).geometry is not None


def open_conformers(source: str | Path, *, cache: Path | None = None) -> ConformerStore:
    """Open the store of a data set with geometries, of a file of them or of a folder.

    A store is kept in the cache under the sha256 of all it was made of. A geometry that cannot be
    read is skipped and named, with the reason, in ``store.info["skipped"]``.

    Args:
        source: the name of a card with geometries, an ``.xyz`` or ``.sdf`` file (also ``.gz``),
            or a folder of such files.
        cache: the cache folder; default `cache_folder()`.

    Raises:
        UserError: if there is nothing to read, or nothing in it that can be used.
    """
    if isinstance(source, str) and has_geometries(source):
        card = load_card(source)
        assert card.geometry is not None
        read, path, told = GEOMETRIES[card.geometry], fetch(card, cache=cache), card.sha256
        return _opened([FORMAT, told], lambda: (_good(c) for c in read(path)), str(source), cache)
    path = Path(source).expanduser()
    files = geometry_files(path)
    base = path if path.is_dir() else path.parent
    contents = [[str(file.relative_to(base)), sha256_if_readable(file)] for file in files]

    def rows() -> Iterator[tuple[str, ConformerRecord]]:
        for record in read_geometries(path):
            whole = record.text == record.file  # a file that cannot be read
            yield record.text if whole else f"{record.file}: {record.text}", record

    return _opened([FORMAT, READER, contents], rows, str(source), cache)


Rows = Callable[[], Iterable[tuple[str, ConformerRecord]]]


def _good(conformer: Conformer) -> tuple[str, ConformerRecord]:
    return conformer.name, ConformerRecord(0, conformer.name, conformer)


def _opened(key: Any, rows: Rows, source: str, cache: Path | None) -> ConformerStore:
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    folder = (cache or cache_folder()) / "conformers" / digest[:32]
    if folder.exists():
        try:
            return ConformerStore(folder)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)  # damaged: build it again
    kept: list[Conformer] = []
    skipped: dict[str, str] = {}
    for name, record in rows():
        if record.conformer is None:
            key = name if name not in skipped else f"{name} (row {record.index})"
            skipped[key] = record.error or "no geometry"
        else:
            kept.append(record.conformer)
    if not kept:
        name, reason = next(iter(skipped.items()))
        raise UserError(f"{source} has no geometry that can be used ({name}: {reason})")
    write_ragged(
        folder,
        {
            "elements": [conformer.elements for conformer in kept],
            "positions": [conformer.positions for conformer in kept],
        },
        kind=FORMAT,
        names=[conformer.name for conformer in kept],
        about={"source_sha256": digest, "skipped": skipped},
    )
    return ConformerStore(folder)


class ConformerDataset(StoreDataset):
    """Graphs of conformers (a :class:`molvec.data.dataset.GraphDataset`).

    Args:
        store: of conformers; or of SMILES, of which conformers are made on demand, in the
            loader's processes: ten to thirty molecules a second and core.
        featurizer: conformer -> graph.
        max_atoms: a larger molecule is an error (and is skipped in training).
        ground: attach what this makes of a row of the store and its graph as ``grounding``,
            ``[n, size]``.
        rows: numbers of the store's rows to use; all by default.
    """

    def __init__(
        self,
        store: ConformerStore | SmilesStore,
        featurizer: ConformerFeaturizer,
        *,
        max_atoms: int | None = None,
        ground: Callable[[int, Data], Tensor] | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__(store, rows)
        self.store = store
        self.featurizer = featurizer
        self.max_atoms = max_atoms
        self.ground = ground

    def graph(self, index: int, epoch: int = 0) -> Data:
        """Featurise one conformer, making it first if need be."""
        row = self.row(index)
        found = self.store[row]
        if isinstance(found, Conformer):
            record = ConformerRecord(row, found.name, found)
        else:
            record = ConformerRecord(row, found, molecule=Record(row, smiles=found))
        graph = self.featurizer(record.geometry(max_atoms=self.max_atoms))
        if self.ground is not None:
            graph[GROUNDING] = self.ground(row, graph)
        return graph
