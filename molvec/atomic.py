"""Files that are there whole or not at all, whatever kills the process that writes them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from molvec.errors import UserError


def atomic_write(path: Path, write: Callable[[Path], object], *, mend: str = "") -> None:
    """Let ``write`` fill a temporary sibling of ``path``, then rename it to ``path``.

    Makes the folder if need be. On an error, what was at ``path`` stays as it was.

    Args:
        path: the file to write or replace.
        write: writes the content to the path it is given.
        mend: what the user can do if it fails, e.g. ``"choose another --output"``.

    Raises:
        UserError: if the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        # By number: Arrow's own text names the temporary file.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(f"cannot write {path}: {reason}{mend and '; '}{mend}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def new_folder(folder: Path, write: Callable[[Path], object], *, mend: str = "") -> None:
    """Let ``write`` fill a folder beside ``folder``, then rename it to ``folder``.

    If another process was faster, its folder stays: for content that is the same whoever makes it.

    Args:
        folder: the folder to make.
        write: fills the folder that it is given.
        mend: what the user can do if it fails.

    Raises:
        UserError: if the folder cannot be written.
    """
    scratch = folder.parent / f".building-{uuid4().hex}"
    try:
        scratch.mkdir(parents=True)
        write(scratch)
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except OSError as error:
        raise UserError(
            f"cannot write to {folder.parent} ({error.strerror or error}){mend and '; '}{mend}"
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
