import pickle

import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from molvec.featurize import grounding
from molvec.featurize.grounding import NUM_DESCRIPTORS, Grounding, fast_descriptors
from molvec.featurize.molecule_surroundings import (
    NUM_MOLECULE_SURROUNDINGS,
    molecule_surroundings,
)


def test_descriptors_are_rdkits():
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")
    values = fast_descriptors(mol)
    assert values.shape == (1, NUM_DESCRIPTORS)
    assert values.dtype == torch.float32
    names = list(grounding._NAMES)
    tpsa = rdMolDescriptors.CalcTPSA(mol)
    assert float(values[0, names.index("tpsa")]) == pytest.approx(tpsa, rel=1e-6)
    assert float(values[0, names.index("NumAromaticRings")]) == 1
    last = rdMolDescriptors.PEOE_VSA_(mol)
    assert values[0, -14:].tolist() == pytest.approx(last, rel=1e-6)
    quantum = values[0, len(names) : len(names) + 42]
    assert quantum.tolist() == list(rdMolDescriptors.MQNs_(mol))


@pytest.mark.parametrize("smiles", ["C", "[Na+].[Cl-]", "C[Hg]C", "[H][H]", "C" * 120])
def test_any_molecule_gives_as_many(smiles):
    values = fast_descriptors(Chem.MolFromSmiles(smiles))
    assert values.shape == (1, NUM_DESCRIPTORS)
    assert not values.isinf().any()


def test_areas_by_charge_are_unknown_where_charges_are():
    """RDKit puts all of the surface into the last bin."""
    assert fast_descriptors(Chem.MolFromSmiles("CC[Hg]Cl"))[0, -14:].isnan().all()
    assert fast_descriptors(Chem.MolFromSmiles("CCCl"))[0, -14:].isfinite().all()


def test_kinds():
    mol = Chem.MolFromSmiles("CCO")
    bits = pickle.loads(pickle.dumps(Grounding("fingerprint", bits=64)))(mol)
    assert bits.shape == (1, 64)
    assert set(bits.unique().tolist()) == {0.0, 1.0}
    assert Grounding("descriptors")(mol).shape == (1, NUM_DESCRIPTORS)
    with pytest.raises(ValueError, match="unknown grounding 'maccs'"):
        Grounding("maccs")


def test_surroundings_have_a_row_per_atom_and_end_in_what_the_molecule_is_like():
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")
    kind = pickle.loads(pickle.dumps(Grounding("surroundings")))
    values = kind(mol)
    assert values.shape == (13, kind.size)
    assert kind.size == NUM_MOLECULE_SURROUNDINGS + NUM_DESCRIPTORS
    assert kind.shared == NUM_DESCRIPTORS
    assert torch.equal(values[:, : -kind.shared], molecule_surroundings(mol))
    assert torch.equal(values[:, -kind.shared :], fast_descriptors(mol).expand(13, -1))
    assert [Grounding(other).shared for other in ("fingerprint", "descriptors")] == [0, 0]
