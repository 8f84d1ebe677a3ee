"""``molvec benchmark kg``: are the vectors of entities worth something, and for what?

Link prediction by a light decoder of frozen vectors, beside ComplEx trained end to end on the same
triples, the same network at random start, the positions that both are given, and popularity; types
of entities by a linear probe, where the set has types.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from molvec.atomic import atomic_write
from molvec.benchmarking.datasets import Report
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.kg_cells import (
    AXES,
    FEW_AXES,
    Decoder,
    KgCell,
    Vectors,
    complex_cell,
    decoders,
    frozen_cell,
    popularity_cell,
    settings,
)
from molvec.benchmarking.kg_table import results_frame, results_markdown, warnings
from molvec.benchmarking.network_models import network_embedder
from molvec.benchmarking.network_runs import pretrained
from molvec.benchmarking.output import check_writable
from molvec.benchmarking.special import SuiteResult
from molvec.config import load_settings
from molvec.data.knowledge_graph import KnowledgeGraph, list_knowledge_graphs, load_knowledge_graph
from molvec.embed.network import NetworkEmbedder
from molvec.errors import UserError, did_you_mean
from molvec.evaluate.entity_types import TypeTask, type_task
from molvec.evaluate.representation import PRETRAINED, RANDOM_START
from molvec.provenance import describe, software

DEFAULT = ("fb15k-237", "codex-s")
RECIPE = "kg"
SPREAD = "; ± is the standard deviation over seeds"
INPUTS = "positions alone"
"""What the encoder is given of an entity beside the graph: where it is in it."""


def benchmark_kg(
    *,
    names: Sequence[str],
    model: str | None,
    output: Path,
    seeds: int,
    jobs: int,
    overrides: Mapping[str, Any],
    command: str,
    report: Report,
) -> SuiteResult:
    """Run the suite, or the rest of one that was interrupted.

    Args:
        names: knowledge graphs; none for ``DEFAULT``.
        model: a run or a model folder of the one graph named; ``None`` pretrains the recipe
            ``kg`` on the training triples of each graph, once per seed.
        output: folder for tables, runs and finished cells; the same call continues there.
        seeds: 0 to ``seeds - 1``; of pretraining, random starts, decoders and ComplEx.
        jobs: has no meaning here: torch uses the threads it is given.
        overrides: settings of pretraining, by dotted key.
        command: how to repeat this, for the record.
        report: receives one line for each step.

    Raises:
        UserError: for data, a model or a folder that cannot be used.
    """
    machine = describe()  # now: the source tree may change meanwhile
    chosen = _chosen(names, model, overrides)
    if model is not None:
        ModelFolder(model)
    else:
        load_settings(RECIPE, {"data.source": chosen[0], **overrides})
    check_writable(output)
    store = _Store(output / "cells", machine, report)
    cells: list[KgCell] = []
    notes = [
        f"Filtered setting, both sides, realistic ranks{SPREAD * (seeds > 1)}. "
        "Decoders and ComplEx stop by validation MRR; decoders are linear in the first "
        f"{AXES} principal axes of the vectors or in {FEW_AXES}, or have a hidden layer.",
    ]
    data: dict[str, Any] = {}
    for name in chosen:
        graph = load_knowledge_graph(name)
        types = type_task(graph.types) if graph.types is not None else None
        for line in graph.summary():
            report(line)
        notes += _notes(graph, types)
        data[name] = _about(graph, types)
        for seed in range(seeds):
            cells += _of_seed(graph, types, seed, model, output, overrides, store, report)
    frame = results_frame(cells)
    notes += warnings(frame)
    for line in warnings(frame):
        report(line)
    table = results_markdown(frame, notes)
    record = {
        "command": command,
        "model": model,
        "seeds": seeds,
        "overrides": dict(overrides),
        "settings": settings() | {"decoders": {name: asdict(d) for name, d in decoders().items()}},
        "data": data,
        "machine": machine,
        "results": json.loads(frame.to_json(orient="records", double_precision=15)),
        "cells": [asdict(cell) for cell in cells],
    }
    _write(output / "results.csv", frame.to_csv(index=False))
    _write(output / "results.md", table)
    _write(output / "results.json", json.dumps(record, indent=1) + "\n")
    return SuiteResult(table, output)


def _chosen(
    names: Sequence[str], model: str | None, overrides: Mapping[str, Any]
) -> tuple[str, ...]:
    known = list_knowledge_graphs()
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UserError(
                f"there is no knowledge graph {name!r}.{hint} Known: {', '.join(known)}"
            )
    if model is not None and len(names) != 1:
        raise UserError("a model belongs to one network: name it, e.g. molvec benchmark kg umls")
    if model is not None and overrides:
        raise UserError("--set is for pretraining, and --model is pretrained already: drop one")
    return tuple(dict.fromkeys(names)) or DEFAULT


def _of_seed(
    graph: KnowledgeGraph,
    types: TypeTask | None,
    seed: int,
    model: str | None,
    output: Path,
    overrides: Mapping[str, Any],
    store: _Store,
    report: Report,
) -> Iterator[KgCell]:
    if seed == 0:
        yield store(graph, "popularity", 0, "", lambda: popularity_cell(graph))
    yield store(
        graph, "complex", seed, "", lambda: complex_cell(graph, types, seed=seed, report=report)
    )
    run: str | Path = model if model is not None else _run(graph, output, overrides, seed, report)
    folder = ModelFolder(run)
    embedder = network_embedder(run, graph.network, graph.name)
    width = embedder.encoder.dim
    rows: dict[str, tuple[str, Callable[[], Vectors], int | None]] = {
        RANDOM_START: (folder.random_key, lambda: _embed(_random(folder, seed), graph), width),
        PRETRAINED: (folder.key, lambda: _embed(embedder, graph), width),
    }
    given = embedder.network.features
    if given is not None:
        place = {name: row for row, name in enumerate(embedder.network.names)}
        inputs = given[[place[name] for name in graph.names]]
        digest = hashlib.sha256(inputs.tobytes()).hexdigest()
        rows = {INPUTS: (digest, lambda: inputs, None), **rows}
    once = {row: cache(vectors) for row, (_, vectors, _) in rows.items()}
    few = given is not None and given.shape[1] <= FEW_AXES
    for suffix, decoder in decoders().items():
        asked = None if suffix else types  # types once: they know no decoder
        for row, (key, _, last) in rows.items():
            if row == INPUTS and few and decoder.axes == FEW_AXES:
                continue  # all that there are: the row above
            options = {"decoder": decoder, "output": last, "seed": seed, "report": report}
            fit = partial(_frozen, row + suffix, once[row], graph, asked, options)
            yield store(graph, row + suffix, seed, key, fit, decoder)


def _frozen(
    row: str,
    vectors: Callable[[], Vectors],
    graph: KnowledgeGraph,
    types: TypeTask | None,
    options: Mapping[str, Any],
) -> KgCell:
    return frozen_cell(row, vectors(), graph, types, **options)


def _run(
    graph: KnowledgeGraph, output: Path, overrides: Mapping[str, Any], seed: int, report: Report
) -> Path:
    folder = output / "runs" / f"{graph.name}-{seed}"
    return pretrained(
        folder, recipe=RECIPE, source=graph.name, seed=seed, overrides=overrides, report=report
    )


def _random(folder: ModelFolder, seed: int) -> NetworkEmbedder:
    embedder = folder.random_embedder(seed)
    assert isinstance(embedder, NetworkEmbedder)
    return embedder


def _embed(embedder: NetworkEmbedder, graph: KnowledgeGraph) -> Vectors:
    vectors: Vectors = embedder.embed(list(graph.names), on_error="raise")
    if not np.isfinite(vectors).all():
        raise UserError("a model's vectors are not finite: its weights are damaged")
    return vectors


class _Store:
    """Finished cells on disk, each under a hash of all that its numbers depend on."""

    def __init__(self, folder: Path, machine: dict[str, str], report: Report) -> None:
        self.folder = folder
        self.machine = machine
        self.report = report

    def __call__(
        self,
        graph: KnowledgeGraph,
        row: str,
        seed: int,
        key: str,
        compute: Callable[[], KgCell],
        decoder: Decoder | None = None,
    ) -> KgCell:
        triples = b"".join(part.tobytes() for part in (graph.train, graph.valid, graph.test))
        how = {**settings(), "shape": decoder and asdict(decoder)}
        told = [hashlib.sha256(triples).hexdigest(), row, seed, key, how]
        text = json.dumps([*told, software("torch", "numpy")], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = self.folder / f"{graph.name}-{row.replace(' ', '-')}-{seed}-{digest}.json"
        kept = path.exists()
        if kept:
            try:
                cell = KgCell(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                raise UserError(f"{path} is damaged; remove it") from None
        else:
            cell = replace(compute(), machine=self.machine)
            _write(path, json.dumps(asdict(cell)) + "\n")
        took = f"{cell.seconds:.0f} s{', kept' * kept}"
        self.report(
            f"{graph.name}: {cell.row}, seed {seed}: test MRR {cell.links['test']['mrr']:.3f} "
            f"({took})"
        )
        return cell


def _notes(graph: KnowledgeGraph, types: TypeTask | None) -> list[str]:
    loops = int((graph.train[:, 0] == graph.train[:, 2]).sum())
    notes = []
    if loops:
        notes.append(
            f"{graph.name}: {loops:,} training triples lead from an entity to itself; decoders "
            "learn from them and filters know them, neighbourhoods are drawn without them."
        )
    lost = {part: count for part, count in graph.unseen.items() if count}
    if lost:
        counts = ", ".join(f"{count:,} of {part}" for part, count in lost.items())
        notes.append(
            f"{graph.name}: left out, as training never shows their entity or relation: {counts}."
        )
    if types is not None:
        notes.append(
            f"{graph.name}: {len(types.types)} types of {types.size:,} entities in "
            f"{len(types.folds)} folds; in turn one is scored, one chooses, the others "
            "teach. Of an encoder the choice is between every layer and the last alone."
        )
    return notes


def _about(graph: KnowledgeGraph, types: TypeTask | None) -> dict[str, Any]:
    return {
        "entities": len(graph.names),
        "relations": len(graph.relations),
        "triples": [len(graph.train), len(graph.valid), len(graph.test)],
        "unseen": dict(graph.unseen),
        "parts": graph.parts,
        "types": [] if types is None else list(types.types),
    }


def _write(path: Path, text: str) -> None:
    atomic_write(
        path,
        lambda temporary: temporary.write_text(text, encoding="utf-8"),
        mend="choose another --output",
    )
