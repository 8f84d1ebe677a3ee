"""Networks from files: the suffix chooses the reader, whole-file troubles get a message."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from molvec.atomic import atomic_write
from molvec.errors import UserError, did_you_mean
from molvec.records.edge_table import read_parquet_edges, read_text_edges
from molvec.records.network import Network
from molvec.records.network_objects import network_of_matrix

TEXT = (".tsv", ".csv", ".txt", ".tab", ".sif", ".edges", ".edgelist")
SUFFIXES = (*TEXT, ".parquet", ".mat", ".npz")
MATRICES = ("net", "network")
"""Names under which a ``.mat`` file holds its adjacency matrix."""


def read_network(
    path: str | Path, *, relations: bool | None = None, columns: Mapping[str, str] | None = None
) -> Network:
    """Read a network.

    Args:
        path: a table of edges or triples (``.tsv``, ``.csv``, ``.txt``, ``.tab``, ``.sif``,
            ``.edges``, ``.edgelist``, each also ``.gz``, or ``.parquet``), a ``.mat`` file with a
            square matrix ``net`` or ``network``, or an ``.npz`` that :func:`save_network` wrote.
        relations: whether the rows of a table are triples; by default its form tells.
        columns: names of a table's columns, by ``source``, ``target``, ``relation``, ``weight``.

    Raises:
        UserError: if there is no such file, or no network in it.
    """
    path = Path(path).expanduser()
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    suffix = suffix.lower()
    if path.is_dir():
        raise UserError(f"{path} is a folder; give a file with edges")
    if not path.exists():
        near = path.parent.iterdir() if path.parent.is_dir() else ()
        raise UserError(
            f"there is no file {path}.{did_you_mean(path.name, [p.name for p in near])}"
        )
    if suffix not in SUFFIXES or (suffix not in TEXT and path.suffix.lower() == ".gz"):
        known = ", ".join(SUFFIXES)
        raise UserError(f"cannot read {path}: a network's file must end in {known} (text also .gz)")
    table = {"relations": relations, "columns": columns}
    try:
        if suffix in TEXT:
            return read_text_edges(path, **table)  # type: ignore[arg-type]
        if suffix == ".parquet":
            return read_parquet_edges(path, **table)  # type: ignore[arg-type]
        if relations is not None or columns:
            raise UserError(f"{path} has no columns: drop data.relations and data.columns")
        return _read_matrix(path) if suffix == ".mat" else _read_saved(path)
    except EOFError:
        raise UserError(f"{path} is truncated: the compressed data ends early") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is not a sound gzip file: {error}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def save_network(network: Network, path: Path) -> None:
    """Write a network, e.g. one made of a networkx graph, to an ``.npz`` that pretraining reads.

    Raises:
        UserError: if it cannot be written.
    """
    if path.suffix != ".npz":
        raise UserError(f"cannot write {path.name}: a network is saved as .npz")
    arrays: dict[str, Any] = {
        "names": np.array(network.names, dtype=np.str_),
        "relations": np.array(network.relations, dtype=np.str_),
        "directed": np.array(network.directed),
        "source": network.source,
        "target": network.target,
        "relation": network.relation,
    }
    optional = {"weight": network.weight, "features": network.features}
    arrays |= {name: array for name, array in optional.items() if array is not None}

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    atomic_write(path, write)


def _read_saved(path: Path) -> Network:
    try:
        with np.load(path, allow_pickle=False) as file:
            return Network(
                names=tuple(str(name) for name in file["names"]),
                source=file["source"],
                target=file["target"],
                relation=file["relation"],
                relations=tuple(str(name) for name in file["relations"]),
                weight=file.get("weight"),
                features=file.get("features"),
                directed=bool(file["directed"]),
            )
    except (KeyError, ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} is not a network that save_network wrote ({reason})") from None


def _read_matrix(path: Path) -> Network:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        held = loadmat(path)
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError, zlib.error) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is not a MATLAB file that can be read ({reason})") from None
    found = next((name for name in MATRICES if name in held), None)
    if found is None:
        there = ", ".join(name for name in held if not name.startswith("__")) or "nothing"
        raise UserError(f"{path} has no matrix {' or '.join(MATRICES)}; it holds {there}")
    return network_of_matrix(held[found], what=str(path))
