"""Hide nodes chosen at random, each as likely as any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def random_nodes(
    neighbours: list[list[int]], count: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide exactly ``count`` nodes, whatever the edges.

    Shapes:
        - neighbours: one list per node, not read; output: bool ``[num_nodes]``.
    """
    num_nodes = len(neighbours)
    mask = np.zeros(num_nodes, dtype=bool)
    mask[rng.permutation(num_nodes)[:count]] = True
    return mask
