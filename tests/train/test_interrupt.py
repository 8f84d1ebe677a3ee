"""A signal asks once; outside, and in other threads, nothing is changed."""

import signal
import threading

import pytest

from molvec.errors import Stopped
from molvec.train.interrupt import Interruption, stopped_at_once


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted(number):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with Interruption() as interruption:
        assert interruption.signal is None
        assert signal.getsignal(signal.SIGTERM) is not before[1]
        signal.raise_signal(number)
        assert interruption.signal == number
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyError), Interruption():
        raise KeyError
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread():
    """Only the main thread may set handlers; a run elsewhere goes without."""
    seen = []

    def work():
        with Interruption() as interruption:
            seen.append(interruption.signal)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_at_once(number):
    before = signal.getsignal(signal.SIGTERM)
    with (
        pytest.raises(Stopped, match="the rest later") as caught,
        stopped_at_once("the rest later"),
    ):
        signal.raise_signal(number)
    assert caught.value.signal == number
    assert signal.getsignal(signal.SIGTERM) is before


def test_stopped_at_once_in_another_thread():
    seen = []

    def work():
        try:
            with stopped_at_once("the rest later"):
                raise KeyboardInterrupt
        except Stopped as stopped:
            seen.append(stopped.signal)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIGINT]
