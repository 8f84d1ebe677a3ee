"""Where in a network a node is: numbers from the edges alone, which an encoder reads as features.

A neighbourhood of 32 nodes looks like many others, and a random vector per node has to be learned
before it says anything. Graph Transformers are therefore given positions, usually eigenvectors of
the Laplacian; these here are the closed form of what DeepWalk learns (NetMF: Qiu et al. 2018,
arXiv 1710.02971), which knows labels of proteins better.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.data.adjacency import joined
from molvec.errors import UserError
from molvec.records import Network

WINDOW = 10
"""Longest walks that count, as DeepWalk and node2vec have it."""
RANK = 256
"""Eigenpairs that stand for the walks, as in the paper."""
MAX_NODES = 50_000
"""All pairs of nodes are looked at, three times: for 13,460 nodes 20 seconds on one core."""

_OVERSAMPLED = 20  # directions more than asked for, of the randomised decomposition
_BLOCK = 1024  # rows of the matrix of pairs that are there at once

Floats = NDArray[np.float64]


def network_positions(network: Network, width: int, *, seed: int = 0) -> NDArray[np.float32]:
    r"""Decompose the logarithm of how much more often walks join two nodes than chance would.

    .. math:: M = \log \max\Big(1, \frac{\mathrm{vol}(G)}{T} \sum_{r=1}^{T} (D^{-1} A)^r D^{-1}
        \Big), \qquad M \approx U \Lambda U^\top, \qquad P = U \sqrt{|\Lambda|}

    The sum comes from the leading eigenpairs of :math:`D^{-1/2} A D^{-1/2}`, component by
    component, as each has an eigenvalue of 1 and an iteration over all of them finds few of these;
    the decomposition from random projections with one power iteration (Halko et al. 2011, arXiv
    0909.4061). Edges count once, whatever their kind, direction or weight.

    Args:
        network: its edges.
        width: how many numbers a node gets.
        seed: of the random projections.

    Returns:
        ``[num_nodes, width]``; zeros for nodes without an edge, and in columns that a network of
        fewer nodes than ``width`` does not have.

    Raises:
        UserError: if the network has too many nodes.
    """
    from scipy.sparse.csgraph import connected_components

    size = len(network)
    if size > MAX_NODES:
        raise UserError(
            f"positions need all pairs of nodes, and {size:,} nodes are too many (at most "
            f"{MAX_NODES:,}): set data.positions=0 and data.entity_table=true"
        )
    adjacency = joined(network)
    parts = [
        (nodes, np.sqrt(adjacency.sum()) * _walks(adjacency[nodes][:, nodes]))
        for nodes in _groups(connected_components(adjacency, directed=False)[1])
        if len(nodes) > 1
    ]
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((size, min(width + _OVERSAMPLED, size)))
    for _ in range(2):
        basis = np.linalg.qr(_times(parts, basis))[0]
    values, turned = np.linalg.eigh(basis.T @ _times(parts, basis))
    order = np.argsort(-np.abs(values))[:width]
    found = np.zeros((size, width), dtype=np.float32)
    found[:, : len(order)] = (basis @ turned[:, order]) * np.sqrt(np.abs(values[order]))
    return found


def with_positions(network: Network, width: int, *, seed: int = 0) -> Network:
    """Put positions beside the features of a network, each column standardised over its nodes."""
    found = network_positions(network, width, seed=seed)
    spread = found.std(axis=0)
    scaled = (found - found.mean(axis=0)) / np.where(spread > 0, spread, 1)
    parts = [scaled] if network.features is None else [network.features, scaled]
    return replace(network, features=np.concatenate(parts, axis=1).astype(np.float32))


def _groups(label: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Nodes of each component."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def _walks(adjacency: Any) -> Floats:
    """Half of the mean over steps of ``(D^-1 A)^r D^-1``, ``[size, RANK]``: times its transpose.

    Args:
        adjacency: sparse, of one connected component.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import eigsh

    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    scaled = diags(degree**-0.5) @ adjacency @ diags(degree**-0.5)
    if len(degree) > RANK + 1:
        rng = np.random.default_rng(0)  # where the iteration starts; it may have to start again
        first = rng.standard_normal(len(degree))
        values, vectors = eigsh(scaled, k=RANK, which="LA", v0=first, tol=1e-2, rng=rng)
    else:
        values, vectors = np.linalg.eigh(scaled.toarray())
    mean = sum(values**step for step in range(1, WINDOW + 1)) / WINDOW
    half: Floats = vectors * np.sqrt(np.maximum(mean, 0)) / np.sqrt(degree)[:, None]
    return half


def _times(parts: list[tuple[NDArray[np.int64], Floats]], basis: Floats) -> Floats:
    """Multiply the matrix of pairs, a block of its rows at a time, as it may not fit in memory.

    Pairs of nodes in different components are zero in it.
    """
    product = np.zeros(basis.shape)
    for nodes, half in parts:
        left, right = half.astype(np.float32), np.ascontiguousarray(half.T, dtype=np.float32)
        narrow = basis[nodes].astype(np.float32)
        for start in range(0, len(half), _BLOCK):
            block = left[start : start + _BLOCK] @ right
            rows = nodes[start : start + _BLOCK]
            product[rows] = np.log(np.maximum(block, 1.0)) @ narrow
    return product
