"""What Ctrl-C and SIGTERM do: stop after the current step with a checkpoint, or at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from molvec.errors import Stopped


@contextmanager
def stopped_at_once(message: str) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into `Stopped` with this message: for work that saves as it goes."""
    number = signal.SIGINT

    def handle(received: int, frame: FrameType | None) -> None:
        nonlocal number
        number = signal.Signals(received)
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, handle) if main else None
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(message, number) from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, previous)


class Interruption:
    """A context in which the first SIGINT or SIGTERM sets a flag; the second acts as usual."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number)
        self._restore()

    def _restore(self) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)  # type: ignore[arg-type]
        self._previous.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()
