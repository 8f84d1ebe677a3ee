"""Hide a connected piece of the graph, so that a hidden atom's neighbours are mostly hidden too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def connected_subgraph(
    neighbours: list[list[int]], count: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide exactly ``count`` nodes, grown from a random node by adding random neighbours.

    The next node is drawn uniformly from all unhidden neighbours of the hidden piece. When a
    component is used up (salts), growth starts again from a random node elsewhere, so the piece is
    connected whenever one component holds ``count`` nodes reachable from the start.

    Shapes:
        - neighbours: one list per node; output: bool ``[num_nodes]``.
    """
    num_nodes = len(neighbours)
    order = rng.permutation(num_nodes).tolist()  # starts, in random order
    draws = rng.random(count).tolist()
    reached = [False] * num_nodes  # hidden, or waiting in the frontier
    mask = np.zeros(num_nodes, dtype=bool)
    frontier: list[int] = []
    for draw in draws:
        if not frontier:
            start = next(node for node in iter(order.pop, None) if not reached[node])
            reached[start] = True
            frontier.append(start)
        # Swap-and-pop: a uniform draw from the frontier without shifting the list.
        i = int(draw * len(frontier))
        frontier[i], frontier[-1] = frontier[-1], frontier[i]
        node = frontier.pop()
        mask[node] = True
        for other in neighbours[node]:
            if not reached[other]:
                reached[other] = True
                frontier.append(other)
    return mask
