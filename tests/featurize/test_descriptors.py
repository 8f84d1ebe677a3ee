import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from molvec.featurize import descriptors as module
from molvec.featurize.descriptors import DESCRIPTOR_NAMES, descriptors


def value(smiles, name):
    return descriptors(Chem.MolFromSmiles(smiles))[DESCRIPTOR_NAMES.index(name)]


def test_known_values_of_ethanol():
    assert value("CCO", "MolWt") == pytest.approx(46.069)
    assert value("CCO", "TPSA") == pytest.approx(20.23)
    assert value("CCO", "NumHDonors") == 1
    assert value("CCO", "fr_Al_OH") == 1


def test_names_are_rdkits_without_the_one_that_explodes():
    known = [name for name, _ in Descriptors.descList if not name.startswith("AUTOCORR2D")]
    assert [name for name in known if name not in DESCRIPTOR_NAMES] == ["Ipc"]
    assert len(set(DESCRIPTOR_NAMES)) == len(DESCRIPTOR_NAMES) > 200
    row = descriptors(Chem.MolFromSmiles("CCO"))
    assert row.shape == (len(DESCRIPTOR_NAMES),)
    assert row.dtype == np.float64


def test_values_are_rdkits():
    names = [n for n, _ in Descriptors.descList if n in DESCRIPTOR_NAMES]
    for smiles in ("CC(=O)Oc1ccccc1C(=O)O", "C[N+](C)(C)CC(O)CC([O-])=O", "FC(F)(F)c1ccncc1Cl"):
        mol = Chem.MolFromSmiles(smiles)
        mol._eStateIndices = (0.0,) * mol.GetNumAtoms()  # stale, as after a change of the molecule
        found = dict(zip(DESCRIPTOR_NAMES, descriptors(mol), strict=True))
        expected = Descriptors.CalcMolDescriptors(Chem.MolFromSmiles(smiles))
        assert found == pytest.approx({name: expected[name] for name in names})


def test_big_and_odd_molecules_give_numbers_or_nan():
    for smiles in ("C" * 300, "[Na+].[Cl-]", "[H][H]", "[Fe]", "C[Se]C", "CC(=O)[O-].[Pt+2]"):
        row = descriptors(Chem.MolFromSmiles(smiles))
        assert not np.isinf(row).any()
    assert np.abs(row[np.isfinite(row)]).max() < 1e6


def test_what_fails_is_nan(monkeypatch):
    def fails(mol):
        raise RuntimeError("invariant")

    functions = {"a": fails, "b": lambda mol: float("inf"), "c": lambda mol: 2}
    monkeypatch.setattr(module, "_FUNCTIONS", functions)
    np.testing.assert_array_equal(descriptors(Chem.MolFromSmiles("C")), [np.nan, np.nan, 2.0])
