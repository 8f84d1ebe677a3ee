"""A live line on stderr while something runs; silent when stderr is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from molvec.train.state import Progress as Done

_SHOWN = {
    "loss": "loss {:.3f}",
    "target_std": "target std {:.2f}",
    "prediction_std": "pred std {:.2f}",
    "effective_rank": "rank {:.1f}",
    "molecules_per_second": "{:,.0f} mol/s",
}


class _Display:
    """A line of columns, shown while the ``with`` block runs."""

    def __init__(self, *columns: ProgressColumn) -> None:
        self._bar = Progress(
            *columns, console=Console(stderr=True), disable=not sys.stderr.isatty()
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()


def _titled() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
    )


class TrainingDisplay(_Display):
    """Shows loss, spread of targets and predictions, effective rank, speed and time left."""

    def __init__(self, title: str) -> None:
        super().__init__(*_titled())
        self._task = self._bar.add_task(title, total=None, numbers="loading data")

    def update(self, progress: Done, values: dict[str, float], steps: int) -> None:
        """Show one logged step of ``steps``."""
        numbers = "  ".join(form.format(values[name]) for name, form in _SHOWN.items())
        self._bar.update(self._task, total=steps, completed=progress.step, numbers=numbers)


class EpochsDisplay(_Display):
    """Shows epochs done, loss and validation score, and the time left."""

    def __init__(self, title: str) -> None:
        super().__init__(*_titled())
        self._task = self._bar.add_task(title, total=None, numbers="loading data")

    def update(self, line: dict[str, float], epochs: int) -> None:
        """Show one epoch of ``epochs``."""
        numbers = f"loss {line['train_loss']:.3f}  validation {line['valid_score']:.3f}"
        self._bar.update(self._task, total=epochs, completed=line["epoch"], numbers=numbers)


class RowsDisplay(_Display):
    """Counts rows of a file of unknown length."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn()
        )
        self._task = self._bar.add_task("", total=None)

    def update(self, rows: int) -> None:
        """Show the number of rows done."""
        self._bar.update(self._task, completed=rows)
