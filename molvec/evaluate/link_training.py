r"""Training a model of links: every training triple against all entities, or a sample of them.

.. math::
    \mathcal{L} = \sum_{(h, r)} w_{hr} \Big( \log \sum_{t \in K_{hr}} e^{s(h, r, t)}
    + \tfrac{E'}{|N|} \sum_{n \in N \setminus K_{hr}} e^{s(h, r, n)} \Big)
    - \frac{1}{|K_{hr}|} \sum_{t \in K_{hr}} s(h, r, t)

The cross entropy of each question's known tails :math:`K_{hr}` against all entities (1-N scoring;
Dettmers et al. 2018, arXiv 1707.01476; Lacroix et al. 2018, arXiv 1806.07297), where the sum over
the others is exact, or estimated from :math:`N`, drawn anew for each batch and shared by it. To it
comes the N3 penalty of Lacroix et al., and learning stops when the validation MRR does not rise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molvec.errors import UserError
from molvec.evaluate.link_models import Bilinear
from molvec.evaluate.ranks import both_sides
from molvec.evaluate.triples import KnownTails, LinkTask, with_inverses

LOOKED_AT = 2500
"""Validation triples that are ranked after an epoch, a sample drawn once where there are more."""


@dataclass(frozen=True)
class LinkTraining:
    """How a model of links is trained.

    Attributes:
        optimizer: ``"adagrad"``, for tables, or ``"adamw"``, for projections.
        lr: learning rate.
        weight_decay: AdamW's alone.
        n3: weight of the cubes of the factors' absolute values.
        batch: questions (head and relation) of a step.
        negatives: entities that stand for all others; of a graph with fewer, all.
        epochs: at most.
        every: epochs between two looks at the validation part.
        patience: looks without a better MRR after which learning stops.
        weighted: whether a question counts as often as it has tails, or once.
    """

    optimizer: str = "adagrad"
    lr: float = 0.1
    weight_decay: float = 0.0
    n3: float = 0.0
    batch: int = 1024
    negatives: int = 3000
    epochs: int = 60
    every: int = 2
    patience: int = 3
    weighted: bool = True


@dataclass
class Fitted:
    """What training found: the best validation MRR, its epoch, and the MRR at every look."""

    mrr: float = 0.0
    epoch: int = 0
    curve: list[tuple[int, float]] = field(default_factory=list)


def fit_links(
    model: Bilinear,
    task: LinkTask,
    training: LinkTraining,
    *,
    seed: int = 0,
    report: Callable[[int, float, float], None] = lambda epoch, loss, mrr: None,
) -> Fitted:
    """Train a model; it ends with the parameters of the best look at the validation part.

    Args:
        model: changed in place.
        task: its test part is read for the filter alone.
        training: how.
        seed: of the order, the negatives and dropout.
        report: called at every look with the epoch, the mean loss and the validation MRR.

    Raises:
        UserError: if the loss is not finite.
    """
    rng = np.random.default_rng((seed, 5))
    questions = KnownTails(with_inverses(task.train, task.num_relations), 2 * task.num_relations)
    known, looked_at = task.known, task.valid
    if len(looked_at) > LOOKED_AT:
        looked_at = looked_at[np.sort(rng.permutation(len(looked_at))[:LOOKED_AT])]
    optimizer = _optimizer(model, training)
    best: dict[str, Tensor] = {}
    found = Fitted()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for epoch in range(1, training.epochs + 1):
            loss = _epoch(model, questions, optimizer, training, rng)
            if not np.isfinite(loss):
                raise UserError("the loss of a link model is not finite: lower its learning rate")
            if epoch % training.every and epoch < training.epochs:
                continue
            model.eval()
            mrr = both_sides(model, looked_at, known).metrics()["mrr"]
            found.curve.append((epoch, mrr))
            report(epoch, loss, mrr)
            if mrr > found.mrr:
                found.mrr, found.epoch = mrr, epoch
                best = copy.deepcopy(model.state_dict())
            elif epoch - found.epoch >= training.patience * training.every:
                break
    model.load_state_dict(best)
    model.eval()
    return found


def _optimizer(model: Bilinear, training: LinkTraining) -> torch.optim.Optimizer:
    if training.optimizer == "adagrad":
        return torch.optim.Adagrad(model.parameters(), lr=training.lr)
    assert training.optimizer == "adamw", training.optimizer
    return torch.optim.AdamW(model.parameters(), lr=training.lr, weight_decay=training.weight_decay)


def _epoch(
    model: Bilinear,
    questions: KnownTails,
    optimizer: torch.optim.Optimizer,
    training: LinkTraining,
    rng: np.random.Generator,
) -> float:
    """Go once over all questions; return the mean loss of a triple."""
    model.train()
    order = rng.permutation(len(questions))
    total, count = 0.0, 0.0
    for start in range(0, len(order), training.batch):
        chosen = order[start : start + training.batch]
        loss, weight = _loss(model, questions, chosen, training, rng)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total, count = total + float(loss.detach()) * weight, count + weight
    return total / count


def _loss(
    model: Bilinear,
    questions: KnownTails,
    chosen: NDArray[np.int64],
    training: LinkTraining,
    rng: np.random.Generator,
) -> tuple[Tensor, float]:
    size = model.num_entities
    row, tail = questions.of(chosen)
    whole = training.negatives >= size
    others = np.arange(size) if whole else rng.permutation(size)[: training.negatives]
    head = questions.head[chosen]
    used, place = np.unique(np.concatenate([head, tail, others]), return_inverse=True)
    z = model.rows(torch.from_numpy(used))
    places = torch.from_numpy(place).split([len(head), len(tail), len(others)])
    heads, tails, pool = z[places[0]], z[places[1]], z[places[2]]
    relation = torch.from_numpy(questions.relation[chosen])
    asked = model.questions(heads, relation)
    rows = torch.from_numpy(row)

    positive = (asked[rows] * tails).sum(1)  # [triples]
    column = np.full(size, -1)
    column[others] = np.arange(len(others))
    among = np.flatnonzero(column[tail] >= 0)
    known = torch.zeros(len(chosen), len(others), dtype=torch.bool)
    known[rows[among], torch.from_numpy(column[tail[among]])] = True
    negative = (asked @ pool.T).masked_fill(known, -torch.inf)
    counts = torch.bincount(rows, minlength=len(chosen)).float()
    left = (size - counts) / (len(others) - known.sum(1)).clamp(min=1)  # how many each stands for
    negative = torch.logsumexp(negative, 1) + left.clamp(min=1e-6).log()
    shift = positive.detach().max()
    right = torch.zeros(len(chosen)).index_add(0, rows, (positive - shift).exp()).log() + shift
    normalizer = torch.logaddexp(right, negative)
    per_triple = normalizer[rows] - positive
    weights = torch.ones_like(positive) if training.weighted else (1 / counts)[rows]
    loss = (weights * per_triple).sum() / weights.sum()
    if training.n3:
        relations = model.relations(relation)
        cubes = _cubes(heads)[rows] + _cubes(relations)[rows] + _cubes(tails)
        loss = loss + training.n3 * (weights * cubes).sum() / weights.sum()
    return loss, float(weights.sum())


def _cubes(factors: Tensor) -> Tensor:
    """Sum the cubes of the absolute values of complex numbers: ``[k, dim]`` to ``[k]``."""
    real, imaginary = factors.chunk(2, -1)
    return (real.square() + imaginary.square() + 1e-12).pow(1.5).sum(-1)
