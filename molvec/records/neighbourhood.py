"""A piece of a network: some nodes and the edges among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """``k`` nodes of a network, the seed first, and ``e`` edges among them, each once.

    Shapes:
        - ``nodes``: int64 ``[k]``, their rows in the network.
        - ``degree``: int64 ``[k]``, neighbours of each in the whole network.
        - ``source``, ``target``: int64 ``[e]``, places in ``nodes``.
        - ``relation``: int64 ``[e]``.
        - ``features``: float32 ``[k, F]``, or ``None``.
    """

    nodes: NDArray[np.int64]
    degree: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    relation: NDArray[np.int64]
    features: NDArray[np.float32] | None = None
