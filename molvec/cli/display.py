"""A live line on stderr while a run trains; silent when stderr is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from molvec.train.state import Progress as Done

_SHOWN = {
    "loss": "loss {:.3f}",
    "target_std": "target std {:.2f}",
    "prediction_std": "pred std {:.2f}",
    "effective_rank": "rank {:.1f}",
    "molecules_per_second": "{:,.0f} mol/s",
}


class TrainingDisplay:
    """Shows loss, spread of targets and predictions, effective rank, speed and time left."""

    def __init__(self, title: str) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(title, total=None, numbers="loading data")

    def update(self, progress: Done, values: dict[str, float], steps: int) -> None:
        """Show one logged step of ``steps``."""
        numbers = "  ".join(form.format(values[name]) for name, form in _SHOWN.items())
        self._bar.update(self._task, total=steps, completed=progress.step, numbers=numbers)

    def __enter__(self) -> TrainingDisplay:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
