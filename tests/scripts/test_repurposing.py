"""Drug repurposing on a made-up graph: what is held out is gone, and ranks are of compounds."""

import json

import numpy as np
import pytest
import torch

from benchmarks import repurposing
from benchmarks.repurposing import Ranker, between, evaluate, hold_out, top_ten
from molvec.data.knowledge_graph import KnowledgeGraph
from molvec.evaluate.link_models import Popularity
from molvec.records import make_network

COMPOUNDS, DISEASES, GENES = 12, 8, 5


def made_up(seed=0):
    names = [
        *(f"Compound::{i}" for i in range(COMPOUNDS)),
        *(f"Disease::{i}" for i in range(DISEASES)),
        *(f"Gene::{i}" for i in range(GENES)),
    ]
    rng = np.random.default_rng(seed)
    gene = COMPOUNDS + DISEASES
    rows = {(int(c), 0, COMPOUNDS + d) for d in range(DISEASES) for c in rng.permutation(12)[:3]}
    rows |= {(c, 1, gene + c % GENES) for c in range(COMPOUNDS)}
    rows |= {(COMPOUNDS + d, 2, gene + d % GENES) for d in range(DISEASES)}
    triples = np.array(sorted(rows))
    network = make_network(
        names,
        triples[:, 0],
        triples[:, 2],
        relation=triples[:, 1],
        relations=["CtD", "CbG", "DaG"],
        directed=True,
    )
    first, second = triples[::2], triples[1::2]
    titles = tuple(name.split("::")[0][0] + name.split("::")[1] for name in names)
    empty = {"unseen": {}, "negatives": {}, "unseen_negatives": {}}
    return KnowledgeGraph("toy", network, first, second[::2], second[1::2], titles=titles, **empty)


@pytest.fixture
def held(monkeypatch):
    monkeypatch.setattr(repurposing, "VALID", 2)
    monkeypatch.setattr(repurposing, "TEST", 3)
    return hold_out(made_up())


def test_no_treatment_of_a_held_out_disease_is_left(held):
    task = held.task
    taught = {t for _, r, t in task.train.tolist() if r == held.treats}
    chosen, tested = ({t for _, _, t in part.tolist()} for part in (task.valid, task.test))
    assert (len(taught), len(chosen), len(tested)) == (3, 2, 3)
    assert len(taught | chosen | tested) == DISEASES
    assert (task.valid[:, 1] == held.treats).all()
    assert len(task.train) + len(task.valid) + len(task.test) == 3 * DISEASES + COMPOUNDS + DISEASES
    text = repurposing.as_text(held).splitlines()
    for disease in chosen | tested:
        lines = [line.split("\t") for line in text if held.names[disease] in line.split("\t")]
        assert {relation for _, relation, _ in lines} == {"DaG"}


def test_compounds_alone_are_ranked(held):
    task, kept = between(held)
    assert {held.names[i].split("::")[0] for i in kept} == {"Compound", "Disease"}
    assert set(task.train[:, 1].tolist()) == {held.treats}
    rows = np.full(len(held.names), -1)
    rows[kept] = np.arange(len(kept))
    ranker = Ranker(Popularity(task), rows)
    scores = ranker.scores(int(held.task.test[0, 2]), held)
    assert scores.shape == (COMPOUNDS,)
    taught = held.task.train[held.task.train[:, 1] == held.treats]
    expected = [int((taught[:, 0] == c).sum()) for c in held.compounds]
    assert np.floor(scores).astype(int).tolist() == expected


class Oracle:
    """Knows the answers, or the opposite."""

    def __init__(self, held, sign):
        self.held, self.sign, self.num_entities = held, sign, len(held.names)

    def entities(self):
        return torch.empty(self.num_entities, 0)

    def scores(self, questions, entities):
        scores = torch.zeros(len(questions), self.num_entities)
        for row, (disease, _) in enumerate(questions.tolist()):
            every = self.held.task.test
            scores[row, every[every[:, 2] == disease][:, 0]] = self.sign
        return scores


def test_scores_of_the_best_and_the_worst(held, tmp_path, monkeypatch):
    rows = np.arange(len(held.names))
    best = evaluate(Ranker(Oracle(held, 1.0), rows), held)
    assert best == {"roc_auc": 1, "pr_auc": 1, "hits@10": 1}
    monkeypatch.setattr(repurposing, "TOP", 3)
    worst = evaluate(Ranker(Oracle(held, -1.0), rows), held)
    assert (worst["roc_auc"], worst["hits@10"]) == (0, 0)
    title = held.titles[held.names[held.task.test[0, 2]]]
    top = top_ten(Ranker(Oracle(held, 1.0), rows), held, title)
    assert [entry["treats"] for entry in top] == [True] * 3
    document = {"command": "x", "scores": {"a": [best, worst]}, "disease": title, "top": top}
    repurposing.write(tmp_path, document)
    assert json.loads((tmp_path / "repurposing.json").read_text()) == document
    assert "| a | 0.500 ± 0.707 |" in (tmp_path / "repurposing.md").read_text()
