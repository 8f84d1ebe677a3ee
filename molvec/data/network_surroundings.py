"""What a whole network says of a node's surroundings: targets of the grounding term, per node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.data.adjacency import both_ways, joined
from molvec.errors import UserError
from molvec.records import Network

HOPS = 3
"""Steps of a walk that are looked at."""
LARGEST = 1_000_000_000
"""Numbers of all nodes together, 4 GB."""


def network_surroundings(network: Network) -> NDArray[np.float32]:
    r"""What a node has around it, in the whole network rather than in a drawn neighbourhood.

    .. math:: S = \big[\, c,\ Wc,\ WF,\ W^2 F,\ W^3 F,\ B \,\big], \qquad W = D^{-1} A, \qquad
        b_i = \frac{1}{\sum_k n_{ik}} \sum_k \sigma_k \odot \sum_{j \in N_k(i)} f_j

    with :math:`c_{ik}` the logarithm of one plus the number :math:`n_{ik}` of edges of kind
    :math:`k` (one with a direction is a kind at its tail and another at its head) and :math:`F` the
    nodes' features, positions among them. Features averaged over one step of a walk, two, and three
    are what SIGN (Frasca et al. 2020, arXiv 2004.11198) classifies nodes by; here neighbours count
    once, whatever the kind, direction or weight of what joins them, as in positions.

    :math:`B` is there where edges are of several kinds: features of neighbours, multiplied by a
    random sign per kind and feature and averaged in one vector, as in vector symbolic
    architectures (Gayler 2004, arXiv cs/0412059). The product of :math:`b_i`, :math:`\sigma_k` and
    :math:`f_j` is large where :math:`j` is like those whom :math:`k` joins to :math:`i`.

    Returns:
        float32 ``[num_nodes, size]`` (:func:`surroundings_size`); zeros where a node has no edge.

    Raises:
        UserError: if these are too many numbers.
    """
    from scipy.sparse import coo_matrix, diags

    here, there, kind = both_ways(network)
    size, kinds = len(network), len(network.relations) * (1 + network.directed)
    given = network.features
    width = surroundings_size(kinds, 0 if given is None else given.shape[1])
    if size * width > LARGEST:
        raise UserError(
            f"what surrounds {size:,} nodes with {kinds:,} kinds of edges is {size * width:,} "
            f"numbers, too many (at most {LARGEST:,}): set objective.grounding_weight=0"
        )
    counts = coo_matrix((np.ones(len(here)), (here, kind)), shape=(size, kinds)).tocsr()
    edges = np.asarray(counts.sum(axis=1))  # [size, 1]
    own = counts.log1p()
    adjacency = joined(network)
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    step: Any = diags(1 / np.maximum(degree, 1)) @ adjacency
    found = np.empty((size, width), dtype=np.float32)
    found[:, :kinds] = own.toarray()
    found[:, kinds : 2 * kinds] = (step @ own).toarray()
    if given is None:
        return found
    of_features = found[:, 2 * kinds :].reshape(size, -1, given.shape[1])  # a view
    mean: Any = given
    for hop in range(HOPS):
        mean = step @ mean
        of_features[:, hop] = mean
    if kinds > 1:
        signs = np.random.default_rng(0).choice((-1.0, 1.0), (kinds, given.shape[1]))
        for column in range(given.shape[1]):
            bound = signs[kind, column] * given[there, column]
            total = np.bincount(here, weights=bound, minlength=size)
            of_features[:, HOPS, column] = total / np.maximum(edges[:, 0], 1)
    return found


def surroundings_size(kinds: int, features: int) -> int:
    """How many numbers a node has.

    Args:
        kinds: of edges, one with a direction counted twice.
        features: numbers that describe a node.
    """
    return 2 * kinds + (HOPS + (kinds > 1)) * features
