"""The run's record: one JSON object per logged step, and TensorBoard on request."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

from molvec.errors import UserError


class MetricsLog:
    """Append to ``metrics.jsonl``; after a resume, drop what lies beyond the checkpoint.

    Args:
        folder: the run folder.
        start: step to continue from; later lines were written by a run that was killed.
        tensorboard: also write event files to ``folder/tensorboard``.
    """

    def __init__(self, folder: Path, *, start: int = 0, tensorboard: bool = False) -> None:
        self._path = folder / "metrics.jsonl"
        self._writer = _tensorboard_writer(folder) if tensorboard else None
        kept = [line for line in read_lines(self._path) if line["step"] <= start] if start else []
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in kept))
            temporary.replace(self._path)
            self._file = self._path.open("a", buffering=1)
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, step: int, values: dict[str, float]) -> None:
        """Log one step."""
        try:
            self._file.write(json.dumps({"step": step, **values}) + "\n")
        except OSError as error:
            raise self._unwritable(error) from error
        if self._writer is not None:
            self._writer.log_metrics(values, step)

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"cannot write {self._path}: {error.strerror or error}")

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._writer is not None:
            self._writer.finalize("success" if kind is None else "failed")


def read_lines(path: Path) -> list[dict[str, float]]:
    """Read ``metrics.jsonl``; a last line cut short by a kill is left out."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def _tensorboard_writer(folder: Path):  # type: ignore[no-untyped-def]
    try:
        from lightning_fabric.loggers import TensorBoardLogger

        logger = TensorBoardLogger(root_dir=folder, name="", version="tensorboard")
        _ = logger.experiment
    except ModuleNotFoundError as error:
        raise UserError(
            "TensorBoard is not installed: pip install 'molvec[tensorboard]'"
        ) from error
    return logger
