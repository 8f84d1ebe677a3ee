import math

import numpy as np
import pytest
from rdkit import Chem

from molvec.errors import UserError
from molvec.evaluate.properties import (
    FUNCTIONAL_GROUPS,
    PROPERTIES,
    Property,
    compute_properties,
)


def mol(smiles: str) -> Chem.Mol:
    return Chem.MolFromSmiles(smiles)


def test_values_of_a_known_molecule():
    # Aspirin; TPSA 63.6 is the published value, logP 1.31 and QED 0.55 are those of RDKit.
    row = compute_properties([mol("CC(=O)Oc1ccccc1C(=O)O")]).iloc[0]
    assert row["TPSA"] == pytest.approx(63.60, abs=0.01)
    assert row["logP"] == pytest.approx(1.31, abs=0.01)
    assert row["QED"] == pytest.approx(0.55, abs=0.01)
    assert row["fraction_sp3"] == pytest.approx(1 / 9)
    assert row["aromatic_rings"] == 1
    assert row["rotatable_bonds"] == 2
    groups = {name: row[name] for name in FUNCTIONAL_GROUPS if row[name]}
    assert groups == {"esters": 1, "carboxylic_acids": 1}


def test_balaban_j_matches_its_definition():
    # Ethane: 1 bond, no ring, both distance sums 1, so J = 1 / (0 + 1) * 1.
    assert compute_properties([mol("CC")], ["Balaban_J"]).iloc[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("smiles", ["C", "C.C", "[Na+].[Cl-]", "CCO.CC(=O)O"])
def test_balaban_j_is_nan_where_it_is_not_defined(smiles):
    row = compute_properties([mol(smiles)]).iloc[0]
    assert math.isnan(row["Balaban_J"])
    assert row.drop("Balaban_J").notna().all()


def test_rows_stay_aligned():
    frame = compute_properties([mol("CCO"), None, mol(""), mol("c1ccccc1")])
    assert list(frame.columns) == list(PROPERTIES)
    assert (frame.dtypes == np.float64).all()
    assert frame.isna().all(axis=1).tolist() == [False, True, True, False]
    assert frame["aromatic_rings"].iloc[3] == 1


def test_unsanitised_molecule_gives_nan_not_wrong_values():
    unsanitised = Chem.MolFromSmiles("c1ccccc1", sanitize=False)
    frame = compute_properties([unsanitised, mol("c1ccccc1")])
    assert frame.isna().all(axis=1).tolist() == [True, False]


def test_a_property_that_fails_gives_nan(monkeypatch):
    def fail(_):
        raise RuntimeError("Pre-condition Violation")

    broken = Property("QED", fail, "", "fails")
    monkeypatch.setitem(PROPERTIES, "QED", broken)
    monkeypatch.setitem(PROPERTIES, "TPSA", Property("TPSA", lambda _: math.inf, "", "inf"))
    row = compute_properties([mol("CCO")]).iloc[0]
    assert sorted(row.index[row.isna()]) == ["QED", "TPSA"]


def test_names_select_and_order():
    frame = compute_properties([mol("CCO")], ["QED", "logP"])
    assert list(frame.columns) == ["QED", "logP"]


def test_no_molecules():
    assert compute_properties([]).shape == (0, len(PROPERTIES))


def test_unknown_name_says_what_is_known():
    with pytest.raises(UserError, match=r"no property 'logp'.*Did you mean 'logP'\?.*TPSA"):
        compute_properties([], ["logp"])


def test_every_property_is_described():
    for name, prop in PROPERTIES.items():
        assert prop.name == name
        assert prop.meaning


@pytest.mark.parametrize(
    ("smiles", "group"),
    [
        ("CC(=O)NC", "amides"),
        ("CC(=O)OC", "esters"),
        ("CC(=O)O", "carboxylic_acids"),
        ("CC(=O)C", "ketones"),
        ("CCO", "alcohols"),
        ("Oc1ccccc1", "phenols"),
        ("Nc1ccccc1", "anilines"),
        ("c1ccncc1", "aromatic_heterocycles"),
    ],
)
def test_each_functional_group_is_told_from_all_others(smiles, group):
    row = compute_properties([mol(smiles)], FUNCTIONAL_GROUPS).iloc[0]
    assert row[row > 0].to_dict() == {group: 1.0}
