"""Which cells a data set has, and how each is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.settings import BenchmarkSettings
from molvec.data.labelled import Labelled
from molvec.data.source import cache_folder
from molvec.data.split import Split, make_split
from molvec.evaluate.cells import Cell, CellKey
from molvec.evaluate.frozen import PROTOCOL_VERSION, frozen_cell, scored, training_rows
from molvec.evaluate.representation import (
    DESCRIPTORS,
    ECFP,
    PRETRAINED,
    SCRATCH,
    Representation,
    features,
)
from molvec.evaluate.suite import frozen_seeds, trees_for
from molvec.finetuning import finetune
from molvec.provenance import software

BASELINE_HEADS = ("linear", "forest")
SEEDLESS = ("linear", "kernel")  # landmarks of a kernel aside, where molecules are many


@dataclass(frozen=True)
class Job:
    """Cells that are computed together: one head, or both ends of one fine-tuning."""

    keys: tuple[CellKey, ...]
    split: Split
    run: Callable[[], list[Cell]]


def jobs(
    settings: BenchmarkSettings,
    data: Labelled,
    representations: Sequence[Representation],
    folder: ModelFolder | None,
) -> Iterator[Job]:
    """Yield the jobs of a data set; features are computed at the first need of them.

    Args:
        settings: protocols, heads, seeds.
        data: the data set.
        representations: for frozen heads.
        folder: the model to fine-tune; ``None`` trains from scratch alone.
    """
    splits = {seed: make_split(data, settings.split, seed=seed) for seed in range(settings.seeds)}
    moving = splits[0].seed is not None  # every seed has a split of its own
    for representation in representations:
        get = _lazy(representation, data)
        own = representation.seed
        # Baselines stand beside whatever is run.
        baseline = representation.name in (ECFP, DESCRIPTORS)
        if baseline or "frozen" in settings.protocols:
            for head in dict.fromkeys((*(BASELINE_HEADS if baseline else ()), *settings.heads)):
                for seed in _seeds(settings, data, representation, head, moving):
                    run = _Run("frozen", seed)
                    yield _frozen_job(settings, data, splits[seed], representation, get, head, run)
        if "label-efficiency" in settings.protocols and own in (None, 0):
            for head in settings.heads:
                for run in _draws(settings, head):
                    yield _frozen_job(settings, data, splits[0], representation, get, head, run)
    for start in _trained(settings, folder):
        if "finetune" in settings.protocols:
            for seed in range(settings.seeds):
                yield _finetune_job(settings, data, splits[seed], start, _Run("finetune", seed))
        if "label-efficiency" in settings.protocols and settings.trained:
            for run in _draws(settings, "fine-tuned"):
                yield _finetune_job(settings, data, splits[0], start, run)


@dataclass(frozen=True)
class _Run:
    """Protocol, seed and share of the training labels of a fit."""

    protocol: str
    seed: int
    fraction: float = 1.0
    draw: int = 0


def _seeds(
    settings: BenchmarkSettings,
    data: Labelled,
    representation: Representation,
    head: str,
    moving: bool,
) -> list[int]:
    """Seeds that a head is fitted with: one where nothing depends on it."""
    many = settings.seeds if moving else frozen_seeds(data.card, settings.seeds)
    if representation.seed is not None:
        return [representation.seed] if representation.seed < many else []
    return [0] if head in SEEDLESS and not moving else list(range(many))


def _draws(settings: BenchmarkSettings, head: str) -> Iterator[_Run]:
    for fraction in settings.fractions:
        # All labels and a head without randomness: one draw says it all.
        once = fraction == 1 and head in SEEDLESS
        for draw in range(1 if once else settings.draws):
            yield _Run("label-efficiency", draw, fraction, draw)


def _key(
    data: Labelled,
    split: Split,
    run: _Run,
    *,
    representation: str,
    key: str,
    head: str,
    settings: Mapping[str, Any],
) -> CellKey:
    return CellKey(
        dataset=data.name,
        data_sha256=data.sha256,
        split=split.name,
        split_sha256=split.sha256,
        protocol=run.protocol,
        representation=representation,
        key=key,
        head=head,
        seed=run.seed,
        fraction=run.fraction,
        draw=run.draw,
        settings=settings,
        software=_software(),
    )


def _frozen_job(
    settings: BenchmarkSettings,
    data: Labelled,
    split: Split,
    representation: Representation,
    get: Callable[[], Any],
    head: str,
    run: _Run,
) -> Job:
    trees = settings.trees or trees_for(data.card)
    key = _key(
        data,
        split,
        run,
        representation=representation.name,
        key=representation.key,
        head=head,
        settings={"trees": trees} if head == "forest" else {},
    )

    def compute() -> list[Cell]:
        scale = representation.scale
        x = get()
        return [frozen_cell(key, data, split, x, scale=scale, trees=trees, jobs=settings.jobs)]

    return Job((key,), split, compute)


@dataclass(frozen=True)
class _Start:
    """Where training starts: from a model's weights, or the same network at random."""

    name: str
    key: str
    folder: ModelFolder | None


def _trained(settings: BenchmarkSettings, folder: ModelFolder | None) -> list[_Start]:
    if folder is None:
        return [_Start(SCRATCH, f"scratch-{settings.finetune.preset}", None)]
    return [
        _Start(PRETRAINED, f"model-{folder.key}", folder),
        _Start(SCRATCH, f"scratch-{folder.architecture_key}", folder),
    ]


def _finetune_job(
    settings: BenchmarkSettings, data: Labelled, split: Split, start: _Start, run: _Run
) -> Job:
    chosen = settings.finetune.model_copy(update={"seed": run.seed})
    ends = ("best", "last") if run.protocol == "finetune" else ("best",)
    keys = {
        end: _key(
            data,
            split,
            run,
            representation=start.name,
            key=start.key,
            head=f"fine-tuned, {end}",
            settings=chosen.model_dump(mode="json"),
        )
        for end in ends
    }

    def compute() -> list[Cell]:
        done = finetune(
            data,
            replace(split, train=training_rows(keys["best"], data, split)),
            model=None if start.folder is None else start.folder.folder,
            from_scratch=start.name == SCRATCH,
            settings=chosen,
            output=None,
        )
        if start.folder is not None:
            start.folder.check_unchanged()
        seconds = sum(epoch["seconds"] for epoch in done.history)
        return [
            scored(
                key,
                data,
                split,
                valid=done.valid[end],
                test=done.test[end],
                choice={"epoch": done.best_epoch if end == "best" else len(done.history)},
                seconds=seconds,
            )
            for end, key in keys.items()
        ]

    return Job(tuple(keys.values()), split, compute)


def _lazy(representation: Representation, data: Labelled) -> Callable[[], Any]:
    """Compute features at the first need: a finished data set is not embedded again."""
    known: list[Any] = []

    def get() -> Any:
        if not known:
            known.append(features(representation, data, cache_folder() / "features"))
        return known[0]

    return get


def _software() -> str:
    return f"protocol {PROTOCOL_VERSION}, {software('torch', 'rdkit', 'scikit-learn')}"
