"""The rows of a knowledge graph's table: what is fitted, with what settings, and its scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molvec.benchmarking.datasets import Report
from molvec.data.knowledge_graph import KnowledgeGraph
from molvec.evaluate.entity_types import TypeTask, score_types
from molvec.evaluate.link_models import ComplEx, FrozenDecoder, LinkModel, Popularity
from molvec.evaluate.link_training import LinkTraining, fit_links
from molvec.evaluate.ranks import both_sides
from molvec.evaluate.triples import LinkTask

Vectors = NDArray[np.float32]

COMPLEX = "ComplEx, end to end"
POPULARITY = "popularity"
DIM = 200
"""Real numbers an entity has, in ComplEx and behind the decoder's projection."""
AXES = 256
"""Principal axes of the vectors that a decoder reads, at most."""
FEW_AXES = 64
"""The same for a lighter one: as many as there are positions in the recipe ``kg``."""
HIDDEN = 512
"""Width of the hidden layer of the decoder that has one."""
DROPOUT = 0.1
DECODER_TRAINING = LinkTraining(
    optimizer="adamw", lr=3e-3, weight_decay=1e-4, batch=512, epochs=40, every=4, patience=2
)
"""Chosen on the validation parts of CoDEx-S (decision 18)."""
COMPLEX_TRAINING = LinkTraining(optimizer="adagrad", lr=0.1, n3=2e-3, epochs=60, every=3)
"""The first setting tried; 0.45 on the validation part of CoDEx-S (decision 18)."""


@dataclass(frozen=True)
class KgCell:
    """One row of one data set with one seed, and its scores by part: plain data.

    Attributes:
        dataset: its name.
        row: what was fitted.
        seed: of it.
        links: scores of link prediction, ``{"valid": {"mrr": ...}, "test": ...}``.
        types: scores of entity types; empty where there are none.
        choice: when training ended.
        seconds: for all of it.
        machine: where it was computed.
    """

    dataset: str
    row: str
    seed: int
    links: dict[str, dict[str, float]]
    types: dict[str, dict[str, float]] = field(default_factory=dict)
    choice: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    machine: dict[str, str] = field(default_factory=dict)


def link_task(graph: KnowledgeGraph) -> LinkTask:
    """All original triples of a graph, self-loops included."""
    sizes = len(graph.names), len(graph.relations)
    return LinkTask(graph.train, graph.valid, graph.test, *sizes)


@dataclass(frozen=True)
class Decoder:
    """How vectors that stay as they are become what ComplEx's product takes.

    Attributes:
        axes: principal axes that it reads, at most.
        hidden: width of its hidden layer; ``None`` for a linear one.
    """

    axes: int = AXES
    hidden: int | None = None


def decoders() -> dict[str, Decoder]:
    """Decoders of frozen vectors, by what they add to the name of a row.

    A linear one tells what can be read off the vectors, and one of few axes whether that is most of
    what is in them; one with a hidden layer makes more of them, whatever they are (decision 18).
    """
    return {
        "": Decoder(),
        f", {FEW_AXES} axes": Decoder(FEW_AXES),
        ", hidden layer": Decoder(hidden=HIDDEN),
    }


def settings() -> dict[str, Any]:
    """Return what numbers depend on beside data, vectors and decoders, for records and keys."""
    return {
        "dim": DIM,
        "dropout": DROPOUT,
        "decoder": asdict(DECODER_TRAINING),
        "complex": asdict(COMPLEX_TRAINING),
    }


def frozen_cell(
    row: str,
    x: Vectors,
    graph: KnowledgeGraph,
    types: TypeTask | None,
    *,
    decoder: Decoder,
    output: int | None,
    seed: int,
    report: Report,
) -> KgCell:
    """Fit a decoder, and the probe of types, on vectors that stay as they are.

    Args:
        row: its name in the table.
        x: float32 ``[num_entities, width]``, in the order of ``graph.names``.
        graph: the data.
        types: what entities are, if that is asked.
        decoder: which one.
        output: width of the encoder's last block, if vectors end in it; for the types.
        seed: of the decoder.
        report: receives a line per look at the validation part.
    """
    began = time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FrozenDecoder(
            x,
            len(graph.relations),
            DIM,
            hidden=decoder.hidden,
            dropout=DROPOUT,
            axes=decoder.axes,
        )
    task = link_task(graph)
    cell = _fitted(row, model, task, DECODER_TRAINING, graph.name, seed, report)
    found = {} if types is None else score_types(x, types, output=output)
    return replace(cell, types=found, seconds=time.monotonic() - began)


def complex_cell(
    graph: KnowledgeGraph, types: TypeTask | None, *, seed: int, report: Report
) -> KgCell:
    """Train ComplEx end to end on the training triples; its table serves the probe of types."""
    began = time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ComplEx(len(graph.names), len(graph.relations), DIM)
    task = link_task(graph)
    cell = _fitted(COMPLEX, model, task, COMPLEX_TRAINING, graph.name, seed, report)
    table = model.table.weight.detach().numpy()
    found = {} if types is None else score_types(table, types)
    return replace(cell, types=found, seconds=time.monotonic() - began)


def popularity_cell(graph: KnowledgeGraph) -> KgCell:
    """Rank by how often a tail answers a relation; learns nothing else."""
    began = time.monotonic()
    task = link_task(graph)
    links = _scores(Popularity(task), task)
    seconds = time.monotonic() - began
    return KgCell(graph.name, POPULARITY, 0, links, seconds=seconds)


def _fitted(
    row: str,
    model: FrozenDecoder | ComplEx,
    task: LinkTask,
    training: LinkTraining,
    dataset: str,
    seed: int,
    report: Report,
) -> KgCell:
    def tell(epoch: int, loss: float, mrr: float) -> None:
        report(f"{dataset}: {row}, seed {seed}, epoch {epoch}, validation MRR {mrr:.3f}")

    fitted = fit_links(model, task, training, seed=seed, report=tell)
    choice = {"epoch": fitted.epoch, "curve": fitted.curve}
    return KgCell(dataset, row, seed, _scores(model, task), choice=choice)


def _scores(model: LinkModel, task: LinkTask) -> dict[str, dict[str, float]]:
    known = task.known
    parts: Sequence[str] = ("valid", "test")
    return {part: both_sides(model, getattr(task, part), known).metrics() for part in parts}
