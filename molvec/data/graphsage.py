"""The 24 graphs of proteins of GraphSAGE, in one archive."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.data.network_split import Parts
from molvec.errors import UserError
from molvec.records import Network, NodeFeatures, make_network, with_features

PARTS = ("train", "valid", "test")


def read_graphs(
    paths: Mapping[str, Path], name: str
) -> tuple[Network, pd.DataFrame, bool, tuple[Parts, ...], str]:
    """Read the archive as one network of separate pieces; the parts are whole graphs.

    It holds, for each part, ``PART_graph.json`` (node-link form, nodes numbered from 0),
    ``PART_feats.npy``, ``PART_labels.npy`` and ``PART_graph_id.npy``. A node is named
    ``GRAPH:NUMBER``, its graph and its number in the part's file.

    Raises:
        UserError: if a file is missing, damaged, or has another number of rows.
    """
    path = paths["archive"]
    names: list[str] = []
    one, two, features, labels, parts = [], [], [], [], []
    try:
        with zipfile.ZipFile(path) as archive:
            for part in PARTS:
                held = {
                    role: _array(archive, f"{part}_{role}.npy")
                    for role in ("feats", "labels", "graph_id")
                }
                graph = json.loads(_bytes(archive, f"{part}_graph.json"))
                size, start = len(graph["nodes"]), len(names)
                if {len(array) for array in held.values()} != {size}:
                    raise UserError(f"{path}: the files of {part} differ in their number of nodes")
                ends = _ends(graph, size)
                names += [f"{graph_id}:{i}" for i, graph_id in enumerate(held["graph_id"])]
                one.append(ends[:, 0] + start)
                two.append(ends[:, 1] + start)
                features.append(held["feats"].astype(np.float32))
                labels.append(held["labels"].astype(np.float64))
                parts.append(np.arange(start, start + size))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, OSError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is not the archive of {name}: {error}") from None
    network = make_network(names, np.concatenate(one), np.concatenate(two), what=name)
    table = NodeFeatures(network.names, np.concatenate(features))
    network = with_features(network, table, what=name)
    values = np.concatenate(labels)
    frame = pd.DataFrame(values, columns=[f"label {i}" for i in range(values.shape[1])])
    return network, frame, False, ((parts[0], parts[1], parts[2]),), "stratified"


def _ends(graph: Mapping[str, Any], size: int) -> NDArray[np.int64]:
    pairs = [(link["source"], link["target"]) for link in graph["links"]]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if len(ends) and (ends.min() < 0 or ends.max() >= size):
        raise ValueError("an edge to a node that is not there")
    # Both directions of an edge are one edge, not a duplicate.
    low, high = ends.min(axis=1), ends.max(axis=1)
    return np.unique(np.stack([low, high], axis=1), axis=0)


def _bytes(archive: zipfile.ZipFile, wanted: str) -> bytes:
    found = [name for name in archive.namelist() if f"/{name}".endswith(f"/{wanted}")]
    if len(found) != 1:
        raise KeyError(f"it holds {len(found)} files {wanted}")
    return archive.read(found[0])


def _array(archive: zipfile.ZipFile, wanted: str) -> NDArray[Any]:
    held: NDArray[Any] = np.load(io.BytesIO(_bytes(archive, wanted)), allow_pickle=False)
    return held
