"""Hide nodes chosen at random, each as likely as any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def random_nodes(
    edge_index: NDArray[np.int64], num_nodes: int, count: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide exactly ``count`` nodes, whatever the edges.

    Shapes:
        - edge_index: int64 ``[2, num_edges]``, not read; output: bool ``[num_nodes]``.
    """
    mask = np.zeros(num_nodes, dtype=bool)
    mask[rng.permutation(num_nodes)[:count]] = True
    return mask
