"""Models of links: the product, the exact loss, and that they learn."""

import numpy as np
import pytest
import torch

from molvec.errors import UserError
from molvec.evaluate import link_training
from molvec.evaluate.link_models import (
    ComplEx,
    FrozenDecoder,
    Popularity,
    complex_product,
    whitened,
)
from molvec.evaluate.link_training import LinkTraining, fit_links
from molvec.evaluate.ranks import both_sides
from molvec.evaluate.triples import KnownTails, LinkTask, with_inverses


def blocks_task(groups=6, size=8, relations=3, seed=0):
    """Relation ``r`` joins members of group ``g`` to members of group ``g + r + 1``."""
    rng = np.random.default_rng(seed)
    head = rng.integers(groups * size, size=1600)
    relation = rng.integers(relations, size=1600)
    group = (head // size + relation + 1) % groups
    every = np.unique(
        np.stack([head, relation, group * size + rng.integers(size, size=1600)], 1), axis=0
    )
    parts = np.split(rng.permutation(every), [len(every) - 160, len(every) - 80])
    return LinkTask(*parts, groups * size, relations)


@pytest.fixture(scope="module")
def task():
    return blocks_task()


def test_product_of_complex_numbers():
    one, two = (torch.randn(5, 8, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    expected = torch.complex(one[:, :4], one[:, 4:]) * torch.complex(two[:, :4], two[:, 4:])
    assert torch.allclose(complex_product(one, two), torch.cat([expected.real, expected.imag], 1))


def test_score_is_the_real_part_with_the_tail_conjugated():
    torch.manual_seed(0)
    model = ComplEx(7, 2, 6)
    z = model.entities()
    scores = model.scores(torch.tensor([[3, 1], [0, 2]]), z)
    number = torch.complex(*z.chunk(2, 1))
    w = torch.complex(*model.relations.weight.chunk(2, 1))
    expected = (number[[3, 0]] * w[[1, 2]]) @ number.conj().T
    assert torch.allclose(scores, expected.real, atol=1e-6)


@pytest.mark.parametrize("weighted", [True, False])
def test_loss_is_the_cross_entropy_against_all(task, weighted):
    torch.manual_seed(0)
    model = ComplEx(task.num_entities, task.num_relations, 8)
    questions = KnownTails(with_inverses(task.train, 3), 6)
    chosen = np.array([3, 11, 40])
    training = LinkTraining(weighted=weighted)
    rng = np.random.default_rng(0)
    loss, _ = link_training._loss(model, questions, chosen, training, rng)
    asked = torch.from_numpy(np.stack([questions.head, questions.relation], 1)[chosen])
    log = torch.log_softmax(model.scores(asked, model.entities()), 1)
    row, tail = questions.of(chosen)
    counts = np.bincount(row)
    weights = torch.ones(len(row)) if weighted else torch.from_numpy(1.0 / counts[row])
    assert loss.item() == pytest.approx(
        (-(weights * log[row, tail]).sum() / weights.sum()).item(), rel=1e-5
    )


def test_sampled_loss_is_near_the_exact_one(task):
    torch.manual_seed(0)
    model = ComplEx(task.num_entities, task.num_relations, 8)
    questions = KnownTails(with_inverses(task.train, 3), 6)
    chosen = np.arange(100)

    def losses(negatives, draws):
        training = LinkTraining(negatives=negatives)
        rng = np.random.default_rng(0)
        found = [link_training._loss(model, questions, chosen, training, rng) for _ in range(draws)]
        return np.mean([loss.item() for loss, _ in found])

    assert losses(16, 50) == pytest.approx(losses(1000, 1), rel=0.01)


def test_penalty_counts_the_cubes():
    factors = torch.tensor([[3.0, 0.0, 4.0, 0.0]])
    assert link_training._cubes(factors).item() == pytest.approx(125, rel=1e-4)


@pytest.mark.parametrize("negatives", [1000, 20], ids=["all", "sampled"])
def test_a_table_learns_and_ends_with_its_best(task, negatives):
    torch.manual_seed(0)
    model = ComplEx(task.num_entities, task.num_relations, 16)
    seen = []
    training = LinkTraining(
        epochs=30, every=5, batch=64, negatives=negatives, n3=1e-3, patience=2, lr=0.1
    )
    found = fit_links(model, task, training, report=lambda *values: seen.append(values))
    assert found.curve == [(epoch, mrr) for epoch, _, mrr in seen]
    assert found.mrr == max(mrr for _, mrr in found.curve)
    valid = both_sides(model, task.valid, task.known).metrics()["mrr"]
    assert valid == pytest.approx(found.mrr)
    popular = both_sides(Popularity(task), task.test, task.known).metrics()["mrr"]
    assert both_sides(model, task.test, task.known).metrics()["mrr"] > popular + 0.2


def test_a_decoder_reads_what_the_vectors_say(task):
    rng = np.random.default_rng(0)
    group = np.eye(6)[np.arange(48) // 8]
    told = (group @ rng.normal(size=(6, 4))).astype(np.float32)
    noise = rng.normal(size=(48, 4)).astype(np.float32)
    training = LinkTraining(optimizer="adamw", lr=1e-2, epochs=20, every=5, batch=64, patience=9)
    scores = {}
    for name, vectors in (("told", told), ("noise", noise)):
        torch.manual_seed(0)
        model = FrozenDecoder(vectors, 3, 16, hidden=24)
        before = model.vectors.clone()
        scores[name] = fit_links(model, task, training).mrr
        assert torch.equal(model.vectors, before)
    assert scores["told"] > scores["noise"] + 0.1


def test_whitening_keeps_what_tells_rows_apart():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(300, 5)) @ rng.normal(size=(5, 9))).astype(np.float32)
    x[:, 0] += 100
    white = whitened(x, 256)
    assert white.shape == (300, 9)
    spread = white[:, :5]
    covariance = spread.T @ spread / 300
    assert torch.allclose(covariance, torch.eye(5), atol=0.15)
    assert white[:, 5:].abs().max() < 1e-2
    assert whitened(x, 3).equal(white[:, :3])


def test_same_seed_same_model(task):
    training = LinkTraining(epochs=2, negatives=20, batch=64)
    weights = []
    for _ in range(2):
        torch.manual_seed(0)
        model = ComplEx(task.num_entities, task.num_relations, 8)
        fit_links(model, task, training, seed=3)
        weights.append(model.table.weight)
    assert torch.equal(*weights)


def test_popularity_is_the_count_with_degree_for_ties(task):
    model = Popularity(task)
    scores = model.scores(torch.tensor([[5, 1], [9, 1]]), model.entities())
    assert torch.equal(scores[0], scores[1])
    counts = np.bincount(task.train[task.train[:, 1] == 1][:, 2], minlength=task.num_entities)
    assert np.array_equal(np.floor(scores[0].numpy()), counts)


def test_a_loss_without_end_is_refused(task):
    model = ComplEx(task.num_entities, task.num_relations, 8)
    with torch.no_grad():
        model.table.weight.fill_(torch.inf)
    with pytest.raises(UserError, match="not finite"):
        fit_links(model, task, LinkTraining(epochs=1))


def test_vectors_that_are_all_the_same_stay_so():
    """Positions in a network where everyone is joined to everyone, as in `nations`."""
    with np.errstate(all="raise"):
        assert not whitened(np.full((6, 4), 3.0, np.float32), 4).any()
