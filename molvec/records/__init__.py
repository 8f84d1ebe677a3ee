"""Records: one item per input row, from files or Python objects, and the one way to a molecule."""

from molvec.records.conformer import Conformer, ConformerRecord, embed_conformer
from molvec.records.conformer_records import conformer_records
from molvec.records.geometry import geometry_files, geometry_format, read_conformers
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
    "Conformer",
    "ConformerRecord",
    "Record",
    "RecordError",
    "SkipCount",
    "bare_smiles",
    "chain_records",
    "column_names",
    "conformer_records",
    "embed_conformer",
    "from_python",
    "geometry_files",
    "geometry_format",
    "parse",
    "read_conformers",
    "read_records",
    "read_structure",
    "structure_files",
]
