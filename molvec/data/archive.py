"""Structures by id: from a list of PDB ids to files, fetched from the archive when needed.

An entry is looked for in the cache, then in the folder ``MOLVEC_MIRROR`` as ``pdb/1abc.cif.gz`` or,
as a copy of the archive by rsync is laid out, ``pdb/ab/1abc.cif.gz``; then it is downloaded from
https://files.rcsb.org. The archive reissues its files, so there is no sha256 to hold them against:
a download must be a whole gzip file.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from molvec.atomic import atomic_write
from molvec.data.source import Download, attempt, cache_folder, download_quietly
from molvec.errors import UserError
from molvec.records import ChainRecord, RecordError, read_structure

ARCHIVE = "https://files.rcsb.org/download/{id}.cif.gz"
LISTS = (".txt", ".ids")
"""What the name of a list of ids ends in."""

_ID = re.compile(r"([0-9][A-Za-z0-9]{3})(?:_([A-Za-z0-9]+))?")
_AT_ONCE = 4  # downloads
NO_ID = "not a PDB id such as 1abc or 1abc_A"


@dataclass(frozen=True)
class Entry:
    """One id of a list: an entry of the archive, or one chain of it.

    Attributes:
        name: as it stands in the list.
        id: four letters and digits, lower case; empty if ``name`` is no id.
        chain: the author's name of the chain; empty for all of them.
        path: the entry's file, once it is here.
        error: why it is not.
    """

    name: str
    id: str
    chain: str
    path: Path | None = None
    error: str = ""


def is_list(source: object) -> bool:
    """Say whether something is the path of a list of ids."""
    return isinstance(source, str | Path) and str(source).lower().endswith(LISTS)


def read_ids(path: Path) -> list[Entry]:
    """Read ids, e.g. ``1abc`` or ``1abc_A``, one a line or with commas between; ``#`` comments.

    Raises:
        UserError: if the file cannot be read, or holds nothing.
    """
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the list of ids {path}: {error}") from None
    names = " ".join(line.partition("#")[0] for line in lines).replace(",", " ").split()
    if not names:
        raise UserError(f"{path} is empty: expected PDB ids such as 1abc or 1abc_A, one a line")
    return [_entry(name) for name in dict.fromkeys(names)]


def fetch_entries(
    path: Path, *, cache: Path | None = None, download: Download | None = None
) -> list[Entry]:
    """Read a list of ids and get the files; an entry that cannot be got says why.

    Args:
        path: the list.
        cache: the cache folder; default `cache_folder()`.
        download: writes a URL's content to a path; over HTTPS by default.

    Raises:
        UserError: if the list cannot be read, or not one file can be got.
    """
    entries = read_ids(path)
    get = partial(_fetch, cache=cache or cache_folder(), download=download or download_quietly)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        files = dict(pool.map(get, sorted({entry.id for entry in entries if entry.id})))
    found = [_located(entry, files.get(entry.id, NO_ID)) for entry in entries]
    if all(entry.path is None for entry in found):
        first = found[0]
        raise UserError(
            f"{path}: none of {len(found):,} entries can be had ({first.name}: {first.error}). "
            f"Without a network, set MOLVEC_MIRROR to a folder that holds "
            f"pdb/{first.id or '1abc'}.cif.gz"
        )
    return found


def entry_records(entry: Entry) -> Iterable[ChainRecord]:
    """Read an entry's chains; one record that says why, if there is none."""
    error, file = entry.error, None if entry.path is None else entry.path.name
    if entry.path is not None:
        try:
            structure = read_structure(entry.path)
        except RecordError as failure:
            error = failure.reason
        else:
            wanted = f"{entry.id}_{entry.chain}"
            chosen = [
                ChainRecord(0, chain.name, chain, file=file)
                for chain in structure.chains
                if not entry.chain or chain.name == wanted
            ]
            if chosen:
                return [replace(chosen[0], left_out=structure.left_out), *chosen[1:]]
            error = f"no protein chain {entry.chain}"
    return [ChainRecord(0, entry.name, error=error, file=file)]


def _entry(name: str) -> Entry:
    match = _ID.fullmatch(name)
    return Entry(name, match[1].lower(), match[2] or "") if match else Entry(name, "", "")


def _located(entry: Entry, found: Path | str) -> Entry:
    return replace(entry, path=found) if isinstance(found, Path) else replace(entry, error=found)


def _fetch(id: str, *, cache: Path, download: Download) -> tuple[str, Path | str]:
    """Return the id with its file, or with the reason why there is none."""
    for path in _local(id, cache):
        if path.is_file():
            return id, path
    target = cache / "entries" / f"{id}.cif.gz"

    def write(scratch: Path) -> None:
        reason = attempt(ARCHIVE.format(id=id.upper()), scratch, download) or _unsound(scratch)
        if reason:
            raise RecordError(reason)

    try:
        atomic_write(target, write, mend="set MOLVEC_CACHE to a folder you own")
    except RecordError as failure:
        return id, failure.reason
    return id, target


def _local(id: str, cache: Path) -> Iterator[Path]:
    name = f"{id}.cif.gz"
    yield cache / "entries" / name
    mirror = os.environ.get("MOLVEC_MIRROR")
    if mirror:
        folder = Path(mirror).expanduser() / "pdb"
        yield from (folder / name, folder / id[1:3] / name)


def _unsound(path: Path) -> str:
    try:
        with gzip.open(path, "rb") as file:
            while file.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return "what the archive sent is no whole gzip file"
    return ""
