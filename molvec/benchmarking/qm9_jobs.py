"""The cells of QM9: which there are, and how each is computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.benchmarking.datasets import Report
from molvec.benchmarking.encoders import ModelFolder
from molvec.corpus import atom_grounding
from molvec.data.labelled import Labelled
from molvec.data.source import cache_folder
from molvec.data.split import Split
from molvec.embed.conformers import ConformerEmbedder
from molvec.errors import UserError
from molvec.evaluate.cells import Cell, CellKey
from molvec.evaluate.frozen import PROTOCOL_VERSION, scored, training_rows
from molvec.evaluate.heads import fit_head
from molvec.evaluate.pooled_atoms import element_counts, pooled
from molvec.evaluate.representation import (
    PRETRAINED,
    RANDOM_START,
    SCRATCH,
    Representation,
    features,
    versions_key,
)
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.xtb import xtb_program
from molvec.finetuning import finetune
from molvec.provenance import software
from molvec.records import Conformer
from molvec.settings import FinetuneSettings

HUCKEL = "extended Hückel"
XTB = "xTB"
COUNTS = "counts of the elements"


@dataclass(frozen=True)
class Job:
    """A cell and how it is computed."""

    key: CellKey
    run: Callable[[], Cell]


def qm9_jobs(
    data: Labelled,
    split: Split,
    folder: ModelFolder,
    embedder: ConformerEmbedder,
    settings: FinetuneSettings,
    *,
    shares: Mapping[str, Sequence[float]],
    seeds: int,
    draws: int,
    report: Report,
) -> Iterator[Job]:
    """Yield the jobs; vectors are computed at the first need of them.

    Args:
        data: molecules in space, with labels.
        split: which of them teach, choose and test.
        folder: the model.
        embedder: the same, loaded.
        settings: of fine-tuning.
        shares: of the training labels, by protocol.
        seeds: of random starts and of fine-tuning.
        draws: of each share below 1, for frozen heads.
        report: receives a line for every epoch of fine-tuning.
    """

    def key(protocol: str, name: str, digest: str, head: str, seed: int, **more: Any) -> CellKey:
        return CellKey(
            dataset=data.name,
            data_sha256=data.sha256,
            split=split.name,
            split_sha256=split.sha256,
            protocol=protocol,
            representation=name,
            key=digest,
            head=head,
            seed=seed,
            software=f"protocol {PROTOCOL_VERSION}, {software('torch', 'rdkit', 'scikit-learn')}",
            **more,
        )

    for representation in _representations(data, folder, embedder, seeds, report):
        get = _once(representation, data)
        for share in shares.get("frozen", ()):
            for draw in range(1 if share == 1 else draws):
                seed = representation.seed or 0
                known = key(
                    *("frozen", representation.name, representation.key, "linear", seed),
                    fraction=share,
                    draw=draw,
                )
                yield Job(known, lambda known=known, get=get: _frozen(known, data, split, get()))  # type: ignore[misc]
    for share in shares.get("finetune", ()):
        for seed in range(seeds):
            chosen = settings.model_copy(update={"seed": seed})
            for name, start in ((PRETRAINED, folder.key), (SCRATCH, folder.architecture_key)):
                known = key(
                    *("finetune", name, start, "fine-tuned, best", seed),
                    fraction=share,
                    draw=seed,
                    settings=chosen.model_dump(mode="json", exclude={"device"}),
                )
                yield Job(
                    known,
                    lambda known=known, chosen=chosen: _finetuned(  # type: ignore[misc]
                        known, data, split, folder, chosen, report
                    ),
                )


def _representations(
    data: Labelled, folder: ModelFolder, embedder: ConformerEmbedder, seeds: int, report: Report
) -> Iterator[Representation]:
    """The model first, then what stands beside it."""
    assert data.conformers is not None
    stored = data.conformers

    def conformers() -> list[Conformer]:
        return [stored[int(row)] for row in data.rows]

    def calculated(name: str) -> NDArray[np.float32]:
        """What the targets of a grounding term say, without a network."""
        ground, featurize = atom_grounding(name, stored), ConformerFeaturizer()
        return pooled(ground(row, featurize(stored[row])) for row in map(int, data.rows))

    def random_start(seed: int) -> Representation:
        return Representation(
            RANDOM_START,
            f"random-{folder.architecture_key}-{seed}-{versions_key()}",
            lambda _: folder.random_embedder(seed).embed(conformers(), on_error="raise"),
            seed=seed,
            keep=False,  # half a gigabyte each
        )

    yield Representation(
        PRETRAINED,
        f"model-{folder.key}-{versions_key()}",
        lambda _: embedder.embed(conformers(), on_error="raise"),
        keep=False,
    )
    yield from map(random_start, range(seeds))
    yield Representation(
        HUCKEL,
        f"huckel-{versions_key()}",
        lambda _: np.hstack([calculated("extended_huckel"), element_counts(conformers())]),
    )
    if folder.grounding == "xtb":
        try:
            program = xtb_program()
        except UserError as error:
            report(f"{XTB}: not computed: {error}")
        else:
            yield Representation(
                XTB,
                f"xtb-{versions_key()}-{program}",
                lambda _: np.hstack([calculated("xtb"), element_counts(conformers())]),
            )
    yield Representation(
        COUNTS,
        f"elements-{versions_key()}",
        lambda _: element_counts(conformers()),
        keep=False,
    )


def _once(representation: Representation, data: Labelled) -> Callable[[], NDArray[np.float32]]:
    """Compute vectors at the first need: finished cells need none."""
    known: list[NDArray[np.float32]] = []

    def get() -> NDArray[np.float32]:
        if not known:
            known.append(features(representation, data, cache_folder() / "features"))
        return known[0]

    return get


def _frozen(key: CellKey, data: Labelled, split: Split, x: NDArray[np.float32]) -> Cell:
    """Fit a linear head for each label, with a strength of its own."""
    began = time.perf_counter()
    y = data.targets.to_numpy(dtype=np.float64)
    learn = training_rows(key, data, split)
    rows = {"valid": split.valid, "test": split.test}
    predicted: dict[str, list[NDArray[np.float64]]] = {name: [] for name in rows}
    choice: dict[str, float | int | str] = {}
    for column, label in enumerate(data.targets.columns):
        own = y[:, [column]]
        parts = (x[learn], own[learn], x[split.valid], own[split.valid])
        head = fit_head(key.head, data.task, *parts, scale=True, seed=key.seed)
        choice[f"strength of {label}"] = head.choice["strength"]
        for name, where in rows.items():
            predicted[name].append(head.predict(x[where]))
    return scored(
        key,
        data,
        split,
        valid=np.hstack(predicted["valid"]),
        test=np.hstack(predicted["test"]),
        choice=choice,
        seconds=time.perf_counter() - began,
    )


def _finetuned(
    key: CellKey,
    data: Labelled,
    split: Split,
    folder: ModelFolder,
    settings: FinetuneSettings,
    report: Report,
) -> Cell:
    """All labels jointly, from the model's weights or from scratch."""
    began = time.perf_counter()
    folder.check_unchanged()

    def epoch(line: Mapping[str, float], epochs: int) -> None:
        """Report one."""
        losses = f"loss {line['train_loss']:.4f}, of validation {line['valid_loss']:.4f}"
        report(f"{title_of(key)}: epoch {line['epoch']:.0f} of {epochs}, {losses}")

    done = finetune(
        data,
        replace(split, train=training_rows(key, data, split)),
        model=folder.folder,
        settings=settings,
        from_scratch=key.representation == SCRATCH,
        report=epoch,
    )
    return scored(
        key,
        data,
        split,
        valid=done.valid["best"],
        test=done.test["best"],
        choice={"epoch": done.best_epoch},
        seconds=time.perf_counter() - began,
    )


def title_of(key: CellKey) -> str:
    """Say in a few words which cell it is."""
    draw = "" if key.fraction == 1 else f", draw {key.draw}"
    share = f"{key.fraction:.0%} of the labels{draw}"
    return f"qm9: {key.representation}, {key.head}, seed {key.seed}, {share}"
