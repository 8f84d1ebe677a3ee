"""How the files of networks with labels are written, and what is read from them.

One function per form: paths by role -> network, labels, whether they exclude each other, official
parts, and the scheme of other parts.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.graphsage import read_graphs
from molvec.data.network_split import Parts
from molvec.errors import UserError
from molvec.records import (
    Network,
    NodeFeatures,
    make_network,
    read_network,
    read_node_features,
    with_features,
)
from molvec.records.lines import UNREADABLE, open_bytes, text_lines

Read = tuple[Network, pd.DataFrame, bool, tuple[Parts, ...], str]
Paths = Mapping[str, Path]

UNKNOWN = ("", "U")
"""Classes of yeast proteins that nobody has characterised: no labels."""


def read_tables(paths: Paths, name: str) -> Read:
    """Tables without a header, row ``i`` is node ``i``; edges as pairs of these numbers."""
    features, labels = _numbers(paths["features"]), _numbers(paths["labels"])
    names = [str(i) for i in range(len(features))]
    if "nodes" in paths:
        names = [row[0] for row in _rows(paths["nodes"], ",")][1:]
    if not len(features) == len(labels) == len(names) == len(set(names)):
        raise UserError(f"{name}: features, labels and names of nodes differ in number")
    edges = [row for row in _rows(paths["edges"], ",") if row[0][:1].isdigit()]
    ends = np.array([[float(row[0]), float(row[1])] for row in edges]).astype(np.int64)
    one, two = _each_once(ends[:, 0], ends[:, 1])
    network = make_network(names, one, two, what=name)
    network = with_features(network, NodeFeatures(network.names, features), what=name)
    frame = pd.DataFrame(labels.astype(np.float64), columns=_labels(labels.shape[1]))
    parts = tuple(_parts(held, len(names), name) for held in _json(paths["splits"]))
    return network, frame, False, parts, "stratified"


def read_matrix(paths: Paths, name: str) -> Read:
    """A MATLAB file with an adjacency matrix and ``group``, ``[num_nodes, num_labels]``."""
    from scipy.io import loadmat

    network = read_network(paths["network"])
    group = loadmat(paths["network"]).get("group")
    if group is None or group.shape[0] != len(network):
        raise UserError(f"{name}: {paths['network']} has no matrix group with a row per node")
    labels = np.asarray(group.todense(), dtype=np.float64)
    return network, pd.DataFrame(labels, columns=_labels(labels.shape[1])), False, (), "halves"


def read_classes(paths: Paths, name: str) -> Read:
    """Tables with a header: ``name class ...`` of nodes, ``source target ...`` of edges."""
    nodes = list(_rows(paths["nodes"], "\t"))[1:]
    names = [row[0] for row in nodes]
    place = {node: i for i, node in enumerate(names)}
    edges = list(_rows(paths["edges"], "\t"))[1:]
    one, two = (np.array([place[row[end]] for row in edges], dtype=np.int64) for end in (0, 1))
    network = make_network(names, *_each_once(one, two), what=name)
    kinds = [row[1].strip() for row in nodes]
    known = sorted(set(kinds) - set(UNKNOWN))
    labels = np.array([[kind == label for label in known] for kind in kinds], dtype=np.float64)
    labels[[kind in UNKNOWN for kind in kinds]] = np.nan
    return network, pd.DataFrame(labels, columns=known), True, (), "stratified"


def read_genes(paths: Paths, name: str) -> Read:
    """Edges between genes, and lines ``disease, 3 counts, genes;genes, genes;genes``.

    Genes with a disease have labels: whether they have each; genes with none say nothing.
    """
    edges = [row for row in _rows(paths["edges"], "\t") if not row[0].startswith("#")]
    names = list(dict.fromkeys(row[end].strip() for row in edges for end in (0, 1)))
    place = {gene: i for i, gene in enumerate(names)}
    one, two = (
        np.array([place[row[end].strip()] for row in edges], dtype=np.int64) for end in (0, 1)
    )
    network = make_network(names, *_each_once(one, two), what=name)
    rows = [row for row in _rows(paths["diseases"], "\t") if not row[0].startswith("#")]
    labels = np.zeros((len(names), len(rows)))
    lost = set()
    for column, row in enumerate(rows):
        genes = {gene.strip() for cell in row[4:6] for gene in cell.split(";")} - {""}
        lost |= genes - set(place)
        labels[[place[gene] for gene in genes if gene in place], column] = 1.0
    labels[labels.sum(axis=1) == 0] = np.nan
    network = replace(
        network, left_out={**network.left_out, "disease genes without a node": len(lost)}
    )
    return network, pd.DataFrame(labels, columns=[row[0] for row in rows]), False, (), "stratified"


FORMS: dict[str, Callable[[Paths, str], Read]] = {
    "tables": read_tables,
    "matrix": read_matrix,
    "classes": read_classes,
    "genes": read_genes,
    "graphs": read_graphs,
}


def _each_once(
    one: NDArray[np.int64], two: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop edges that are there the other way round: the two are one, not a duplicate."""
    size = int(max(one.max(), two.max())) + 1
    mirrored = (one > two) & np.isin(two * size + one, one * size + two)
    return one[~mirrored], two[~mirrored]


def _rows(path: Path, separator: str) -> Iterator[list[str]]:
    try:
        lines = (line for line in text_lines(path) if line.strip())
        if separator == ",":
            yield from csv.reader(lines)
        else:  # a quote is a letter like others
            yield from (line.rstrip("\r\n").split(separator) for line in lines)
    except (*UNREADABLE, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from None


def _numbers(path: Path) -> NDArray[np.float32]:
    return read_node_features(path).values


def _json(path: Path) -> list[dict[str, list[int]]]:
    with open_bytes(path) as file:
        held: list[dict[str, list[int]]] = json.load(file)
    return held


def _parts(held: Mapping[str, Sequence[int]], size: int, name: str) -> Parts:
    train, valid, test = (
        np.sort(np.array(held[part], dtype=np.int64)) for part in ("train", "val", "test")
    )
    every = np.concatenate([train, valid, test])
    if len(np.unique(every)) < len(every) or every.min() < 0 or every.max() >= size:
        raise UserError(f"{name}: its parts overlap, or name nodes that are not there")
    return train, valid, test


def _labels(count: int) -> list[str]:
    return [f"label {i}" for i in range(count)]
