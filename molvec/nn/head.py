"""From a graph's vector to the values of its targets."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

_FLAT = 1e-5  # a column that varies by less than this share of its size is rounding, not signal
_CONSTANT = 1e-6  # the same of a target: 17 times the last place of float32


class GraphHead(nn.Module):
    r"""Standardise the features, then one linear layer, or a small network of one hidden layer.

    .. math::
        z = (h - \mu) / \sigma, \qquad
        o = W \, \mathrm{drop}(z) + b \quad \text{or} \quad
        o = W_2 \, \mathrm{drop}(\mathrm{GELU}(W_1 \, \mathrm{drop}(z) + b_1)) + b_2

    The outputs ``o`` are logits (classification) or standardised values (regression). ``mean`` and
    ``std`` of the features are measured once, on the training part before the first step: a sum
    over atoms is tens of times larger than a mean, and one learning rate must suit both.

    Args:
        width: width of a graph's vector.
        num_targets: values to predict.
        task: ``"classification"`` or ``"regression"``.
        hidden: width of the hidden layer; ``None`` for a linear head.
        dropout: share of numbers dropped before each linear layer, in training mode.

    Shapes:
        - features: ``[num_graphs, width]``; output: ``[num_graphs, num_targets]``.
    """

    mean: Tensor
    std: Tensor
    target_mean: Tensor
    target_std: Tensor

    def __init__(
        self,
        *,
        width: int,
        num_targets: int,
        task: Literal["classification", "regression"],
        hidden: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if task not in ("classification", "regression"):
            raise ValueError(f"unknown task {task!r}; known: classification, regression")
        self.task = task
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))
        self.register_buffer("target_mean", torch.zeros(num_targets))
        self.register_buffer("target_std", torch.ones(num_targets))
        self.dropout = nn.Dropout(dropout)
        self.hidden = None if hidden is None else nn.Linear(width, hidden)
        self.out = nn.Linear(width if hidden is None else hidden, num_targets)

    @torch.no_grad()
    def measure_features(self, features: Tensor) -> None:
        """Set ``mean`` and ``std`` from training features; a constant column gets a std of 1."""
        values = features.double()
        mean, std = values.mean(0), values.std(0, correction=0)
        constant = std <= _FLAT * mean.abs().clamp(min=1.0)
        self.mean.copy_(mean)
        self.std.copy_(std.masked_fill(constant, 1.0))

    @torch.no_grad()
    def measure_targets(self, targets: Tensor) -> None:
        """Set the targets' mean and std from training targets, ``[num_graphs, num_targets]``.

        NaN is a missing value. A target that is constant, or has no value, gets a std of 1; a
        classification's targets are left as they are.
        """
        if self.task == "classification":
            return
        present = ~targets.isnan()
        count = present.sum(0).clamp(min=1)
        values = targets.double().nan_to_num(0.0)
        mean = values.sum(0) / count
        std = (((values - mean) ** 2 * present).sum(0) / count).sqrt()
        self.target_mean.copy_(mean)
        self.target_std.copy_(std.masked_fill(std <= _CONSTANT * mean.abs(), 1.0))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits or standardised values."""
        z = self.dropout((features - self.mean) / self.std)
        if self.hidden is not None:
            z = self.dropout(nn.functional.gelu(self.hidden(z)))
        return self.out(z)

    def standardise(self, targets: Tensor) -> Tensor:
        """Put targets on the scale of the outputs; the identity for a classification."""
        return (targets - self.target_mean) / self.target_std

    def to_values(self, outputs: Tensor) -> Tensor:
        """Turn outputs into probabilities of class 1, or into values in the targets' unit."""
        if self.task == "classification":
            return outputs.sigmoid()
        return outputs * self.target_std + self.target_mean
