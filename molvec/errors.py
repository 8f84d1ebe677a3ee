"""The exceptions that reach a user as one line: a mistake to mend, and a signal obeyed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake in what the user gave (a path, a column, a setting).

    The message says what is wrong and what to do. The command line prints it as one line and
    exits with code 2; from Python it is a ``ValueError``.
    """


class Stopped(Exception):
    """A signal ended the work early and nothing is lost; the message says how to continue.

    The command line prints it and exits with code 128 + ``signal``, as programs do.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
