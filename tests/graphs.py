"""Molecules that tests share, as graphs."""

from rdkit import Chem
from torch_geometric.data import Batch, Data

from molvec.featurize.molecule import MoleculeFeaturizer

SMILES = [
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",  # ibuprofen
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",  # caffeine
    "[Na+].CC(=O)[O-]",  # a salt: two components
    "C",  # a single atom: no bonds
    "F/C=C/F",  # E stereo
    "N[C@@H](C)C(=O)O",  # a chiral centre
    "c1ccc2c(c1)[nH]c1ccccc12",
    "CC#N",
]


def molecule(smiles: str) -> Data:
    mol = Chem.MolFromSmiles(smiles)
    assert mol is not None, smiles
    return MoleculeFeaturizer()(mol)


def batch_of(*smiles: str) -> Batch:
    return Batch.from_data_list([molecule(text) for text in smiles or SMILES])
