"""Everything a run needs to continue bit for bit: weights, optimiser, counters, random state."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field

import torch

from molvec.checkpoint import Tree
from molvec.objective import Data2Vec
from molvec.records import SkipCount


@dataclass
class Progress:
    """What a run has done so far. The data position is ``step``: batches follow from it.

    ``skipped`` counts each row of ``failed`` once, in however many epochs it turned up.
    ``data`` is the sha256 of what is learned from.
    """

    data: str = ""
    step: int = 0
    molecules: int = 0
    views: int = 0
    seconds: float = 0.0
    skipped: SkipCount = field(default_factory=SkipCount)
    failed: set[int] = field(default_factory=set)
    stopped_by: signal.Signals | None = None

    def skip(self, row: int, reason: str) -> None:
        """Count a row that cannot be learned from."""
        if row not in self.failed:
            self.failed.add(row)
            self.skipped.add(row, None, reason)


def training_state(model: Data2Vec, optimizer: torch.optim.Optimizer, progress: Progress) -> Tree:
    """Return the state of a run as a tree for :func:`molvec.checkpoint.save_tree`."""
    optimizer_state = optimizer.state_dict()
    return {
        "model": model.state_dict(),
        "optimizer": {
            "state": {str(key): value for key, value in optimizer_state["state"].items()},
            "param_groups": optimizer_state["param_groups"],
        },
        "progress": {
            "data": progress.data,
            "step": progress.step,
            "molecules": progress.molecules,
            "views": progress.views,
            "seconds": progress.seconds,
            "skipped": {
                "counts": dict(progress.skipped.counts),
                "examples": progress.skipped.examples,
            },
            "failed": torch.tensor(sorted(progress.failed), dtype=torch.int64),
        },
        "rng": {"torch": torch.get_rng_state()},
    }


def restore(tree: Tree, model: Data2Vec, optimizer: torch.optim.Optimizer) -> Progress:
    """Put a saved state back into a freshly built model and optimiser.

    Raises:
        RuntimeError: if the tensors do not fit the model (another configuration).
    """
    model.load_state_dict(tree["model"])
    groups = [
        {**group, "betas": tuple(group["betas"])} for group in tree["optimizer"]["param_groups"]
    ]
    state = {int(key): value for key, value in tree["optimizer"]["state"].items()}
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    torch.set_rng_state(tree["rng"]["torch"])
    saved = tree["progress"]
    return Progress(
        data=saved["data"],
        step=saved["step"],
        molecules=saved["molecules"],
        views=saved["views"],
        seconds=saved["seconds"],
        skipped=SkipCount(
            counts=Counter(saved["skipped"]["counts"]),
            examples={
                reason: [(index, text) for index, text in rows]
                for reason, rows in saved["skipped"]["examples"].items()
            },
        ),
        failed=set(saved["failed"].tolist()),
    )
