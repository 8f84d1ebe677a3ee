"""The pretraining loop: draw a batch, take a step, move the teacher, write it down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric

from molvec.data.loader import MaskedBatch
from molvec.errors import UserError
from molvec.objective import Data2Vec, Data2VecOutput, ema_decay, ema_update
from molvec.objective.collapse import CollapseGuard
from molvec.train.diagnostics import diagnostics
from molvec.train.history import Checkpoints
from molvec.train.interrupt import Interruption
from molvec.train.log import MetricsLog
from molvec.train.schedule import warmup_cosine
from molvec.train.state import Progress, training_state


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast; see ``configs/`` for commented values.

    ``ema_ramp`` counts steps from ``ema_start`` to ``ema_end``.
    """

    steps: int
    lr: float
    warmup: int
    clip: float
    ema_start: float
    ema_end: float
    ema_ramp: int
    log_every: int
    checkpoint_every: int


Report = Callable[[Progress, dict[str, float], int], None]
"""Called at every logged step with progress, diagnostics and the run's number of steps."""


def train(
    model: Data2Vec,
    optimizer: torch.optim.Optimizer,
    *,
    fabric: Fabric,
    batches: Callable[[int, int], Iterable[MaskedBatch]],
    settings: LoopSettings,
    progress: Progress,
    checkpoints: Checkpoints,
    log: MetricsLog,
    report: Report,
) -> Progress:
    """Train from ``progress.step`` to ``settings.steps``, or until interrupted.

    Args:
        model: student, teacher and loss.
        optimizer: over the model's trained parameters.
        fabric: device, precision and launch strategy.
        batches: ``(start, stop)`` -> training batches number ``start`` to ``stop - 1``.
        settings: schedule and cadence.
        progress: where to start; updated in place.
        checkpoints: written every ``checkpoint_every`` steps, at the end and on interruption.
        log: written every ``log_every`` steps.
        report: called at every logged step.

    Raises:
        CollapsedError: if the representation becomes constant or the loss is not finite.
        UserError: if not one batch held two graphs to learn from, or the disk is full.
    """
    wrapped, wrapped_optimizer = fabric.setup(model, optimizer)
    wrapped.train()
    guard = CollapseGuard()
    clock = _Clock(progress)
    with Interruption() as interruption:
        for loaded in clock.watched(batches(progress.step, settings.steps)):
            loaded = loaded.to(fabric.device)
            output = _step(wrapped, model, wrapped_optimizer, fabric, loaded, progress, settings)
            progress.step += 1
            progress.seconds = clock.total()
            last = progress.step == settings.steps
            stop = last or interruption.signal is not None
            # Not at an interruption: a resumed run's log equals that of one never interrupted.
            if output is not None and (progress.step % settings.log_every == 0 or last):
                assert loaded.batch is not None
                values = diagnostics(output, loaded.batch)
                values["lr"] = optimizer.param_groups[0]["lr"]
                values["molecules_per_second"] = clock.rate(progress)
                values["data_wait"] = clock.wait_share()
                values["molecules"] = progress.molecules
                values["skipped"] = len(progress.skipped)
                log.write(progress.step, values)
                report(progress, values, settings.steps)
                guard.check(
                    step=progress.step,
                    loss=values["loss"],
                    target_std=values["target_std"],
                    rank=values["effective_rank"],
                    graphs=loaded.batch.num_graphs,
                )
            if last and progress.molecules == 0:
                raise nothing_to_learn(progress)
            due = progress.step % settings.checkpoint_every == 0 and progress.molecules > 0
            if due or stop:
                checkpoints.save(progress.step, training_state(model, optimizer, progress))
            if stop:
                break
    progress.stopped_by = interruption.signal
    return progress


def nothing_to_learn(progress: Progress) -> UserError:
    """Return the error of a run that found no batch to learn from."""
    reasons = progress.skipped.summary(len(progress.skipped))
    return UserError(
        f"nothing to learn from: no batch held two usable molecules{reasons and f' ({reasons})'}"
    )


def _step(
    wrapped: torch.nn.Module,
    model: Data2Vec,
    optimizer: torch.optim.Optimizer,
    fabric: Fabric,
    loaded: MaskedBatch,
    progress: Progress,
    settings: LoopSettings,
) -> Data2VecOutput | None:
    """One optimiser step and one teacher step; nothing if no graph of the batch was readable."""
    for failure in loaded.failures:
        progress.skip(failure.index, failure.reason)
    if loaded.batch is None or loaded.mask is None:
        return None
    step = progress.step
    factor = warmup_cosine(step, steps=settings.steps, warmup=settings.warmup)
    for group in optimizer.param_groups:
        group["lr"] = settings.lr * factor

    output: Data2VecOutput = wrapped(loaded.batch, loaded.mask)
    fabric.backward(output.loss)
    fabric.clip_gradients(wrapped, optimizer, max_norm=settings.clip, error_if_nonfinite=False)
    optimizer.step()
    optimizer.zero_grad()

    decay = ema_decay(
        step, start=settings.ema_start, end=settings.ema_end, ramp_steps=settings.ema_ramp
    )
    ema_update(model.teacher, model.student.encoder, decay)
    progress.molecules += loaded.batch.num_graphs
    progress.views += loaded.batch.num_graphs * len(loaded.mask)
    return output


class _Clock:
    """Seconds over all sittings of a run; of this one the rate, and how much it waited."""

    def __init__(self, progress: Progress) -> None:
        self.began = time.monotonic()
        self.seconds_before = progress.seconds
        self.molecules_before = progress.molecules
        self.waited = 0.0

    def watched(self, batches: Iterable[MaskedBatch]) -> Iterator[MaskedBatch]:
        """Yield the batches and add up how long each was waited for, the first left out."""
        iterator = iter(batches)
        first = True
        while True:
            began = time.monotonic()
            try:
                loaded = next(iterator)
            except StopIteration:
                return
            self.waited += 0.0 if first else time.monotonic() - began
            first = False
            yield loaded

    def wait_share(self) -> float:
        """Return the share of the time since the start that went into waiting for data."""
        return self.waited / max(time.monotonic() - self.began, 1e-9)

    def total(self) -> float:
        return self.seconds_before + time.monotonic() - self.began

    def rate(self, progress: Progress) -> float:
        elapsed = max(time.monotonic() - self.began, 1e-9)
        return (progress.molecules - self.molecules_before) / elapsed
