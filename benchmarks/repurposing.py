"""Which compounds might treat a disease of which no treatment is told? Hetionet, end to end.

    python -m benchmarks.repurposing --folder runs/repurposing

Diseases that have treatments are dealt at random: some to learn from, some to choose by, some to
test. All "compound treats disease" edges (CtD) of the last two leave the graph, everything else
stays. A model is pretrained on what is left, with the recipe ``kg`` and no other supervision;
compounds and diseases are embedded; a decoder of the frozen vectors learns from the edges between
compounds and diseases that are left, and ranks all compounds for each held-out disease. Beside it
stand the same network at random start, ComplEx trained on the whole graph that is left, and how
many diseases a compound treats already (popularity).
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from molvec.atomic import atomic_write
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.kg_cells import COMPLEX_TRAINING, DECODER_TRAINING, DIM, DROPOUT, HIDDEN
from molvec.benchmarking.network_runs import pretrained
from molvec.config import parse_overrides
from molvec.data.knowledge_graph import KnowledgeGraph, load_knowledge_graph
from molvec.embed.load import load
from molvec.evaluate.link_models import ComplEx, FrozenDecoder, LinkModel, Popularity
from molvec.evaluate.link_training import fit_links
from molvec.evaluate.markdown_table import table_lines
from molvec.evaluate.metrics import score
from molvec.evaluate.triples import LinkTask, Triples
from molvec.provenance import describe

DATA = "hetionet-lite"
TREATS = "CtD"
VALID, TEST = 15, 20  # of the 77 diseases that have treatments
TOP = 10


@dataclass(frozen=True, eq=False)
class Held:
    """What is left of the graph, and the treatments that left it.

    ``task`` is in rows of ``names``; its validation and test parts are treatments of diseases
    that have none in its training part.
    """

    names: tuple[str, ...]
    titles: dict[str, str]
    compounds: NDArray[np.int64]
    diseases: NDArray[np.int64]
    relations: tuple[str, ...]
    task: LinkTask
    lost: int

    @property
    def treats(self) -> int:
        """Row of the relation."""
        return self.relations.index(TREATS)


def main() -> None:
    """Run everything, or the rest of it, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/repurposing"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--set", action="append", default=[], help="a setting of pretraining")
    parser.add_argument("--seeds", type=int, default=3, help="of decoders and random starts")
    parser.add_argument("--disease", default="rheumatoid arthritis", help="whose list is shown")
    arguments = parser.parse_args()
    machine = describe()
    held = hold_out(load_knowledge_graph(DATA))
    file = arguments.folder / "triples.tsv"
    atomic_write(file, lambda path: path.write_text(as_text(held), encoding="utf-8"))
    run = pretrained(
        arguments.folder / "run",
        recipe="kg",
        source=str(file.resolve()),
        overrides=parse_overrides(arguments.set),
        seed=0,
        report=print,
    )
    models = fitted(held, run, range(arguments.seeds))
    rows = {name: [evaluate(model, held) for model in row] for name, row in models.items()}
    shown = top_ten(models["pretrained"][0], held, arguments.disease)
    document = {
        "command": shlex.join(["python", "-m", "benchmarks.repurposing", *sys.argv[1:]]),
        "machine": machine,
        "model": ModelFolder(run).about(),
        "diseases": {"valid": VALID, "test": TEST},
        "treatments": [int((held.task.train[:, 1] == held.treats).sum())]
        + [len(part) for part in (held.task.valid, held.task.test)],
        "lost": held.lost,
        "scores": rows,
        "disease": arguments.disease,
        "top": shown,
    }
    write(arguments.output, document)


def hold_out(graph: KnowledgeGraph, *, seed: int = 0) -> Held:
    """Take all treatments of some diseases out of the graph."""
    every = np.concatenate([graph.train, graph.valid, graph.test])
    treats = graph.relations.index(TREATS)
    treated = np.unique(every[every[:, 1] == treats][:, 2])
    order = np.random.default_rng((seed, 7)).permutation(treated)
    parts = {"valid": order[:VALID], "test": order[VALID : VALID + TEST]}
    is_treatment = every[:, 1] == treats
    out = {name: is_treatment & np.isin(every[:, 2], chosen) for name, chosen in parts.items()}
    left = every[~(out["valid"] | out["test"])]
    kept = np.unique(left[:, [0, 2]])  # rows of the graph, those that have an edge left
    row = np.full(len(graph.names), -1)
    row[kept] = np.arange(len(kept))

    def renumbered(triples: Triples) -> Triples:
        new = np.stack([row[triples[:, 0]], triples[:, 1], row[triples[:, 2]]], axis=1)
        return new[(new >= 0).all(axis=1)]

    valid, test = renumbered(every[out["valid"]]), renumbered(every[out["test"]])
    names = tuple(graph.names[i] for i in kept)
    assert graph.titles is not None
    return Held(
        names=names,
        titles={graph.names[i]: graph.titles[i] or graph.names[i] for i in kept},
        compounds=_of_kind(names, "Compound"),
        diseases=_of_kind(names, "Disease"),
        relations=graph.relations,
        task=LinkTask(renumbered(left), valid, test, len(kept), len(graph.relations)),
        lost=int(out["valid"].sum() + out["test"].sum()) - len(valid) - len(test),
    )


def _of_kind(names: Sequence[str], kind: str) -> NDArray[np.int64]:
    return np.array([i for i, name in enumerate(names) if name.startswith(f"{kind}::")])


def as_text(held: Held) -> str:
    """Write the training triples as a table."""
    return "".join(
        f"{held.names[h]}\t{held.relations[r]}\t{held.names[t]}\n"
        for h, r, t in held.task.train.tolist()
    )


def between(held: Held) -> tuple[LinkTask, NDArray[np.int64]]:
    """Keep the triples between compounds and diseases; return them, and their rows of names."""
    kept = np.sort(np.concatenate([held.compounds, held.diseases]))
    row = np.full(len(held.names), -1)
    row[kept] = np.arange(len(kept))

    def among(triples: Triples) -> Triples:
        new = np.stack([row[triples[:, 0]], triples[:, 1], row[triples[:, 2]]], axis=1)
        return new[(new >= 0).all(axis=1)]

    parts = [among(part) for part in (held.task.train, held.task.valid, held.task.test)]
    return LinkTask(*parts, len(kept), len(held.relations)), kept


@dataclass(frozen=True, eq=False)
class Ranker:
    """A model of links, and the rows it knows compounds and diseases by."""

    model: LinkModel
    rows: NDArray[np.int64]  # rows of names -> of the model, -1 for others

    @torch.inference_mode()
    def scores(self, disease: int, held: Held) -> NDArray[np.float32]:
        """Score every compound for a disease."""
        inverse = held.treats + len(held.relations)
        question = torch.tensor([[self.rows[disease], inverse]])
        found = self.model.scores(question, self.model.entities())[0]
        scores: NDArray[np.float32] = found.numpy()[self.rows[held.compounds]]
        return scores


def fitted(held: Held, run: Path, seeds: Sequence[int]) -> dict[str, list[Ranker]]:
    """Fit every row of the table, once per seed."""
    task, kept = between(held)
    rows = np.full(len(held.names), -1)
    rows[kept] = np.arange(len(kept))
    whole = np.arange(len(held.names))
    names = [held.names[i] for i in kept]
    folder = ModelFolder(run)
    vectors = load(run).embed(names, on_error="raise")
    found: dict[str, list[Ranker]] = {"popularity": [Ranker(Popularity(task), rows)]}
    for row in ("ComplEx, end to end", "random start", "pretrained"):
        found[row] = []
        for seed in seeds:
            torch.manual_seed(seed)
            if row.startswith("ComplEx"):
                model = ComplEx(len(held.names), len(held.relations), DIM)
                training = replace(COMPLEX_TRAINING, batch=2048, negatives=500)
                fit = fit_links(model, held.task, training, seed=seed)
                found[row].append(Ranker(model, whole))
            else:
                random = row == "random start"
                x = folder.random_embedder(seed).embed(names) if random else vectors
                torch.manual_seed(seed)
                decoder = FrozenDecoder(x, len(held.relations), DIM, hidden=HIDDEN, dropout=DROPOUT)
                training = replace(DECODER_TRAINING, patience=5)
                fit = fit_links(decoder, task, training, seed=seed)
                found[row].append(Ranker(decoder, rows))
            print(f"{row}, seed {seed}: validation MRR {fit.mrr:.3f} in epoch {fit.epoch}")
    return found


def evaluate(ranker: Ranker, held: Held) -> dict[str, float]:
    """Mean over the test diseases of AUROC, average precision, and treatments in the top ten."""
    test = held.task.test
    scores: dict[str, list[float]] = {"roc_auc": [], "pr_auc": [], "hits@10": []}
    for disease in np.unique(test[:, 2]):
        truth = np.isin(held.compounds, test[test[:, 2] == disease][:, 0]).astype(float)[:, None]
        predicted = ranker.scores(int(disease), held)[:, None]
        for name in ("roc_auc", "pr_auc"):
            scores[name].append(score(name, truth, predicted).mean)
        first = np.argsort(-predicted[:, 0], kind="stable")[:TOP]
        scores["hits@10"].append(float(truth[first].max()))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def top_ten(ranker: Ranker, held: Held, title: str) -> list[dict[str, object]]:
    """The ten compounds that rank first for a disease, by name; which are known treatments."""
    by_title = {held.titles[held.names[i]]: int(i) for i in held.diseases}
    disease = by_title[title]
    scores = ranker.scores(disease, held)
    known = np.concatenate([held.task.train, held.task.valid, held.task.test])
    treats = known[(known[:, 1] == held.treats) & (known[:, 2] == disease)][:, 0]
    first = np.argsort(-scores, kind="stable")[:TOP]
    return [
        {
            "compound": held.titles[held.names[held.compounds[i]]],
            "score": round(float(scores[i]), 3),
            "treats": bool(held.compounds[i] in treats),
        }
        for i in first
    ]


def write(output: Path, document: dict[str, object]) -> None:
    """Write ``repurposing.md`` and ``.json``."""
    scores = document["scores"]
    assert isinstance(scores, dict)
    body = [
        [name, *(_text([each[metric] for each in row]) for metric in row[0])]
        for name, row in scores.items()
    ]
    header = ["", "AUROC", "average precision", "a treatment in the first ten"]
    top = document["top"]
    assert isinstance(top, list)
    lists = [[t["compound"], "yes" if t["treats"] else ""] for t in top]
    text = "\n".join(
        [
            f"`{document['command']}`",
            "",
            f"Means over {TEST} diseases without a treatment in training, and over seeds, with ±.",
            "",
            *table_lines(header, body),
            "",
            f"First for {document['disease']}:",
            "",
            *table_lines(["compound", "known treatment"], lists),
            "",
        ]
    )
    atomic_write(output / "repurposing.md", lambda path: path.write_text(text, encoding="utf-8"))
    record = json.dumps(document, indent=1) + "\n"
    atomic_write(output / "repurposing.json", lambda path: path.write_text(record))


def _text(values: Sequence[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


if __name__ == "__main__":
    main()
