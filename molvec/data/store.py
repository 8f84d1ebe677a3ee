"""A memory-mapped store of SMILES: random access to millions of rows in flat memory.

On disk a folder of three files: ``smiles.bin`` (the texts, one after another), ``offsets.npy``
(int64 ``[rows + 1]``: row ``i`` is ``smiles.bin[offsets[i]:offsets[i + 1]]``) and ``store.json``.
Worker processes map the same pages, so a store costs its size once, whatever their number.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import operator
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molvec.atomic import new_folder
from molvec.data.card import list_cards, load_card
from molvec.data.network_card import list_networks
from molvec.data.source import cache_folder, fetch, sha256_of
from molvec.errors import UserError, did_you_mean
from molvec.records import Record, RecordError, bare_smiles, parse, read_records
from molvec.records.read import file_format

FORMAT = "molvec.smiles/1"
_BLOCK_ROWS = 65_536


class SmilesStore:
    """The SMILES of one data set; ``store[i]`` is row ``i``, ``""`` where the row has none.

    Args:
        folder: what `build_store` wrote.

    Raises:
        UserError: if the folder is not a whole store of this format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            self.info: dict[str, Any] = json.loads((self.folder / "store.json").read_text("utf-8"))
            offsets = np.load(self.folder / "offsets.npy", mmap_mode="r")
            with (self.folder / "smiles.bin").open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                # An empty file cannot be mapped.
                self._text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{folder} is not a SMILES store: {error}") from None
        told = (self.info.get("format"), self.info.get("rows"))
        if told != (FORMAT, len(offsets) - 1) or offsets[-1] != size:
            raise UserError(f"{folder} is not a whole SMILES store of format {FORMAT}")
        # A plain view: indexing a np.memmap object is several times slower.
        self._offsets: NDArray[np.int64] = np.asarray(offsets)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> str:
        row = operator.index(index)
        if row < 0:
            row += len(self)
        if not 0 <= row < len(self):
            raise IndexError(f"row {index} of a store with {len(self)} rows")
        return self._text[self._offsets[row] : self._offsets[row + 1]].decode("utf-8")

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each row's SMILES, int64 ``[rows]``: cheap, grows with the molecule."""
        return np.diff(self._offsets)

    def __reduce__(self) -> tuple[type[SmilesStore], tuple[Path]]:
        # Pickled by path, for workers that are started rather than forked: they map it anew.
        return SmilesStore, (self.folder,)


def open_store(
    source: str | os.PathLike[str], *, smiles_column: str | None = None, cache: Path | None = None
) -> SmilesStore:
    """Open the store of a data set or a file, building it first if need be.

    A store is kept in the cache under the sha256 of the file's content, its format and the column,
    so that an edited file gets a new one.

    Args:
        source: the name of a card (``"zinc"``), ``"file:PATH"``, or a path. A text that is the
            name of a card is that card; use ``"file:"`` for a file of the same name.
        smiles_column: the column with the SMILES; default the card's, else see `read_records`.
        cache: the cache folder; default `cache_folder()`.

    Raises:
        UserError: if there is no such data set or file, or it cannot be read.
    """
    path, column = _resolve(source, smiles_column, cache)
    records = read_records(path, smiles_column=column)  # checks the path
    stat = path.stat()
    digest = sha256_of(path)
    key = json.dumps([FORMAT, digest, file_format(path), column])
    folder = (cache or cache_folder()) / "stores" / hashlib.sha256(key.encode()).hexdigest()[:32]
    if folder.exists():
        try:
            return SmilesStore(folder)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)  # damaged: build it again
    info = {"source": path.name, "source_sha256": digest, "smiles_column": column}
    return build_store(_unchanged(records, path, stat), folder, info=info)


def build_store(
    records: Iterable[Record], folder: Path, *, info: Mapping[str, str | None] | None = None
) -> SmilesStore:
    """Write records into a new store, in flat memory, and open it.

    A molecule without SMILES is written as its canonical SMILES; what has neither, as ``""``.
    The store is built beside its place and renamed, so no process sees a part of it; if another
    process was faster, its store is taken.

    Args:
        records: the rows, in order.
        folder: the store to make.
        info: more entries for ``store.json``: where the records came from.

    Raises:
        UserError: if the folder cannot be written.
    """

    def write(scratch: Path) -> None:
        rows = _write(records, scratch)
        about = {"format": FORMAT, "rows": rows, **(info or {})}
        (scratch / "store.json").write_text(json.dumps(about, indent=1), encoding="utf-8")

    new_folder(folder, write, mend="set MOLVEC_CACHE to one you own")
    return SmilesStore(folder)


def _write(records: Iterable[Record], folder: Path) -> int:
    """Write texts and offsets block by block; return the number of rows."""
    rows = end = 0
    stream = iter(records)
    ends_file = folder / "ends"
    with (folder / "smiles.bin").open("wb") as texts, ends_file.open("wb") as ends:
        while block := [_text(record) for record in islice(stream, _BLOCK_ROWS)]:
            texts.write(b"".join(block))
            block_ends = end + np.cumsum([len(text) for text in block], dtype="<i8")
            ends.write(block_ends.tobytes())
            end = int(block_ends[-1])
            rows += len(block)
    with (folder / "offsets.npy").open("wb") as offsets:
        # The header holds the number of rows, known only now.
        header = {"descr": "<i8", "fortran_order": False, "shape": (rows + 1,)}
        np.lib.format.write_array_header_1_0(offsets, header)
        offsets.write(bytes(8))  # offset 0 of row 0
        with ends_file.open("rb") as ends:
            shutil.copyfileobj(ends, offsets)
    ends_file.unlink()
    return rows


def _text(record: Record) -> bytes:
    if record.smiles is not None:
        return bare_smiles(record.smiles).encode("utf-8", errors="replace")
    if record.mol is None:
        return b""
    try:
        return Chem.MolToSmiles(parse(record)).encode("utf-8")
    except RecordError:
        return b""


def _resolve(
    source: str | os.PathLike[str], smiles_column: str | None, cache: Path | None
) -> tuple[Path, str | None]:
    """Return the file behind a source, and the column to read."""
    if isinstance(source, os.PathLike):
        return Path(source), smiles_column
    if source.startswith("file:"):
        return Path(source.removeprefix("file:")).expanduser(), smiles_column
    known = list_cards()
    if source in known:
        card = load_card(source)
        return fetch(card, cache=cache), smiles_column or card.smiles_column
    if source in list_networks() and not Path(source).exists():
        raise UserError(
            f"{source} is a network, no molecules: molvec pretrain ppi (or kg) --data {source}"
        )
    path = Path(source).expanduser()
    if path.exists() or path.suffix or "/" in source or os.sep in source:
        return path, smiles_column
    raise UserError(
        f"{source!r} is neither a data set ({', '.join(known)}) nor a file."
        f"{did_you_mean(source, known)}"
    )


def _unchanged(records: Iterator[Record], path: Path, before: os.stat_result) -> Iterator[Record]:
    """Pass the records on; refuse a file that was edited since its sha256 was taken."""
    yield from records
    now = path.stat()
    if (now.st_mtime_ns, now.st_size) != (before.st_mtime_ns, before.st_size):
        raise UserError(f"{path} changed while it was being read; run again")
