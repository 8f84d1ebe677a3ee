"""Files of a kind below a folder, without a silent gap."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from molvec.errors import UserError


def files_below(folder: Path, wanted: Callable[[Path], object]) -> list[Path]:
    """Find all files below a folder, sorted by path.

    Args:
        folder: where to look; links to folders are not followed.
        wanted: says of a path, by its name, whether it is one.

    Raises:
        UserError: if a folder on the way cannot be read: what is in it would be missing.
    """

    def refuse(error: OSError) -> None:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from None

    paths = (
        Path(place, name) for place, _, names in os.walk(folder, onerror=refuse) for name in names
    )
    return sorted(path for path in paths if wanted(path))
