"""A store of protein chains: parsed once, then read by workers in flat memory.

On disk a folder: ``letters.npy`` (uint8, one per residue), ``backbone.npy`` (float32
``[residues, 4, 3]``), ``offsets.npy`` (int64 ``[chains + 1]``) and ``store.json`` (names, residue
numbers, what was skipped and why).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import Data

from molvec.data.archive import entry_records, fetch_entries, is_list
from molvec.data.dataset import StoreDataset
from molvec.data.ragged import Ragged, write_ragged
from molvec.data.source import cache_folder, sha256_if_readable
from molvec.errors import UserError
from molvec.featurize.protein import ProteinFeaturizer
from molvec.featurize.surroundings import surroundings
from molvec.graph import GROUNDING
from molvec.records import Chain, ChainRecord, SkipCount, chain_records, structure_files

FORMAT = "molvec.chains/1"
READER = 3
"""Raised with every change of what is read of a file."""
COLUMNS = ("letters", "backbone")


class ChainStore:
    """The chains of a folder of structures; ``store[i]`` is a :class:`Chain`.

    Args:
        folder: what :func:`open_chains` wrote.

    Raises:
        UserError: if the folder is not a whole store of this format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._arrays = Ragged(folder, kind=FORMAT, columns=COLUMNS, what="chains")
        self.info = self._arrays.info

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, index: int) -> Chain:
        found = self._arrays.item(index)
        return Chain(
            name=self.info["names"][index],
            sequence=bytes(found["letters"]).decode("ascii"),
            numbers=tuple(self.info["numbers"][index].split()),
            backbone=found["backbone"],
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Residues of each chain, int64 ``[chains]``."""
        return self._arrays.lengths

    @property
    def skipped(self) -> dict[str, str]:
        """File or chain -> why it is not here."""
        return dict(self.info["skipped"])

    def summary(self) -> str:
        """Say what is not here and why, commonest reason first; empty if everything is.

        A last line counts what the files held beside chains of residues: waters, ligands, models.
        """
        count = SkipCount()
        for row, (name, reason) in enumerate(self.info["skipped"].items()):
            count.add(row, name, reason)
        named = count.named_summary(f"{self.info['files']:,} files and {len(self):,} chains")
        beside = ", ".join(f"{many:,} {what}" for what, many in self.info["left_out"].items())
        return "\n".join(filter(None, [named, beside and f"beside these chains: {beside}"]))

    def __reduce__(self) -> tuple[type[ChainStore], tuple[Path]]:
        # Pickled by path, for workers that are started rather than forked: they map it anew.
        return ChainStore, (self.folder,)


def open_chains(
    source: Path,
    *,
    max_residues: int = 2000,
    min_residues: int = 2,
    leave_out: Sequence[str] = (),
    cache: Path | None = None,
) -> ChainStore:
    """Open the store of a structure file, a folder of them or a list of ids.

    It is built first if need be; ids are looked up by :mod:`molvec.data.archive`.

    A store is kept in the cache under the sha256 of all files and of the options, so that a changed
    folder gets a new one. A file that cannot be read, and a chain that is too long or too short,
    is skipped and named, with the reason, in ``store.skipped``.

    Args:
        source: a PDB or mmCIF file, a folder with some, or a text file with PDB ids.
        max_residues: longer chains are skipped.
        min_residues: shorter ones too.
        leave_out: names of chains to skip, e.g. relatives of a test set; case does not matter.
        cache: the cache folder; default `cache_folder()`.

    Raises:
        UserError: if there is nothing to read, or no chain in it that can be used.
    """
    sources = _listed(source, cache) if is_list(source) else _files(source)
    unwanted = sorted({name.lower() for name in leave_out})
    limits = [min_residues, max_residues, unwanted]
    contents = [[each.name, sha256_if_readable(each.path) if each.path else ""] for each in sources]
    key = hashlib.sha256(json.dumps([FORMAT, READER, limits, contents]).encode()).hexdigest()
    folder = (cache or cache_folder()) / "chains" / key[:32]
    if folder.exists():
        try:
            return ChainStore(folder)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)  # damaged: build it again
    chains: list[Chain] = []
    skipped: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for each in sources:
        for record in each.read():
            left_out.update(record.left_out)
            if record.chain is None:
                skipped[each.name] = record.error or ""
                continue
            reason = _unusable(record.chain, min_residues, max_residues, unwanted)
            if reason:
                skipped[f"{each.name}: {record.chain.name}"] = reason
            else:
                chains.append(record.chain)
    if not chains:
        example = next(f"{name}: {reason}" for name, reason in skipped.items())
        raise UserError(f"{source} has no protein chain that can be used ({example})")
    about = {"source_sha256": key, "files": len(sources), "skipped": skipped}
    _write(chains, folder, {**about, "left_out": dict(left_out.most_common())})
    return ChainStore(folder)


@dataclass(frozen=True)
class _Source:
    """A file, or an id without one, and how to read it."""

    name: str
    path: Path | None
    read: Callable[[], Iterable[ChainRecord]]


def _files(source: Path) -> list[_Source]:
    base = source if source.is_dir() else source.parent
    return [
        _Source(str(path.relative_to(base)), path, partial(chain_records, path))
        for path in structure_files(source)
    ]


def _listed(source: Path, cache: Path | None) -> list[_Source]:
    return [
        _Source(entry.name, entry.path, partial(entry_records, entry))
        for entry in fetch_entries(source, cache=cache)
    ]


def _unusable(chain: Chain, shortest: int, longest: int, unwanted: Sequence[str]) -> str:
    if chain.name.lower() in unwanted:
        return "left out by name"
    if len(chain) > longest:
        return f"{len(chain):,} residues, more than the limit of {longest:,}"
    if len(chain) < shortest:
        return f"{len(chain)} residues, fewer than the limit of {shortest}"
    return ""


def _write(chains: Sequence[Chain], folder: Path, about: dict[str, Any]) -> None:
    letters = [np.frombuffer(chain.sequence.encode("ascii"), dtype=np.uint8) for chain in chains]
    write_ragged(
        folder,
        {"letters": letters, "backbone": [chain.backbone for chain in chains]},
        kind=FORMAT,
        names=[chain.name for chain in chains],
        about={"numbers": [" ".join(chain.numbers) for chain in chains], **about},
    )


class ChainDataset(StoreDataset):
    """Graphs of the chains of a store (a :class:`molvec.data.dataset.GraphDataset`).

    Args:
        store: chains.
        featurizer: chain -> graph.
        grounded: attach what surrounds each residue as ``grounding``.
        rows: numbers of the chains to use; all by default.
    """

    def __init__(
        self,
        store: ChainStore,
        featurizer: ProteinFeaturizer,
        *,
        grounded: bool = False,
        rows: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__(store, rows)
        self.store = store
        self.featurizer = featurizer
        self.grounded = grounded

    def graph(self, index: int, epoch: int = 0) -> Data:
        """Featurise one chain."""
        graph = self.featurizer(self.store[self.row(index)])
        if self.grounded:
            graph[GROUNDING] = surroundings(graph)
        return graph
