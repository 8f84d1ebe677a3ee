r"""Targets: what the teacher's top blocks say about each node.

.. math::
    y_i = \mathrm{norm}\Big(\frac{1}{K} \sum_{l=L-K+1}^{L} \mathrm{norm}(f^l_i)\Big), \qquad
    \mathrm{norm}(f)_{ic} = \frac{f_{ic} - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}}

with :math:`f^l` the feed-forward output of block :math:`l` before the residual add, and mean and
variance per channel over all nodes of the batch. data2vec (arXiv 2202.03555) normalises over the
time steps of one sample; a molecule has too few atoms for that. Layer norm instead would leave a
mean common to all nodes: measured target variance across nodes 0.17 instead of 1.

Channels with unit variance can still all say the same. Whitening makes them orthogonal, too, so
that the loss weighs every direction alike (Ermolov et al. 2021, "Whitening for Self-Supervised
Representation Learning", arXiv 2007.06346).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

EPSILON = 1e-5

SHRINKAGE = 0.01
"""Share of the mean variance below which a direction counts as rounding and is not blown up."""

Normalization = Callable[[Tensor], Tensor]
"""``[num_rows, dim]`` to the same."""


def standardize(values: Tensor) -> Tensor:
    """Zero mean and unit variance per channel over the rows: ``[num_rows, dim]``.

    A channel that is constant over the rows becomes zero.
    """
    centered = values - values.mean(0)
    return centered * torch.rsqrt(centered.square().mean(0) + EPSILON)


def whiten(values: Tensor, shrinkage: float = SHRINKAGE) -> Tensor:
    r"""Rotate to principal axes, scale each to unit variance, rotate back: ``[num_rows, dim]``.

    .. math:: Y = (X - \mu) \, V (\Lambda + \epsilon \bar\lambda)^{-1/2} V^\top

    Of all whitenings the one that moves the channels least (ZCA). With a larger ``shrinkage``
    :math:`\epsilon`, directions of little variance keep less of it: well above 1, values are only
    scaled. Computed in float32.
    """
    centered = values - values.mean(0)
    variances, axes = torch.linalg.eigh(centered.T @ centered / len(centered))
    floor = shrinkage * variances.mean() + EPSILON
    return centered @ (axes * torch.rsqrt(variances.clamp(min=0) + floor)) @ axes.T


def make_targets(
    hidden_states: Sequence[Tensor], top_k: int, normalize: Normalization = standardize
) -> Tensor:
    """Average the standardised top ``top_k`` hidden states and normalise the average.

    Args:
        hidden_states: of the teacher's blocks.
        top_k: how many, from the last.
        normalize: of the average.

    Shapes:
        - hidden_states: ``[num_nodes, dim]`` each; output: float32 ``[num_nodes, dim]``.
    """
    top = [standardize(state.float()) for state in hidden_states[-top_k:]]
    with torch.autocast(hidden_states[0].device.type, enabled=False):
        return normalize(torch.stack(top).mean(0))
