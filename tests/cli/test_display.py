"""The live line: on a terminal only, and for folders of any name."""

import io
import sys

import pytest

from molvec.cli.display import TrainingDisplay
from molvec.train.state import Progress

VALUES = {
    "loss": 0.5,
    "target_std": 1.0,
    "prediction_std": 0.25,
    "effective_rank": 12.0,
    "molecules_per_second": 1234.0,
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("title", ["runs/zinc", "runs/{0} {x}", "runs/[/red] [bold]"])
def test_on_a_terminal(title, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)  # here: pytest puts its own in before a test
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    with TrainingDisplay(title) as display:
        display.update(Progress(step=3), VALUES, 10)
    text = terminal.getvalue()
    assert title in text
    assert "3/10" in text
    assert "loss 0.500" in text
    assert "rank 12.0" in text
    assert "1,234 mol/s" in text


def test_silent_elsewhere(capsys):
    with TrainingDisplay("runs/zinc") as display:
        display.update(Progress(step=3), VALUES, 10)
    assert capsys.readouterr() == ("", "")
