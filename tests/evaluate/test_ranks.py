"""Filtered ranks of both sides, and what equal scores do to them."""

import numpy as np
import pytest
import torch

from molvec.errors import UserError
from molvec.evaluate import ranks as module
from molvec.evaluate.ranks import Ranks, both_sides, rank_tails
from molvec.evaluate.triples import KnownTails, LinkTask, with_inverses


class Table:
    """Scores that are given: ``[num_entities, 2 num_relations, num_entities]``."""

    def __init__(self, table):
        self.table = table
        self.num_entities = len(table)

    def entities(self):
        return torch.empty(self.num_entities, 0)

    def scores(self, questions, entities):
        return self.table[questions[:, 0], questions[:, 1]].clone()


def random_task(entities=12, relations=3, triples=150, seed=0):
    rng = np.random.default_rng(seed)
    shape = (entities, relations, entities)
    every = np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:triples], shape), axis=1)
    parts = np.split(every, [triples - 40, triples - 20])
    return LinkTask(*parts, entities, relations)


def scores_with_ties(task, seed=0):
    shape = (task.num_entities, 2 * task.num_relations, task.num_entities)
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 6, shape, generator=generator).float()


def test_by_hand():
    scores = torch.tensor([[[5.0, 4.0, 3.0, 3.0, 1.0]]]).expand(5, 2, 5)
    known = KnownTails(np.array([[0, 0, 0], [0, 0, 2]]), 2)
    ranks = rank_tails(Table(scores), np.array([[0, 0, 2], [1, 0, 2]]), known)
    assert ranks.optimistic.tolist() == [2, 3]  # entity 0 is an answer to the first question alone
    assert ranks.pessimistic.tolist() == [3, 4]
    assert ranks.realistic.tolist() == [2.5, 3.5]
    metrics = ranks.metrics(hits=(2, 3))
    assert metrics["mrr"] == pytest.approx((1 / 2.5 + 1 / 3.5) / 2)
    assert (metrics["hits@2"], metrics["hits@3"], metrics["mr"]) == (0, 0.5, 3)
    assert metrics["mrr_optimistic"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert metrics["mrr_pessimistic"] == pytest.approx((1 / 3 + 1 / 4) / 2)


def test_against_loops_over_everything(monkeypatch):
    task = random_task()
    scores = scores_with_ties(task)
    found = both_sides(Table(scores), task.test, task.known)
    every = {tuple(t) for part in (task.train, task.valid, task.test) for t in part.tolist()}
    n = task.num_relations
    expected = []
    for side in ("tail", "head"):
        for h, r, t in task.test.tolist():
            row = scores[h, r] if side == "tail" else scores[t, r + n]
            true = t if side == "tail" else h
            others = [
                row[e]
                for e in range(task.num_entities)
                if e != true and ((h, r, e) if side == "tail" else (e, r, t)) not in every
            ]
            above = sum(bool(s > row[true]) for s in others)
            equal = sum(bool(s == row[true]) for s in others)
            expected.append((1 + above, 1 + above + equal))
    assert list(zip(found.optimistic, found.pessimistic, strict=True)) == expected
    monkeypatch.setattr(module, "CELLS", 30)  # 2 questions at a time
    again = both_sides(Table(scores), task.test, task.known)
    assert again.realistic.tolist() == found.realistic.tolist()


def test_a_collapsed_model_shows_in_the_gap():
    task = random_task()
    same = torch.zeros(task.num_entities, 2 * task.num_relations, task.num_entities)
    metrics = both_sides(Table(same), task.test, task.known).metrics()
    assert metrics["mrr_optimistic"] == 1
    assert metrics["mrr_pessimistic"] < 0.2
    assert metrics["mrr_pessimistic"] < metrics["mrr"] < 0.3


def test_scores_that_are_no_numbers_are_refused():
    task = random_task()
    scores = scores_with_ties(task)
    scores[:, :, 3] = torch.nan
    with pytest.raises(UserError, match="not finite"):
        both_sides(Table(scores), task.test, task.known)


def test_pykeen_says_the_same():
    pytest.importorskip("pykeen")
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.evaluation.evaluator import create_sparse_positive_filter_, filter_scores_

    task = random_task()
    scores = scores_with_ties(task)
    every = torch.from_numpy(np.concatenate([task.train, task.valid, task.test]))
    batch = torch.from_numpy(task.test)
    evaluator = RankBasedEvaluator()
    for target, column in (("tail", 2), ("head", 0)):
        head, relation = (0, 0) if target == "tail" else (2, task.num_relations)
        table = scores[batch[:, head], batch[:, 1] + relation].clone()
        true = table.gather(1, batch[:, column, None])
        positives, _ = create_sparse_positive_filter_(batch, every, filter_col=column)
        table = filter_scores_(table, positives)
        table.scatter_(1, batch[:, column, None], true)
        evaluator.process_scores_(batch, target, table, true)
    theirs = evaluator.finalize()
    ours = both_sides(Table(scores), task.test, task.known).metrics()
    for name, key in {
        "mrr": "both.realistic.inverse_harmonic_mean_rank",
        "mr": "both.realistic.arithmetic_mean_rank",
        "hits@1": "both.realistic.hits_at_1",
        "hits@10": "both.realistic.hits_at_10",
        "mrr_optimistic": "both.optimistic.inverse_harmonic_mean_rank",
        "mrr_pessimistic": "both.pessimistic.inverse_harmonic_mean_rank",
    }.items():
        assert ours[name] == pytest.approx(theirs.get_metric(key), abs=1e-6), name


def test_ranks_count_both_sides():
    task = random_task()
    ranks = both_sides(Table(scores_with_ties(task)), task.test, task.known)
    assert isinstance(ranks, Ranks)
    assert len(ranks.realistic) == 2 * len(task.test) == len(with_inverses(task.test, 3))
