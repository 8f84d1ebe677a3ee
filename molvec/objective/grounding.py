"""Losses of the grounding term, which predicts what graphs say of themselves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molvec.objective.target import EPSILON, standardize

GROUNDING_LOSSES = ("bits", "values")
GROUNDING_SCALES = ("batch", "running")


class BitsLoss(nn.Module):
    """Binary cross entropy of logits: ``[num_rows, size]`` each, to a scalar."""

    def forward(self, predicted: Tensor, bits: Tensor) -> Tensor:
        """Evaluate the loss."""
        return F.binary_cross_entropy_with_logits(predicted, bits)


class ValuesLoss(nn.Module):
    """Smooth L1 in standard deviations of each column; NaN is no target.

    Args:
        size: number of columns.
        scale: where means and standard deviations come from. ``"batch"``: the rows of the batch,
            as for data2vec's targets; of few rows they are inexact, by a fifth for 30. Then the
            same value is another target in every batch. ``"running"``: all rows in training so far.
        weights: how much each column counts beside the others; equally by default.

    Shapes:
        - predicted, values: ``[num_rows, size]``; output: scalar.
    """

    weights: Tensor

    def __init__(
        self, size: int, *, scale: str = "batch", weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if scale not in GROUNDING_SCALES:
            known = ", ".join(GROUNDING_SCALES)
            raise ValueError(f"unknown grounding scale {scale!r}; known: {known}")
        if weights is not None and len(weights) != size:
            raise ValueError(f"{size} columns, but {len(weights)} weights")
        self.running = RunningScale(size) if scale == "running" else None
        chosen = torch.ones(size) if weights is None else torch.tensor(weights)
        self.register_buffer("weights", chosen / chosen.mean(), persistent=False)

    def forward(self, predicted: Tensor, values: Tensor) -> Tensor:
        """Evaluate the loss; 0 if nothing is known."""
        known = ~values.isnan()
        if not known.any():
            return predicted.sum() * 0  # nothing to learn, and no mean over nothing
        if self.running is None:
            target = standardize(torch.where(known, values, values.nanmean(0)))
        else:
            target = self.running(values)
        off = F.smooth_l1_loss(predicted, target.nan_to_num(), reduction="none")
        return (self.weights * off)[known].mean()


class RunningScale(nn.Module):
    """Zero mean and unit variance per column over all rows that came in training so far.

    Means and variances are merged exactly (Chan et al. 1979, "Updating formulae and a pairwise
    algorithm for computing sample variances"). What is missing stays NaN and does not count.

    Args:
        size: number of columns.

    Shapes:
        - values: ``[num_rows, size]``; output: the same.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.zeros(size))

    def forward(self, values: Tensor) -> Tensor:
        """Take the rows in, in training, and scale them."""
        if self.training:
            self._take_in(values.detach())
        return (values - self.mean) * torch.rsqrt(self.variance + EPSILON)

    def _take_in(self, values: Tensor) -> None:
        new = (~values.isnan()).sum(0)
        mean = values.nanmean(0).nan_to_num()  # of nothing: 0, and weighs nothing
        variance = (values - mean).square().nanmean(0).nan_to_num()
        total = self.count + new
        share = new / total.clamp(min=1)  # of the new rows
        apart = mean - self.mean
        self.variance += share * (variance - self.variance + (1 - share) * apart.square())
        self.mean += share * apart
        self.count.copy_(total)
