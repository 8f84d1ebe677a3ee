"""Checkpoints of a run: when to write one, which to keep, which to resume from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from molvec.checkpoint import Tree, load_tree, save_tree
from molvec.errors import UserError

_NAME = re.compile(r"step-(\d{8})")


class Checkpoints:
    """The ``checkpoints/`` folder of a run.

    Args:
        folder: where ``step-00000500`` and its siblings live.
        keep: how many of the newest to keep.
    """

    def __init__(self, folder: Path, *, keep: int) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, got {keep}")
        self.folder = folder
        self.keep = keep

    def steps(self) -> list[int]:
        """Steps of the complete checkpoints, ascending."""
        if not self.folder.is_dir():
            return []
        names = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in names if match)

    def path(self, step: int) -> Path:
        """Folder of the checkpoint taken after ``step`` steps."""
        return self.folder / f"step-{step:08d}"

    def save(self, step: int, tree: Tree) -> None:
        """Write a checkpoint, then remove the oldest beyond ``keep``, and what a kill left half."""
        save_tree(self.path(step), tree)
        for old in self.steps()[: -self.keep]:
            shutil.rmtree(self.path(old), ignore_errors=True)
        for half in self.folder.glob(".step-*"):
            shutil.rmtree(half, ignore_errors=True)

    def load_latest(self) -> tuple[int, Tree]:
        """Read the newest checkpoint that is intact.

        Raises:
            UserError: if there is none.
        """
        problems = []
        for step in reversed(self.steps()):
            try:
                return step, load_tree(self.path(step))
            except UserError as error:
                problems.append(str(error))
        found = "; ".join(problems) if problems else "the folder holds none"
        raise UserError(f"no usable checkpoint in {self.folder}: {found}")
