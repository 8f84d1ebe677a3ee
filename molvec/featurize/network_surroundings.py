"""What a whole network says of a node's surroundings: targets of the grounding term, per node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.records import Network

HOPS = 3
"""Steps of a walk that are looked at."""


def network_surroundings(network: Network) -> NDArray[np.float32]:
    r"""What a node has around it, in the whole network rather than in a drawn neighbourhood.

    .. math:: S = \big[\, c,\ Wc,\ WF,\ W^2 F,\ W^3 F \,\big], \qquad W = D^{-1} A

    with :math:`c` the logarithm of one plus the edges of each kind (an edge with a direction is one
    kind at its tail and another at its head) and :math:`F` the nodes' features, positions among
    them. Features averaged over one step of a walk, two, and three are what SIGN (Frasca et al.
    2020, arXiv 2004.11198) classifies nodes by. Neighbours count once, whatever joins them.

    Returns:
        float32 ``[num_nodes, surroundings_size(network)]``; zeros where a node has no edge.
    """
    from scipy.sparse import coo_matrix, diags

    size = len(network)
    kinds = len(network.relations)
    counts = np.zeros((size, kinds * (1 + network.directed)), dtype=np.float64)
    np.add.at(counts, (network.source, network.relation), 1)
    np.add.at(counts, (network.target, network.relation + kinds * network.directed), 1)
    ends = np.unique(np.stack([network.source, network.target]), axis=1)
    there = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(size, size))
    joined = ((there + there.T) > 0).astype(np.float64).tocsr()
    degree = np.asarray(joined.sum(axis=1)).ravel()
    step: Any = diags(1 / np.maximum(degree, 1)) @ joined
    own = np.log1p(counts)
    parts = [own, step @ own]
    mean: Any = network.features
    for _ in range(HOPS if mean is not None else 0):
        mean = step @ mean
        parts.append(mean)
    found: NDArray[np.float32] = np.concatenate(parts, axis=1).astype(np.float32)
    return found


def surroundings_size(kinds: int, features: int) -> int:
    """How many numbers that is.

    Args:
        kinds: of edges, one with a direction counted twice.
        features: numbers that describe a node.
    """
    return 2 * kinds + HOPS * features
