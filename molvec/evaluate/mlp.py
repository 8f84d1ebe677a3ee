"""The small neural head: one hidden layer for all tasks jointly, stopped on the validation part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from molvec.evaluate.linear import constant_probability, target_means, target_statistics
from molvec.evaluate.metrics import Floats
from molvec.evaluate.selection import validation_merit

HIDDEN = 256
DROPOUT = 0.2
LEARNING_RATE = 1e-3  # Adam's default, Kingma and Ba 2015, arXiv 1412.6980
BATCH_ROWS = 128
MAX_EPOCHS = 200
PATIENCE = 20  # epochs without a better validation score


@dataclass(frozen=True)
class MlpHead:
    """Two weight matrices and what turns their output into probabilities or values."""

    weights: tuple[Tensor, ...]  # [hidden, dim], [hidden], [num_targets, hidden], [num_targets]
    task: str
    mean: Floats  # [num_targets], of the training targets; classification: unused
    spread: Floats  # [num_targets]
    low: Floats  # [num_targets]: values stay in the range of the training targets
    high: Floats  # [num_targets]
    constant: Floats  # [num_targets], NaN where the network is asked
    choice: dict[str, float | int | str]

    def predict(self, x: Floats) -> Floats:
        """Probability of class 1, or the value, ``[num_rows, num_targets]``."""
        with torch.no_grad():
            output = _forward(torch.as_tensor(x, dtype=torch.float32), self.weights).double()
        if self.task == "classification":
            result = output.sigmoid().numpy()
        else:
            result = np.clip(output.numpy() * self.spread + self.mean, self.low, self.high)
        return np.where(np.isnan(self.constant), result, self.constant)


def fit_mlp(
    task: str, train_x: Floats, train_y: Floats, valid_x: Floats, valid_y: Floats, *, seed: int
) -> MlpHead:
    """Train one hidden layer (256, ReLU, dropout 0.2) with Adam on the labels that are there.

    The loss is the mean over labels of log-loss, or of the squared error of targets standardised
    on the training part. Training stops when the validation score (mean ROC-AUC; RMSE) has not
    risen for 20 epochs, after at most 200, and the weights of the best epoch are kept. Tasks with
    one class in training predict it.

    Args:
        task: ``"classification"`` or ``"regression"``.
        train_x: ``[num_rows, dim]``, finite; ``valid_x`` likewise.
        train_y: ``[num_rows, num_targets]``, NaN = missing; ``valid_y`` likewise.
        valid_x: features of the validation part.
        valid_y: targets of the validation part.
        seed: of initial weights, dropout and row order; torch's global generator is not touched.
    """
    num_targets = train_y.shape[1]
    mean, spread = np.zeros(num_targets), np.ones(num_targets)
    low, high = np.full(num_targets, -np.inf), np.full(num_targets, np.inf)
    constant = np.full(num_targets, np.nan)
    if task == "classification":
        constant = constant_probability(train_y)
    else:
        mean, spread = target_statistics(train_y)
        low, high = np.nanmin(train_y, axis=0), np.nanmax(train_y, axis=0)
    if train_x.shape[1] == 0:  # no feature varies: the prior, or the mean
        constant = target_means(train_y, empty=0.5)

    generator = torch.Generator().manual_seed(seed)
    x = torch.as_tensor(train_x, dtype=torch.float32)
    y = torch.as_tensor((train_y - mean) / spread, dtype=torch.float32)
    y[:, ~np.isnan(constant)] = torch.nan
    weights = _initial_weights(x.shape[1], num_targets, generator)
    optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE)
    best: tuple[tuple[float, float], MlpHead] | None = None
    waited = 0
    for epoch in range(1, MAX_EPOCHS + 1):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH_ROWS):
            loss = _loss(task, _forward(x[rows], weights, generator), y[rows])
            if loss is None:  # no label in this batch
                continue
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        choice: dict[str, float | int | str] = {"epoch": epoch}
        copies = tuple(w.detach().clone() for w in weights)
        head = MlpHead(copies, task, mean, spread, low, high, constant, choice)
        merit = validation_merit(task, valid_y, head.predict(valid_x), spread)
        waited += 1
        if best is None or merit > best[0]:
            best, waited = (merit, head), 0
        if waited == PATIENCE:
            break
    assert best is not None
    best[1].choice["end_of_range"] = int(best[1].choice["epoch"] == MAX_EPOCHS)
    return best[1]


def _initial_weights(dim: int, num_targets: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Uniform in 1 / sqrt(fan in), as in ``torch.nn.Linear``; biases start at 0."""
    weights = []
    for rows, columns in ((HIDDEN, dim), (num_targets, HIDDEN)):
        bound = 1 / math.sqrt(max(columns, 1))
        weights.append((2 * torch.rand(rows, columns, generator=generator) - 1) * bound)
        weights.append(torch.zeros(rows))
    return tuple(w.requires_grad_() for w in weights)


def _forward(
    x: Tensor, weights: tuple[Tensor, ...], dropout: torch.Generator | None = None
) -> Tensor:
    hidden = F.relu(F.linear(x, weights[0], weights[1]))
    if dropout is not None:
        kept = torch.rand(hidden.shape, generator=dropout) >= DROPOUT
        hidden = hidden * kept / (1 - DROPOUT)
    return F.linear(hidden, weights[2], weights[3])


def _loss(task: str, output: Tensor, target: Tensor) -> Tensor | None:
    """Mean over labels; None without any."""
    labelled = ~target.isnan()
    if not bool(labelled.any()):
        return None
    if task == "classification":
        return F.binary_cross_entropy_with_logits(output[labelled], target[labelled])
    return F.mse_loss(output[labelled], target[labelled])
