import numpy as np
import pytest
import torch
from rdkit import Chem

from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.featurize.vocabulary import ATOM, BOND, Vocabulary
from molvec.graph import MASK, validate
from tests.graphs import SMILES, molecule

MOLECULES = [
    *SMILES,
    "[H][H]",
    "[2H]O[2H]",
    "*CC",
    "[NH3][Pt]([NH3])(Cl)Cl",
    "N->[Pt]",
    "C~C",
    "C/C=C\\C",
    "O=[N+]([O-])c1ccccc1",
    "[Fe+5]",
    "C" * 300,
]


def decode(graph, featurizer):
    """Values behind the indices: one dict per atom; "?" for the index "other"."""
    names = list(featurizer.atom.features)
    values = list(featurizer.atom.features.values())
    return [
        {
            name: values[j][i - 1] if 0 < i <= len(values[j]) else "?"
            for j, (name, i) in enumerate(zip(names, row, strict=True))
        }
        for row in graph.x.tolist()
    ]


@pytest.mark.parametrize("smiles", MOLECULES)
def test_graphs_keep_the_contract_and_never_use_the_mask_index(smiles):
    graph = molecule(smiles)
    validate(graph)
    assert (graph.x != MASK).all()
    assert (graph.edge_attr != MASK).all()
    assert (graph.x.max(0).values < torch.tensor(ATOM.sizes)).all()
    mol = Chem.MolFromSmiles(smiles)
    assert graph.x.shape == (mol.GetNumAtoms(), 6)
    assert graph.edge_index.shape == (2, 2 * mol.GetNumBonds())


@pytest.mark.parametrize("smiles", MOLECULES)
def test_atoms_against_a_plain_loop(smiles):
    mol = Chem.MolFromSmiles(smiles)
    expected = [
        {
            "element": a.GetAtomicNum() or "?",
            "charge": a.GetFormalCharge() if abs(a.GetFormalCharge()) <= 3 else "?",
            "hydrogens": a.GetTotalNumHs(),
            "aromatic": a.GetIsAromatic(),
            "ring": a.IsInRing(),
            "chirality": a.GetProp("_CIPCode") if a.HasProp("_CIPCode") else "",
        }
        for a in mol.GetAtoms()
    ]
    assert decode(MoleculeFeaturizer()(mol), MoleculeFeaturizer()) == expected


@pytest.mark.parametrize("smiles", MOLECULES)
def test_bonds_against_a_plain_loop(smiles):
    mol = Chem.MolFromSmiles(smiles)
    orders = {1.0: 1, 2.0: 2, 3.0: 3, 1.5: 4}
    stereo = {Chem.BondStereo.STEREOE: 2, Chem.BondStereo.STEREOZ: 3}
    expected = set()
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        order = orders.get(bond.GetBondTypeAsDouble(), 5)
        for ends in ((i, j), (j, i)):
            expected.add((*ends, order, stereo.get(bond.GetStereo(), 1)))
    graph = MoleculeFeaturizer()(mol)
    actual = torch.cat([graph.edge_index.T, graph.edge_attr], 1).tolist()
    assert {tuple(row) for row in actual} == expected
    assert len(actual) == len(expected)


def test_stereo_does_not_depend_on_the_order_of_atoms():
    mol = Chem.MolFromSmiles("N[C@@H](C)C(=O)O")
    order = [3, 1, 0, 5, 4, 2]
    shuffled = MoleculeFeaturizer()(Chem.RenumberAtoms(mol, order))
    assert torch.equal(shuffled.x, MoleculeFeaturizer()(mol).x[order])
    mirror = molecule("N[C@H](C)C(=O)O")
    assert not torch.equal(mirror.x, molecule("N[C@@H](C)C(=O)O").x)


def test_no_atoms_is_an_error():
    with pytest.raises(ValueError, match="no atoms"):
        MoleculeFeaturizer()(Chem.Mol())


def test_a_saved_vocabulary_builds_the_same_featuriser():
    featurizer = MoleculeFeaturizer()
    again = MoleculeFeaturizer.from_json(featurizer.to_json())
    for smiles in MOLECULES:
        mol = Chem.MolFromSmiles(smiles)
        assert torch.equal(featurizer(mol).x, again(mol).x)
        assert torch.equal(featurizer(mol).edge_attr, again(mol).edge_attr)
    assert again.node_sizes == ATOM.sizes == (120, 9, 7, 4, 4, 5)
    assert again.edge_sizes == BOND.sizes == (6, 5)


def test_a_model_keeps_its_own_vocabulary():
    small = Vocabulary({**ATOM.features, "element": (6, 8)})
    graph = MoleculeFeaturizer(atom=small)(Chem.MolFromSmiles("CON"))
    assert graph.x[:, 0].tolist() == [1, 2, 3]  # nitrogen is "other"


def test_other_features_are_refused():
    with pytest.raises(ValueError, match="atom features must be"):
        MoleculeFeaturizer(atom=Vocabulary({"element": (6,)}))


def test_features_do_not_depend_on_molecules_seen_before():
    fresh, used = MoleculeFeaturizer(), MoleculeFeaturizer()
    for smiles in MOLECULES:
        used(Chem.MolFromSmiles(smiles))
    for smiles in reversed(MOLECULES):
        mol = Chem.MolFromSmiles(smiles)
        np.testing.assert_array_equal(fresh(mol).x, used(mol).x)
