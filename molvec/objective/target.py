r"""Targets: what the teacher's top blocks say about each node.

.. math::
    y_i = \mathrm{norm}\Big(\frac{1}{K} \sum_{l=L-K+1}^{L} \mathrm{norm}(f^l_i)\Big), \qquad
    \mathrm{norm}(f)_{ic} = \frac{f_{ic} - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}}

with :math:`f^l` the feed-forward output of block :math:`l` before the residual add, and mean and
variance per channel over all nodes of the batch. data2vec (arXiv 2202.03555) normalises over the
time steps of one sample; a molecule has too few atoms for that. Layer norm instead would leave a
mean common to all nodes: measured target variance across nodes 0.17 instead of 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

EPSILON = 1e-5


def standardize(values: Tensor) -> Tensor:
    """Zero mean and unit variance per channel over the rows: ``[num_rows, dim]``.

    A channel that is constant over the rows becomes zero.
    """
    centered = values - values.mean(0)
    return centered * torch.rsqrt(centered.square().mean(0) + EPSILON)


def make_targets(hidden_states: Sequence[Tensor], top_k: int) -> Tensor:
    """Average the standardised top ``top_k`` hidden states and standardise the average.

    Shapes:
        - hidden_states: ``[num_nodes, dim]`` each; output: float32 ``[num_nodes, dim]``.
    """
    top = [standardize(state.float()) for state in hidden_states[-top_k:]]
    return standardize(torch.stack(top).mean(0))
