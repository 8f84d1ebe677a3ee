"""Networks from what Python holds them in: sparse matrices, networkx graphs, PyG ``Data``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.errors import UserError
from molvec.records.network import PLAIN, Network, make_network


def network_of_matrix(
    matrix: Any, *, names: Sequence[str] | None = None, what: str = "the matrix"
) -> Network:
    """Make an undirected network of an adjacency matrix.

    Args:
        matrix: square, a scipy sparse matrix or an array; entries other than 0 are edges. They
            are weights if they are positive and differ.
        names: of the rows; their numbers by default.
        what: for messages.

    Raises:
        UserError: for a matrix that is not square or has no edge.
    """
    from scipy.sparse import coo_matrix

    found = coo_matrix(matrix)
    if found.shape[0] != found.shape[1]:
        raise UserError(f"{what} is {found.shape[0]} x {found.shape[1]}, not square")
    values = np.asarray(found.data, dtype=np.float64)
    there = (values != 0) & np.isfinite(values)
    one, two = found.row[there].astype(np.int64), found.col[there].astype(np.int64)
    weight = values[there].astype(np.float32)
    weighted = len(weight) and weight.min() > 0 and weight.min() < weight.max()
    # An entry and its mirror image are one edge, not a duplicate.
    mirrored = _mirrored(one, two, found.shape[0])
    return make_network(
        _numbered(found.shape[0], names),
        one[~mirrored],
        two[~mirrored],
        weight=weight[~mirrored] if weighted else None,
        what=what,
    )


def network_of_networkx(
    graph: Any, *, relation: str = "relation", weight: str = "weight", features: str | None = None
) -> Network:
    """Make a network of a networkx graph of any class; names are ``str(node)``.

    Args:
        graph: edges of a directed graph have a direction here too.
        relation: the edge attribute that names the relation; read if all edges have it. In a
            multigraph without it, the keys do if they are text.
        weight: the edge attribute with a positive weight; read if all edges have it.
        features: the node attribute with numbers; none by default.

    Raises:
        UserError: if two nodes have the same name, or there is no edge.
    """
    nodes = list(graph.nodes)
    names = [str(node) for node in nodes]
    if len(set(names)) < len(names):
        raise UserError("two nodes of the graph have the same name as text")
    row = {node: i for i, node in enumerate(nodes)}
    keyed = graph.is_multigraph()
    edges = list(graph.edges(keys=True, data=True)) if keyed else list(graph.edges(data=True))
    ends = np.array([(row[e[0]], row[e[1]]) for e in edges], dtype=np.int64).reshape(-1, 2)
    kinds = [e[-1].get(relation, e[2] if keyed and isinstance(e[2], str) else None) for e in edges]
    related = bool(kinds) and all(kind is not None for kind in kinds)
    values = [e[-1].get(weight) for e in edges]
    weighted = bool(values) and all(value is not None and value > 0 for value in values)
    relations, codes = _codes([str(kind) for kind in kinds]) if related else ([PLAIN], None)
    table = None
    if features is not None:
        table = np.array([graph.nodes[node][features] for node in nodes], dtype=np.float32)
        table = table.reshape(len(nodes), -1)
    return make_network(
        names,
        ends[:, 0],
        ends[:, 1],
        relation=codes,
        relations=relations,
        weight=np.array(values, dtype=np.float32) if weighted else None,
        features=table,
        directed=bool(graph.is_directed()),
        what="the graph",
    )


def network_of_pyg(
    data: Any, *, names: Sequence[str] | None = None, relations: Sequence[str] | None = None
) -> Network:
    """Make a network of a PyG ``Data``: ``edge_index``, and if there ``edge_type`` and ``x``.

    Edges have a direction if they have a type or are not all there both ways.

    Args:
        data: the graph; a float ``x`` becomes the features.
        names: of the nodes; their numbers by default.
        relations: names of the types; their numbers by default.

    Raises:
        UserError: if there is no edge, or a type without a name.
    """
    one, two = (end.numpy().astype(np.int64) for end in data.edge_index.cpu())
    count = int(data.num_nodes)
    kind = data.get("edge_type")
    codes = None if kind is None else kind.cpu().numpy().astype(np.int64).reshape(-1)
    directed = codes is not None or bool(data.is_directed())
    if codes is not None:
        size = int(codes.max()) + 1 if len(codes) else 1
        relations = [str(i) for i in range(size)] if relations is None else relations
        if len(relations) < size:
            raise UserError(f"edges have {size} types, but {len(relations)} of them a name")
    x = data.get("x")
    keep = np.ones(len(one), dtype=bool) if directed else ~_mirrored(one, two, count)
    return make_network(
        _numbered(count, names),
        one[keep],
        two[keep],
        relation=None if codes is None else codes[keep],
        relations=(PLAIN,) if codes is None or relations is None else relations,
        features=x.cpu().numpy().astype(np.float32) if x is not None and x.dim() == 2 else None,
        directed=directed,
        what="the graph",
    )


def _mirrored(one: NDArray[np.int64], two: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Entries below the diagonal whose mirror image is there as well."""
    below = one > two
    mirrored: NDArray[np.bool_] = below & np.isin(two * count + one, (one * count + two)[~below])
    return mirrored


def _numbered(count: int, names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [str(i) for i in range(count)]
    if len(names) != count or len(set(names)) != count:
        raise UserError(f"{count:,} nodes need as many different names, got {len(set(names)):,}")
    return list(names)


def _codes(values: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    known: dict[str, int] = {}
    codes = [known.setdefault(value, len(known)) for value in values]
    return list(known), np.array(codes, dtype=np.int64)
