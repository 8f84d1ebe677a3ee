"""Python objects: whatever holds one column of molecules."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from molvec.errors import UserError
from molvec.records import Record, from_python

MOL = Chem.MolFromSmiles("CCO")


@pytest.mark.parametrize(
    "items",
    [
        ["C", "N"],
        ("C", "N"),
        pd.Series(["C", "N"], index=[7, 3]),
        pd.Series(["C", "N"], dtype="string"),
        pd.Index(["C", "N"]),
        np.array(["C", "N"]),
        np.array(["C", "N"], dtype=object),
        iter(["C", "N"]),
        (smiles for smiles in "CN"),
    ],
    ids=lambda items: type(items).__name__,
)
def test_containers(items):
    assert list(from_python(items)) == [Record(0, "C"), Record(1, "N")]


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT],
    ids=["None", "nan", "np.nan", "float32", "NA", "NaT"],
)
def test_missing_values(value):
    assert list(from_python(["C", value])) == [Record(0, "C"), Record(1)]


def test_a_series_with_a_hole():
    assert list(from_python(pd.Series(["C", None, np.nan]))) == [
        Record(0, "C"),
        Record(1),
        Record(2),
    ]


def test_single_values():
    assert list(from_python("CCO")) == [Record(0, "CCO")]
    assert list(from_python("mols.csv")) == [Record(0, "mols.csv")]  # a text is a SMILES
    assert [record.mol for record in from_python(MOL)] == [MOL]


def test_molecules():
    editable = Chem.RWMol(MOL)
    assert [record.mol for record in from_python([MOL, editable])] == [MOL, editable]


def test_empty_text_is_not_missing():
    assert list(from_python([""])) == [Record(0, "")]


@pytest.mark.parametrize(
    ("item", "name"), [(1, "int"), (1.5, "float"), (b"C", "bytes"), (["C"], "list"), ({}, "dict")]
)
def test_other_items_are_bad_rows(item, name):
    error = f"expected a SMILES or an RDKit Mol, got {name}"
    assert list(from_python(["C", item])) == [Record(0, "C"), Record(1, error=error)]


def test_path_is_a_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles\nC\n")
    assert list(from_python(path)) == [Record(0, "C")]


def test_empty_list():
    assert list(from_python([])) == []


def test_lazy():
    def endless():
        while True:
            yield "C"

    records = from_python(endless())
    assert [next(records).index for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (pd.DataFrame({"smiles": ["C"]}), r"a DataFrame is not one column .*df\['smiles'\]"),
        ({"smiles": ["C"]}, "a dict is not one column"),
        (None, "got NoneType"),
        (5, "got int"),
        (b"CCO", "got bytes"),
        (np.array("C"), "0-dimensional"),
    ],
)
def test_what_is_no_column(items, message):
    with pytest.raises(UserError, match=message):
        from_python(items)
