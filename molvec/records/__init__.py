"""Records: one item per input row, from files or Python objects, and the one way to a molecule."""

from molvec.records.conformer import Conformer, ConformerRecord, embed_conformer
from molvec.records.conformer_records import conformer_records
from molvec.records.geometry import (
    geometry_files,
    geometry_format,
    read_conformers,
    read_geometries,
)
from molvec.records.neighbourhood import Neighbourhood
from molvec.records.network import Network, make_network
from molvec.records.network_file import read_network, save_network
from molvec.records.network_objects import (
    network_of_matrix,
    network_of_networkx,
    network_of_pyg,
)
from molvec.records.node_features import NodeFeatures, read_node_features, with_features
from molvec.records.node_names import NodeRecord, node_records
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
    "Neighbourhood",
    "Network",
    "NodeFeatures",
    "NodeRecord",
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
    "make_network",
    "network_of_matrix",
    "network_of_networkx",
    "network_of_pyg",
    "node_records",
    "parse",
    "read_conformers",
    "read_geometries",
    "read_network",
    "read_node_features",
    "read_records",
    "read_structure",
    "save_network",
    "structure_files",
    "with_features",
]
