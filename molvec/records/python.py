"""Records from Python objects: lists, Series, arrays, iterators, single molecules."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from numbers import Real
from pathlib import Path

from rdkit import Chem

from molvec.errors import UserError
from molvec.records.read import read_records
from molvec.records.record import Record


def from_python(items: object) -> Iterator[Record]:
    """Yield one record per item, in order.

    Args:
        items: any iterable (list, pandas Series, numpy array, iterator) of SMILES texts, RDKit
            molecules, ``None`` or NaN; or one text or molecule. A text is always a SMILES; a
            ``Path`` is a file, read by `read_records`.

    An item of another type is a record with an error that names the type.

    Raises:
        UserError: if ``items`` cannot be read as a column of molecules at all.
    """
    if isinstance(items, os.PathLike):
        return read_records(Path(items))
    if isinstance(items, str | Chem.Mol):
        return iter((_record(0, items),))
    if isinstance(items, Mapping) or hasattr(items, "columns"):
        # Iterating over these gives their keys, which are no molecules.
        raise UserError(
            f"a {type(items).__name__} is not one column of molecules; pass one, df['smiles']"
        )
    if isinstance(items, bytes | bytearray) or not hasattr(items, "__iter__"):
        raise UserError(f"expected SMILES texts or RDKit molecules, got {type(items).__name__}")
    try:
        iterator = iter(items)
    except TypeError:  # a 0-dimensional array has __iter__ all the same
        raise UserError("expected a list of molecules, got a 0-dimensional array") from None
    return (_record(index, item) for index, item in enumerate(iterator))


def _record(index: int, item: object) -> Record:
    if isinstance(item, str):
        return Record(index, smiles=item)
    if isinstance(item, Chem.Mol):
        return Record(index, mol=item)
    if _is_missing(item):
        return Record(index)
    return Record(index, error=f"expected a SMILES or an RDKit Mol, got {type(item).__name__}")


def _is_missing(item: object) -> bool:
    # pandas' own missing values, recognised by name: importing pandas for it costs half a second.
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(item, Real) and item != item
