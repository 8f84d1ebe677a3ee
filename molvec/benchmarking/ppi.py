"""``molvec benchmark ppi``: what do the vectors of a network's nodes know of the nodes' labels?

Or of labels of pairs. Of each network a model is pretrained without labels, every node with labels
is embedded, and a linear head is fitted on frozen vectors, beside the same encoder at random start,
node2vec, the given features and the degree. What is finished is on disk, so the same command
continues.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from molvec.atomic import atomic_write
from molvec.benchmarking.datasets import Report
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.network_representations import (
    NodeRepresentation,
    baselines,
    of_model,
    random_start,
)
from molvec.benchmarking.network_runs import pretrained
from molvec.benchmarking.output import check_writable, machines_of
from molvec.benchmarking.special import SuiteResult
from molvec.data.labelled_network import (
    LabelledNetwork,
    list_labelled_networks,
    load_labelled_network,
)
from molvec.data.network_split import network_split
from molvec.data.source import cache_folder
from molvec.data.split import Split
from molvec.errors import UserError, did_you_mean
from molvec.evaluate.cells import Cell, CellKey, CellStore
from molvec.evaluate.metrics import score
from molvec.evaluate.multilabel import micro_macro_f1
from molvec.evaluate.multilabel_head import fit_multilabel, mean_f1
from molvec.evaluate.network_table import gain_markdown, network_frame, network_markdown
from molvec.evaluate.representation import PRETRAINED
from molvec.provenance import describe, software

RECIPE = "ppi"
DEFAULT = ("pcg", "humloc", "eukloc", "homo-sapiens", "yeast", "menche", "shs27k")
"""Data sets of the suite; ``graphsage-ppi`` only by name, it takes an hour."""
PROTOCOL = 1
"""Raised with every change of code that changes scores: finished cells are computed again."""
RULES = (
    "Linear heads on frozen vectors: logistic regression, its strength chosen on the validation "
    "part, once for F1 (mean of micro and macro) and once for average precision (mean over "
    "labels). F1 gives each node as many labels as it has, the best ones, in all rows. Of shs27k "
    "pairs have the labels, and a head reads the sum and the product of their nodes. Positions say "
    "where in the network a node is; surroundings are positions and features, if there are any, "
    "beside their averages over one, two and three steps through the network. The spread "
    "is the standard deviation over seeds: of pretraining, random start, walks and, where there "
    "are no official parts, of the parts. What pretraining gains is bold where it is larger than "
    "its spread."
)


def benchmark_ppi(
    *,
    names: Sequence[str] = (),
    model: str | None = None,
    output: Path,
    seeds: int = 3,
    jobs: int = 1,
    overrides: Mapping[str, Any] | None = None,
    command: str = "",
    report: Report = lambda line: None,
) -> SuiteResult:
    """Run the suite, or the rest of one that was interrupted (:class:`Suite` has the arguments).

    Writes ``results.csv``, ``results.md`` and ``results.json`` into ``output``, finished cells
    into ``output/cells`` and runs into ``output/runs/NAME-SEED``. Baselines are also kept in the
    cache folder, for the next model. With ``jobs`` above 1 a process featurises ahead.

    Raises:
        UserError: for data, a model or a folder that cannot be used; if nothing can be computed.
    """
    machine, given = describe(), dict(overrides or {})
    chosen = _chosen(names)
    if model is not None and len(chosen) != 1:
        raise UserError(
            "a model knows one network: name its data set, e.g. molvec benchmark ppi pcg"
        )
    if model is not None and given:
        raise UserError("--set changes pretraining, and --model is pretrained: give one of them")
    check_writable(output)
    store = CellStore(output / "cells", cache_folder() / "cells")
    given.setdefault("data.workers", min(jobs - 1, 1))
    cells: list[Cell] = []
    failures: list[str] = []
    about: dict[str, Any] = {}
    for name in chosen:
        data = load_labelled_network(name)
        for line in data.summary():
            report(line)
        folders = _folders(data, model, output, seeds, given, report)
        models: list[dict[str, Any]] = []
        for representation in _representations(data, folders, model is None, seeds, models):
            try:
                cells += _cells(representation, data, seeds, store, machine, report)
            except UserError as error:  # of one row: the others are worth having
                failures.append(f"{name}: {representation.name}: {error}")
                report(f"not computed: {failures[-1]}")
        about[name] = _about(data, seeds) | {"models": models}
    if not cells:
        raise UserError(failures[0])
    results = network_frame(cells)
    table, machines = network_markdown(results), machines_of(cells)
    gains = gain_markdown(cells)
    table += f"\n{gains}" * bool(gains)
    commits = ", ".join(dict.fromkeys(str(held["commit"]) for held in machines))
    record = {
        "command": command,
        "machines": machines,
        "seeds": seeds,
        "rules": RULES,
        "data": about,
        "failures": failures,
        "results": json.loads(results.to_json(orient="records")),
    }
    lines = f"{table}\n{RULES}\n\n`{command}`, commit {commits}\n"
    _replace(output / "results.csv", results.to_csv(index=False))
    _replace(output / "results.md", lines)
    _replace(output / "results.json", json.dumps(record, indent=1) + "\n")
    return SuiteResult(lines, output, tuple(failures))


def _chosen(names: Sequence[str]) -> list[str]:
    known = list_labelled_networks()
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UserError(f"there is no network {name!r} with labels.{hint} Known: "
                            f"{', '.join(known)}")  # fmt: skip
    return list(dict.fromkeys(names or DEFAULT))


def _folders(
    data: LabelledNetwork,
    model: str | None,
    output: Path,
    seeds: int,
    overrides: Mapping[str, Any],
    report: Report,
) -> Iterator[ModelFolder]:
    """Yield the models: the given one, or one pretrained for each seed."""
    if model is not None:
        yield ModelFolder(model, device="cpu")
        return
    for seed in range(seeds):
        folder = pretrained(
            output / "runs" / f"{data.name}-{seed}",
            recipe=RECIPE,
            source=data.name,
            seed=seed,
            overrides=overrides,
            report=report,
        )
        yield ModelFolder(folder, device="cpu")


def _representations(
    data: LabelledNetwork,
    folders: Iterator[ModelFolder],
    own: bool,
    seeds: int,
    models: list[dict[str, Any]],
) -> Iterator[NodeRepresentation]:
    for seed, folder in enumerate(folders):
        models.append(folder.about() | ({"path": f"runs/{data.name}-{seed}"} if own else {}))
        yield from of_model(folder, data, seed if own else None)
        if not own:
            yield from (random_start(folder, data, other) for other in range(1, seeds))
    yield from baselines(data, seeds)


def _cells(
    representation: NodeRepresentation,
    data: LabelledNetwork,
    seeds: int,
    store: CellStore,
    machine: Mapping[str, str],
    report: Report,
) -> Iterator[Cell]:
    """Yield a representation's cells: of its own seed, or of all parts there are."""
    x = None
    own = representation.seed
    done = set()
    for seed in range(seeds) if own is None else (own,):
        split = _split(data, seed)
        if own is None and split.sha256 in done:
            continue  # the same parts and the same vectors
        done.add(split.sha256)
        key = CellKey(
            dataset=data.name,
            data_sha256=data.sha256,
            split=split.name,
            split_sha256=split.sha256,
            protocol="nodes",
            representation=representation.name,
            key=representation.key,
            head="linear",
            seed=seed,
            settings={"protocol": PROTOCOL},
            software=software("torch", "scikit-learn", "scipy", "gensim"),
        )
        cell = store.load(key)
        kept = ", kept" if cell else ""
        if cell is None:
            x = data.vectors(representation.compute()) if x is None else x
            cell = _cell(key, data, split, x, machine)
            store.save(cell, share=representation.name != PRETRAINED)
        values = ", ".join(f"{name} {100 * cell.mean(name):.1f}" for name in cell.scores)
        report(f"{data.name}: {representation.name}, seed {seed}: {values}{kept}")
        yield cell


def _cell(
    key: CellKey,
    data: LabelledNetwork,
    split: Split,
    x: np.ndarray,
    machine: Mapping[str, str],
) -> Cell:
    """Fit a head and score it on the test part, which the fit never sees."""
    began = time.perf_counter()
    y = data.labels.to_numpy(dtype=np.float64)
    train, valid, test = split.train, split.valid, split.test
    heads = fit_multilabel(x[train], y[train], x[valid], y[valid])
    predicted = {name: head.predict(x[test]) for name, head in heads.items()}
    micro, macro = micro_macro_f1(y[test], predicted["f1"])
    return Cell(
        key=key,
        scores={
            "micro_f1": np.array([micro]),
            "macro_f1": np.array([macro]),
            "pr_auc": score("pr_auc", y[test], predicted["pr_auc"]).per_task,
        },
        valid_score=mean_f1(y[valid], heads["f1"].predict(x[valid])),
        choice={f"{name}_{k}": v for name, head in heads.items() for k, v in head.choice.items()},
        num_labels=y[train].size,
        seconds=time.perf_counter() - began,
        test=predicted["f1"],
        machine=machine,
    )


def _split(data: LabelledNetwork, seed: int) -> Split:
    labels = data.labels.to_numpy(dtype=np.float64)
    return network_split(
        labels, official=data.parts, scheme=data.scheme, pairs=data.pairs, seed=seed
    )


def _about(data: LabelledNetwork, seeds: int) -> dict[str, Any]:
    splits = {s.sha256: s for s in (_split(data, seed) for seed in range(seeds))}
    return {
        "nodes": len(data.network),
        "edges": data.network.num_edges,
        "labelled": len(data.labelled),
        "sha256": data.sha256,
        "splits": [
            {"name": s.name, "sha256": sha, "sizes": [len(s.train), len(s.valid), len(s.test)]}
            for sha, s in splits.items()
        ],
    }


def _replace(path: Path, text: str) -> None:
    atomic_write(
        path, lambda to: to.write_text(text, encoding="utf-8"), mend="choose another --output"
    )
