"""What a student and its predictor see of a hidden node, as columns for a plain model.

Nothing here looks at a hidden node's own features. From space: the positions that the student's
batch carries, the features of visible nodes, and which points are hidden. From topology: paths,
walks and degrees of the whole graph, the features of visible nodes, and of edges between them.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Batch, Data

from molvec.featurize.vocabulary import BOND
from molvec.graph import MASK, POS
from molvec.nn.structure import WALK_STEPS, structure_of
from molvec.objective.data2vec import student_view
from molvec.objective.student import hide

Array = NDArray[np.float64]

NEAREST = 8  # points of each kind whose distances are columns of their own
CLOSE = 4  # nearest points whose distances from each other are, too
BONDED = 4  # neighbours in the topology that have columns of their own
STEPS = 4  # bonds away


def from_space(
    graph: Data, mask: torch.Tensor, *, kinds: list[int], radii: tuple[float, ...]
) -> Array:
    """Describe hidden points by what is around them.

    Distances to the nearest points (with what they are, if visible), to the nearest visible and
    the nearest hidden ones, and among the four nearest; angles between these; how many points of
    each kind lie within each radius, with soft edges; how many surround the nearest ones; the
    number of edges and of nodes.

    Args:
        graph: with ``student_pos``, where the student has positions of its own.
        mask: bool ``[num_nodes]``, true where hidden.
        kinds: values of the first node feature to count.
        radii: Angstrom.

    Shapes:
        - output: ``[num_hidden, columns]``; NaN where a molecule has too few points.
    """
    seen = hide(student_view(graph), mask)
    kind = seen.x[:, 0].numpy()
    pos = seen[POS].double().numpy()
    hidden = mask.numpy()
    between = np.sqrt(np.square(pos[:, None] - pos[None]).sum(-1))
    np.fill_diagonal(between, np.inf)
    own = between[hidden]  # [num_hidden, num_nodes]
    columns = [*_nearest(own, kind, NEAREST)]
    for which in (~hidden, hidden):
        columns += _nearest(own[:, which], kind[which], NEAREST // 2)

    scale = np.asarray(radii)
    within = _sigmoid((scale - own[..., None]) / (0.06 * scale))  # [num_hidden, num_nodes, radii]
    for value in [MASK, *kinds]:
        columns.append(within[:, kind == value].sum(1))
        columns.append(own[:, kind == value].min(1, initial=np.inf)[:, None])
    crowd = _sigmoid((scale[:2] - between[..., None]) / (0.06 * scale[:2])).sum(1)
    order = np.argsort(own, axis=1, kind="stable")[:, :CLOSE]
    columns.append(_padded(crowd[order].reshape(len(own), -1), 2 * CLOSE))
    columns.append(_shape(between, own, order))

    edges = np.bincount(graph.edge_index[1].numpy(), minlength=len(kind))[hidden]
    columns.append(np.stack([edges, np.full(len(own), len(kind))], axis=1))
    table = np.concatenate([column.astype(np.float64) for column in columns], axis=1)
    table[~np.isfinite(table)] = np.nan
    return table


def _nearest(
    own: Array, kind: NDArray[np.int64], count: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return distance and kind of the nearest points, nearest first: ``[num_hidden, count]``."""
    order = np.argsort(own, axis=1, kind="stable")[:, :count]
    distance = np.take_along_axis(own, order, axis=1)
    known = np.where(np.isinf(distance), np.nan, kind[order])  # itself is infinitely far away
    return _padded(distance, count), _padded(known, count)


def _shape(between: Array, own: Array, order: NDArray[np.int64]) -> Array:
    """Return distances among the nearest points, and cosines of the angles between the nearest."""
    columns = []
    for i in range(CLOSE):
        for j in range(i):
            if i >= order.shape[1]:
                columns += [np.full(len(own), np.nan)] * (2 if i < 3 else 1)
                continue
            across = between[order[:, i], order[:, j]]
            columns.append(across)
            if i < 3:
                a, b = (np.take_along_axis(own, order[:, [k]], 1)[:, 0] for k in (i, j))
                with np.errstate(invalid="ignore"):
                    columns.append((a**2 + b**2 - across**2) / (2 * a * b))
    return np.stack(columns, axis=1)


def from_topology(graph: Batch, mask: torch.Tensor, *, kinds: list[int]) -> Array:
    """Describe hidden atoms of a 2D graph, a batch of one, by the bonds around them.

    Degree, random-walk return probabilities, how many atoms lie one to four bonds away, how many
    of these are hidden and what the visible ones are (features summed, elements counted), and of
    each bonded neighbour its degree and, if visible, its features and the orders of its visible
    bonds.

    Shapes:
        - mask: bool ``[num_nodes]``; output: ``[num_hidden, columns]``.
    """
    seen = hide(graph, mask)
    structure = structure_of(graph)
    path = structure.distance[0].numpy()
    degree = structure.degree.numpy()
    x, hidden = seen.x.numpy(), mask.numpy()
    orders = np.zeros((len(x), BOND.sizes[0]))
    target, order = graph.edge_index[1].numpy(), seen.edge_attr[:, 0].numpy()
    np.add.at(orders, (target, order), 1)  # column MASK counts bonds to hidden atoms
    columns = [
        degree[hidden, None],
        structure.walk[mask].numpy().astype(np.float64).reshape(-1, WALK_STEPS),
        np.full((int(hidden.sum()), 1), len(x)),
    ]
    each = np.concatenate([x[:, [0]] == np.array([MASK, *kinds]), x[:, 1:], orders], axis=1)
    for steps in range(1, STEPS + 1):
        away = (path[hidden] == steps).astype(np.float64)
        columns += [away.sum(1, keepdims=True), away @ each]
    described = np.concatenate([x, degree[:, None], orders], axis=1)
    rows = np.full((int(hidden.sum()), BONDED * described.shape[1]), np.nan)
    for row, node in enumerate(np.flatnonzero(hidden)):
        near = described[path[node] == 1]
        near = near[np.lexsort(near.T[::-1])][::-1][:BONDED]
        rows[row, : near.size] = near.ravel()
    return np.concatenate([*columns, rows], axis=1)


def from_sequence(graph: Data, mask: torch.Tensor, *, reach: int) -> Array:
    """Kinds of the visible residues up to ``reach`` places before and after, without positions."""
    kind = hide(graph, mask).x[:, 0].numpy().astype(np.float64)
    padded = np.pad(kind, reach, constant_values=np.nan)
    places = np.flatnonzero(mask.numpy())[:, None] + reach
    offsets = [step for step in range(-reach, reach + 1) if step]
    return padded[places + np.array(offsets)]


def _sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(values, -60, 60)))


def _padded(values: NDArray[np.floating], width: int) -> NDArray[np.floating]:
    missing = width - values.shape[1]
    return np.pad(values.astype(np.float64), ((0, 0), (0, missing)), constant_values=np.nan)
