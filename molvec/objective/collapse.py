"""Is the model still saying different things about different molecules?

Self-distillation has a trivial solution: teacher and student agree on a constant. These numbers
show it coming, and :class:`CollapseGuard` stops a run that has arrived.
"""

from __future__ import annotations

import torch
from torch import Tensor


def channel_std(values: Tensor) -> float:
    """Mean over channels of the standard deviation over rows: ``[num_rows, dim]`` -> float."""
    return float(values.float().std(0, unbiased=False).mean())


def effective_rank(values: Tensor) -> float:
    r"""Exponential of the entropy of the normalised singular values of the centred rows.

    .. math:: \exp\Big(-\sum_k p_k \log p_k\Big), \qquad p_k = s_k / \sum_j s_j

    1 when all rows lie on one line, at most ``min(num_rows - 1, dim)``. Source: Roy and Vetterli
    2007, "The effective rank".
    """
    values = values.float()
    singular = torch.linalg.svdvals(values - values.mean(0))
    total = singular.sum()
    if total == 0:
        return 1.0
    p = singular / total
    return float(torch.exp(-torch.special.xlogy(p, p).sum()))


class CollapsedError(RuntimeError):
    """Training was stopped because the representation is constant, or not finite."""


class CollapseGuard:
    """Stop a run whose targets stay (nearly) constant.

    Args:
        min_std: per-channel std of the targets below which a check fails; healthy runs stay
            near 1, as targets are standardised, and only a constant teacher falls below.
        min_rank: effective rank of the pooled embeddings below which a check fails.
        patience: failing checks in a row before the run stops.
        min_graphs: graphs whose rank is judged; of so few the rank is low whatever they are, of two
            it is always 1.
    """

    def __init__(
        self,
        min_std: float = 0.1,
        min_rank: float = 1.5,
        patience: int = 5,
        min_graphs: int = 6,
    ) -> None:
        self.min_std = min_std
        self.min_rank = min_rank
        self.patience = patience
        self.min_graphs = min_graphs
        self.failures = 0

    def check(self, *, step: int, loss: float, target_std: float, rank: float, graphs: int) -> None:
        """Record one check of a batch of so many ``graphs``.

        Raises:
            CollapsedError: at once if the loss is not finite, else after ``patience`` failures.
        """
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise CollapsedError(
                f"the loss is {loss} at step {step}; lower the learning rate (--lr), lengthen "
                "the warm-up or use --precision 32-true"
            )
        judged = graphs >= self.min_graphs
        failed = target_std < self.min_std or (judged and rank < self.min_rank)
        self.failures = self.failures + 1 if failed else 0
        if self.failures >= self.patience:
            raise CollapsedError(
                f"the representation has collapsed by step {step} (target std {target_std:.3f}, "
                f"effective rank {rank:.1f}); try a lower learning rate, a slower teacher "
                "(ema.start 0.9995), a higher mask ratio, or a larger batch"
            )
