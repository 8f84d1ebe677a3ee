"""Which points lie within a cutoff of each other: the edges of a point cloud."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SMALL = 1000
"""Up to this many points all distances are computed; beyond it, a k-d tree finds the near ones."""

_SLACK = 1e-6
"""Candidates are taken this much farther out: each search rounds in its own way."""


def radius_edges(pos: Tensor, cutoff: float, *, max_neighbours: int | None = None) -> Tensor:
    """Join every two points at most ``cutoff`` apart, in both directions, without self-loops.

    Both searches give candidates; distances are then computed anew in float64, so that the result
    does not depend on the search.

    Args:
        pos: positions, Angstrom.
        cutoff: largest distance, Angstrom.
        max_neighbours: keep this many nearest sources of each target (of equally near ones those
            that come first); all by default. An edge may then lack its reverse.

    Shapes:
        - pos: ``[n, 3]``; output: int64 ``[2, num_edges]``, row 0 source, row 1 target, sorted by
          target, then by source.

    Raises:
        ValueError: for positions that are not finite, or a cutoff that is not positive.
    """
    if not cutoff > 0:
        raise ValueError(f"cutoff must be positive, got {cutoff}")
    if not bool(torch.isfinite(pos).all()):
        raise ValueError("positions must be finite")
    points = pos.detach().cpu().double()
    search = _all_pairs if len(points) <= SMALL else _tree_pairs
    source, target = search(points, cutoff * (1 + _SLACK))
    where = points.numpy()
    distance = np.sqrt(np.square(where[source] - where[target]).sum(1))
    near = (distance <= cutoff) & (source != target)
    source, target, distance = source[near], target[near], distance[near]
    if max_neighbours is not None:
        order = np.lexsort((source, distance, target))
        source, target = source[order], target[order]
        first = np.searchsorted(target, target)  # where the edges of the same target begin
        kept = np.arange(len(target)) - first < max_neighbours
        source, target = source[kept], target[kept]
    order = np.lexsort((source, target))
    return torch.from_numpy(np.stack([source[order], target[order]]).astype(np.int64))


Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _all_pairs(points: Tensor, cutoff: float) -> Pairs:
    source, target = (torch.cdist(points, points) <= cutoff).nonzero(as_tuple=True)
    return source.numpy(), target.numpy()


def _tree_pairs(points: Tensor, cutoff: float) -> Pairs:
    from scipy.spatial import cKDTree

    pairs = cKDTree(points.numpy()).query_pairs(cutoff, output_type="ndarray").astype(np.int64)
    return (
        np.concatenate([pairs[:, 0], pairs[:, 1]]),
        np.concatenate([pairs[:, 1], pairs[:, 0]]),
    )
