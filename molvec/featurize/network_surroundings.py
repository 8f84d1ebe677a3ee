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

    .. math:: S = \big[\, c,\ Wc,\ WF,\ W^2 F,\ W^3 F,\ B \,\big], \qquad W = D^{-1} A, \qquad
        b_i = \frac{1}{\sum_k n_{ik}} \sum_k \sigma_k \odot \sum_{j \in N_k(i)} f_j

    with :math:`c_{ik}` the logarithm of one plus the number :math:`n_{ik}` of edges of kind
    :math:`k` (one with a direction is a kind at its tail and another at its head) and :math:`F` the
    nodes' features, positions among them. Features averaged over one step of a walk, two, and three
    are what SIGN (Frasca et al. 2020, arXiv 2004.11198) classifies nodes by; here neighbours count
    once, whatever joins them.

    :math:`B` is there where edges are of several kinds: features of neighbours, multiplied by a
    random sign per kind and feature and averaged in one vector, as in vector symbolic
    architectures (Gayler 2004, arXiv cs/0412059). The product of :math:`b_i`, :math:`\sigma_k` and
    :math:`f_j` is large where :math:`j` is like those whom :math:`k` joins to :math:`i`.

    Returns:
        float32 ``[num_nodes, surroundings_size(network)]``; zeros where a node has no edge.
    """
    from scipy.sparse import coo_matrix, diags

    size, kinds = len(network), len(network.relations)
    here = np.concatenate([network.source, network.target])
    there = np.concatenate([network.target, network.source])
    kind = np.concatenate([network.relation, network.relation + kinds * network.directed])
    kinds *= 1 + network.directed
    counts = np.bincount(here * kinds + kind, minlength=size * kinds).reshape(size, kinds)
    own = np.log1p(counts)
    ends = np.unique(np.stack([here, there]), axis=1)
    joined = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(size, size)).tocsr()
    step: Any = diags(1 / np.maximum(np.diff(joined.indptr), 1)) @ joined
    parts = [own, step @ own]
    mean: Any = network.features
    if mean is not None:
        for _ in range(HOPS):
            mean = step @ mean
            parts.append(mean)
    if network.features is not None and kinds > 1:
        signs = np.random.default_rng(0).choice((-1.0, 1.0), (kinds, network.features.shape[1]))
        bound = np.zeros(network.features.shape)
        for k in range(kinds):
            of_kind = kind == k
            ones = np.ones(of_kind.sum())
            edges = coo_matrix((ones, (here[of_kind], there[of_kind])), shape=(size, size))
            bound += signs[k] * (edges.tocsr() @ network.features)
        parts.append(bound / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    found: NDArray[np.float32] = np.concatenate(parts, axis=1).astype(np.float32)
    return found


def surroundings_size(kinds: int, features: int) -> int:
    """How many numbers that is.

    Args:
        kinds: of edges, one with a direction counted twice.
        features: numbers that describe a node.
    """
    return 2 * kinds + (HOPS + (kinds > 1)) * features
