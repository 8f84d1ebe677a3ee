"""Records: one item per input row, from files or Python objects, and the one way to a molecule."""

from molvec.records.parse import parse
from molvec.records.python import from_python
from molvec.records.read import column_names, read_records
from molvec.records.record import Record, RecordError, bare_smiles
from molvec.records.skips import SkipCount
from molvec.records.structure import (
    Chain,
    ChainRecord,
    chain_records,
    read_structure,
    structure_files,
)

__all__ = [
    "Chain",
    "ChainRecord",
    "Record",
    "RecordError",
    "SkipCount",
    "bare_smiles",
    "chain_records",
    "column_names",
    "from_python",
    "parse",
    "read_records",
    "read_structure",
    "structure_files",
]
