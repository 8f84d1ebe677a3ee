"""Edges among the nodes that a view shows."""

from __future__ import annotations

import torch
from torch import Tensor


def number_tokens(visible: Tensor) -> Tensor:
    """Number the visible nodes view by view; -1 for hidden ones.

    Shapes:
        - visible: bool ``[V, num_nodes]``; output: int64 ``[V, num_nodes]``.
    """
    token = torch.full(visible.shape, -1, device=visible.device)
    token[visible] = torch.arange(int(visible.sum()), device=visible.device)
    return token


def edges_between(token: Tensor, edge_index: Tensor) -> tuple[Tensor, Tensor]:
    """Edges whose two ends are visible, view by view.

    Args:
        token: from :func:`number_tokens`.
        edge_index: int64 ``[2, num_edges]`` over nodes.

    Returns:
        ``edge_index`` int64 ``[2, E]`` over tokens, and the edge behind each, ``[E]``.
    """
    ends = token[:, edge_index]  # [V, 2, num_edges]
    view, edge = (ends >= 0).all(1).nonzero(as_tuple=True)
    return ends[view, :, edge].t(), edge
