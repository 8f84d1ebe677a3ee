"""Numbers that describe the nodes of a network: read from a table, put beside the names."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from molvec.errors import UserError
from molvec.records.network import Network

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".parquet", ".npz", ".npy")
IDS = ("id", "name", "node", "names", "ids")
_INDEX = "unnamed: 0"  # what pandas calls a first column without a name, as it writes an index
_NO_NUMBERS = ("row", "error")  # what `molvec embed` writes beside the numbers


@dataclass(frozen=True, eq=False)
class NodeFeatures:
    """A table of numbers.

    Attributes:
        names: of its rows; ``None`` if they are the nodes' numbers.

    Shapes:
        - ``values``: float32 ``[rows, F]``; NaN in rows without numbers.
    """

    names: tuple[str, ...] | None
    values: NDArray[np.float32]


def read_node_features(path: str | Path) -> NodeFeatures:
    """Read a table of numbers, one row per node.

    Args:
        path: ``.csv`` or ``.tsv`` (also ``.gz``; with or without a header) or ``.parquet``: a
            column of text holds the nodes' names (``id``, ``name`` or ``node`` before others), all
            columns of numbers are features, or a column of lists as ``molvec embed`` writes it.
            ``.npy`` or ``.npz``: an array ``[rows, F]``, and perhaps ``names``.

    Raises:
        UserError: if there is no such file, or no numbers in it.
    """
    path = Path(path).expanduser()
    zipped = path.suffix.lower() == ".gz"
    suffix = (path.with_suffix("").suffix if zipped else path.suffix).lower()
    if suffix not in SUFFIXES:
        raise UserError(f"cannot read features {path}: use a {', '.join(SUFFIXES)} file")
    if not path.is_file():
        raise UserError(f"there is no file {path} with features")
    try:
        found = _arrays(path) if suffix in (".npz", ".npy") else _of_frame(_frame(path, suffix))
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"cannot read features {path}: {str(error).splitlines()[0]}") from None
    if found.values.ndim != 2 or not found.values.shape[1]:
        raise UserError(f"{path} has no columns of numbers")
    if found.names is not None and len(set(found.names)) < len(found.names):
        raise UserError(f"{path} has two rows of the same name")
    return found


def with_features(network: Network, features: NodeFeatures, *, what: str = "features") -> Network:
    """Put features beside the nodes of a network, each column standardised.

    By name where the table has names, else row ``i`` belongs to the node named ``i``, as in edge
    lists of numbers. A row without a node becomes a node without edges. A node without a row, and
    a number that is missing, gets 0, the mean; both are counted in ``left_out``.

    Raises:
        UserError: if no row belongs to a node.
    """
    rows = features.names
    if rows is None:
        rows = tuple(str(i) for i in range(len(features.values)))
    place = {name: i for i, name in enumerate(network.names)}
    shared = sum(name in place for name in rows)
    if not shared:
        kind = "row numbers" if features.names is None else "names"
        raise UserError(
            f"no row of {what} belongs to a node: its {kind} (e.g. {rows[0]!r}) are no names of "
            f"nodes (e.g. {network.names[0]!r})"
        )
    extra = [name for name in rows if name not in place]
    place |= {name: len(network) + i for i, name in enumerate(extra)}
    known = features.values
    finite = np.isfinite(known)
    count = np.maximum(finite.sum(0), 1)
    mean = np.where(finite, known, 0).sum(0, dtype=np.float64) / count
    spread = np.sqrt(np.where(finite, (known - mean) ** 2, 0).sum(0) / count)
    scaled = np.where(finite, (known - mean) / np.where(spread > 0, spread, 1), 0)
    table = np.zeros((len(place), known.shape[1]), dtype=np.float32)
    table[[place[name] for name in rows]] = scaled
    return replace(
        network,
        names=(*network.names, *extra),
        features=table,
        left_out={
            **network.left_out,
            "nodes without features (they get the mean)": len(network) - shared,
            "features that are no numbers (they are the mean)": int((~finite).sum()),
        },
    )


def _arrays(path: Path) -> NodeFeatures:
    found = np.load(path, allow_pickle=False)
    if isinstance(found, np.ndarray):
        return NodeFeatures(None, found.astype(np.float32))
    with found:
        names = next((found[name] for name in IDS if name in found), None)
        others = [name for name in found if name not in IDS]
        if len(others) != 1:
            raise UserError(f"{path} must hold one array beside names, not {len(others)}")
        values = found[others[0]].astype(np.float32)
    return NodeFeatures(None if names is None else tuple(map(str, names)), values)


def _frame(path: Path, suffix: str) -> pd.DataFrame:
    import pandas as pd

    if suffix == ".parquet":
        return pd.read_parquet(path)
    separator = "\t" if suffix == ".tsv" else ","
    try:
        text: dict[str, Any] = {"dtype": str, "keep_default_na": False}
        top = pd.read_csv(path, sep=separator, header=None, nrows=2, **text)
    except (gzip.BadGzipFile, pd.errors.EmptyDataError) as error:
        raise UserError(f"{path} is empty or broken: {error}") from None
    header = 0 if len(top) > 1 and _is_header(*(list(row) for _, row in top.iterrows())) else None
    frame = pd.read_csv(path, sep=separator, header=header)
    ids = _id_column(frame)
    if ids is not None:  # as written: 007 is no number, and NA may be a name
        column = list(frame.columns).index(ids)
        names = pd.read_csv(path, sep=separator, header=header, usecols=[column], **text)
        frame[ids] = names.iloc[:, 0]
    return frame


def _is_header(first: list[str], second: list[str]) -> bool:
    """Whether the first row of a table names its columns."""
    import pandas as pd

    def words(row: list[str]) -> int:
        numbers = pd.to_numeric(pd.Series(row), errors="coerce")
        return sum(cell != "" and pd.isna(n) for cell, n in zip(row, numbers, strict=True))

    if words(first) > words(second):
        return True
    named = first[0].lower() in IDS or (first[0] == "" and second[0] != "")
    counted = first == [str(i) for i in range(len(first))]
    return named or (counted and len(first) > 1)  # pandas numbers columns without names


def _is_list(column: pd.Series) -> bool:
    return any(isinstance(cell, list | np.ndarray) for cell in column.head(100))


def _id_column(frame: pd.DataFrame) -> Any:
    """Find the column of names; ``None`` if there is none."""
    from pandas.api.types import is_numeric_dtype

    named = [name for name in frame.columns if str(name).lower() in (*IDS, _INDEX)]
    texts = [
        name
        for name in frame.columns
        if not is_numeric_dtype(frame[name]) and not _is_list(frame[name])
    ]
    return next(iter([*named, *texts]), None)


def _of_frame(frame: pd.DataFrame) -> NodeFeatures:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns = list(frame.columns)
    others = [name for name in columns if not is_numeric_dtype(frame[name])]
    lists = [name for name in others if _is_list(frame[name])]
    ids = _id_column(frame)
    names = None if ids is None else tuple(str(name).strip() for name in frame[ids])
    if lists:
        width = max(len(cell) for cell in frame[lists[0]] if cell is not None)
        empty = np.full(width, np.nan, dtype=np.float32)
        rows = [empty if cell is None else np.asarray(cell) for cell in frame[lists[0]]]
        return NodeFeatures(names, np.stack(rows).astype(np.float32))
    numbers = [
        name
        for name in columns
        if name not in (ids, *_NO_NUMBERS)
        and is_numeric_dtype(frame[name])
        and not is_bool_dtype(frame[name])
    ]
    return NodeFeatures(names, frame[numbers].to_numpy(dtype=np.float32))
