"""L2 logistic regression for many tasks at once, with missing labels, along a path of strengths.

A task of its own in scikit-learn costs seconds; 617 tasks times 8 strengths cost hours. All tasks
share the features, so here every step is two matrix products for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# Stop when the Newton decrement, about twice what the loss can still fall by, is this small; the
# loss is a sum over rows. Against 1e-9, fits take two thirds of the time, and no probability moves
# by more than 0.001 (617 tasks of ToxCast, 1,536 features).
TOLERANCE = 1e-6
MAX_STEPS = 500
_HISTORY = 10
_SUFFICIENT = 1e-4  # Armijo's constant, Nocedal and Wright 2006, section 3.1
_NEGLIGIBLE = 1e-12  # share of the largest variance below which a direction is rounding noise


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients at one strength, float64: ``x @ coefficients + intercept`` is the log-odds."""

    strength: float
    coefficients: Tensor  # [dim, num_tasks]
    intercept: Tensor  # [num_tasks]
    converged: Tensor  # bool [num_tasks]


def logistic_path(
    x: Tensor, labels: Tensor, strengths: Sequence[float], *, tolerance: float = TOLERANCE
) -> Iterator[LogisticFit]:
    """Minimise, per task, sum over labelled rows of log-loss + strength / 2 * |w|^2.

    The intercept is not penalised. ``strength`` is 1 / C of scikit-learn's LogisticRegression.

    L-BFGS (Nocedal and Wright 2006, algorithm 7.5) in the basis of principal components, where
    mean curvature * variance + strength is a good diagonal guess of the Hessian (its true diagonal
    needs as many steps). Tasks are
    independent: each has its own history, step length and stop. The strengths are visited from
    strong to weak, each from the solution of the one before.

    Args:
        x: float64 ``[num_rows, dim]``, finite.
        labels: float64 ``[num_rows, num_tasks]`` of 0, 1 and NaN; every task has both classes.
        strengths: positive.
        tolerance: Newton decrement at which a task is finished.
    """
    mean = x.mean(dim=0)
    centred = x - mean
    variance, basis = torch.linalg.eigh(centred.T @ centred)  # not divided by num_rows
    useful = variance > _NEGLIGIBLE * variance.max() if len(variance) else variance > 0
    variance, basis = variance[useful], basis[:, useful]
    rotated = torch.cat([centred @ basis, torch.ones(len(x), 1, dtype=x.dtype)], dim=1)
    del centred
    signs = torch.where(labels.isnan(), 0.0, 2 * labels - 1)  # 0 = missing
    positive, labelled = (signs > 0).sum(dim=0), (signs != 0).sum(dim=0)
    assert bool(((positive > 0) & (positive < labelled)).all()), "a task has one class only"
    theta = torch.zeros(rotated.shape[1], signs.shape[1], dtype=x.dtype)
    theta[-1] = torch.log(positive / (labelled - positive))  # the optimum without features
    for strength in sorted(strengths, reverse=True):
        theta, converged = _minimise(rotated, signs, theta, strength, variance, tolerance)
        coefficients = basis @ theta[:-1]
        yield LogisticFit(strength, coefficients, theta[-1] - mean @ coefficients, converged)


def _minimise(
    x: Tensor, signs: Tensor, start: Tensor, strength: float, variance: Tensor, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Solve all tasks at one strength; the last column of ``x`` is 1, its weight not penalised."""
    result = start.clone()
    converged = torch.zeros(signs.shape[1], dtype=torch.bool)
    active = torch.arange(signs.shape[1])  # tasks that the working copies below hold
    penalty = torch.full((x.shape[1], 1), strength, dtype=x.dtype)
    penalty[-1] = 0.0

    theta, margins = start.clone(), x @ start
    slopes = _slopes(signs, margins)
    gradient = x.T @ slopes + penalty * theta
    guess = _hessian_guess(slopes, variance, penalty)
    moves: list[Tensor] = []  # changes of theta, and of the gradient, in the last steps
    turns: list[Tensor] = []
    for step_number in range(MAX_STEPS + 1):
        done = (gradient.square() / guess).sum(dim=0) <= tolerance
        result[:, active], converged[active] = theta, done
        if bool(done.all()) or step_number == MAX_STEPS:
            break
        if int(done.sum()) > 0.2 * len(done):  # do not pay for tasks that are finished
            keep = ~done
            active, signs, margins = active[keep], signs[:, keep], margins[:, keep]
            theta, gradient, guess = theta[:, keep], gradient[:, keep], guess[:, keep]
            moves, turns = [m[:, keep] for m in moves], [t[:, keep] for t in turns]
        direction = -_inverse_hessian_times(gradient, guess, moves, turns)
        ahead = x @ direction
        length = _step_length(signs, margins, ahead, theta, direction, gradient, penalty)
        move = length * direction
        theta, margins = theta + move, margins + length * ahead
        slopes = _slopes(signs, margins)
        previous, gradient = gradient, x.T @ slopes + penalty * theta
        moves, turns = [*moves, move][-_HISTORY:], [*turns, gradient - previous][-_HISTORY:]
    return result, converged


def _slopes(signs: Tensor, margins: Tensor) -> Tensor:
    """Derivative of the log-loss by the margin, 0 where the label is missing."""
    return -signs * torch.sigmoid(-signs * margins)


def _hessian_guess(slopes: Tensor, variance: Tensor, penalty: Tensor) -> Tensor:
    """Diagonal of the Hessian if every row had the mean curvature, ``[dim + 1, num_tasks]``."""
    curvature = (slopes.abs() * (1 - slopes.abs())).sum(dim=0)  # p (1 - p), 0 if missing
    spectrum = torch.cat([variance / len(slopes), torch.ones(1, dtype=variance.dtype)])
    return (spectrum[:, None] * curvature + penalty).clamp_min(1e-10)


def _inverse_hessian_times(
    gradient: Tensor, guess: Tensor, moves: list[Tensor], turns: list[Tensor]
) -> Tensor:
    """Two-loop recursion of L-BFGS, all tasks at once; ``guess`` starts it."""
    vector = gradient.clone()
    stack = []
    for move, turn in zip(reversed(moves), reversed(turns), strict=True):
        product = (move * turn).sum(dim=0)
        # The loss is convex, so the product is positive unless rounding has eaten it.
        weight = torch.where(product > 0, 1 / product, 0.0)
        share = weight * (move * vector).sum(dim=0)
        vector -= share * turn
        stack.append((move, turn, weight, share))
    vector /= guess
    if moves:
        norm = (turns[-1].square() / guess).sum(dim=0)
        scale = (moves[-1] * turns[-1]).sum(dim=0) / norm
        vector *= torch.where((norm > 0) & (scale > 0), scale, 1.0)
    for move, turn, weight, share in reversed(stack):
        vector += (share - weight * (turn * vector).sum(dim=0)) * move
    return vector


def _step_length(
    signs: Tensor,
    margins: Tensor,
    ahead: Tensor,
    theta: Tensor,
    direction: Tensor,
    gradient: Tensor,
    penalty: Tensor,
) -> Tensor:
    """Step length per task by backtracking on the exact loss, which needs no matrix product."""
    slope = (gradient * direction).sum(dim=0)
    linear = (penalty * theta * direction).sum(dim=0)
    square = (penalty * direction.square()).sum(dim=0) / 2
    before = _log_loss(signs, margins)
    length = torch.ones_like(slope)
    open_ = torch.arange(len(slope))
    for _ in range(30):
        trial = length[open_]
        moved = _log_loss(signs[:, open_], margins[:, open_] + trial * ahead[:, open_])
        change = moved - before[open_] + trial * linear[open_] + trial.square() * square[open_]
        slack = 1e-13 * before[open_]  # rounding of the sums
        wrong = change > _SUFFICIENT * trial * slope[open_] + slack
        if not bool(wrong.any()):
            return length
        open_, trial, change = open_[wrong], trial[wrong], change[wrong]
        # Minimum of the parabola through what is known, kept within a tenth and a half.
        best = -slope[open_] * trial.square() / (2 * (change - slope[open_] * trial))
        length[open_] = torch.minimum(torch.maximum(best, 0.1 * trial), 0.5 * trial)
    return length


def _log_loss(signs: Tensor, margins: Tensor) -> Tensor:
    """Sum per task; a missing label adds log 2, which no comparison sees."""
    return F.softplus(-signs * margins, threshold=40.0).sum(dim=0)
