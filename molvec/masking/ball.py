"""Hide the points of a ball: in space, what is near gives a point away, bonded or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spatial_ball(
    pos: NDArray[np.floating], count: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide a random point and those nearest to it, exactly ``count`` in all.

    Of points equally far away those hidden first come first in a random order.

    Shapes:
        - pos: ``[num_nodes, 3]``; output: bool ``[num_nodes]``.
    """
    num_nodes = len(pos)
    center = pos[rng.integers(num_nodes)]
    distance = np.square(pos - center).sum(1)
    nearest = np.lexsort((rng.permutation(num_nodes), distance))
    mask = np.zeros(num_nodes, dtype=bool)
    mask[nearest[:count]] = True
    return mask
