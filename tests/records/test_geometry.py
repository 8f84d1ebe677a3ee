"""Geometries from files, from RDKit and from a force field."""

import gzip

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molvec.errors import UserError
from molvec.records import (
    Conformer,
    RecordError,
    conformer_records,
    embed_conformer,
    read_conformers,
)

WATER = "3\nwater\nO 0 0 0.117\nH 0 0.757 -0.467\nh 0 -0.757 -4.67*^-1\n"


def mol_with_positions(smiles, seed=0):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    rdDistGeom.EmbedMolecule(mol, randomSeed=seed)
    return mol


def sdf(*mols):
    return "".join(f"{Chem.MolToMolBlock(mol)}$$$$\n" for mol in mols)


def errors(records):
    return [record.error for record in records]


def test_xyz_frames(tmp_path):
    path = tmp_path / "two.xyz"
    path.write_text(f"{WATER}\n{WATER.replace('water', '')}")
    first, second = read_conformers(path)
    assert (first.text, second.text) == ("water", "two:1")
    assert first.conformer.elements.tolist() == [8, 1, 1]
    np.testing.assert_allclose(
        first.conformer.positions, [[0, 0, 0.117], [0, 0.757, -0.467], [0, -0.757, -0.467]]
    )
    zipped = tmp_path / "two.XYZ.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert [len(record.conformer) for record in read_conformers(zipped)] == [3, 3]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{WATER}three\n", "expected a number of atoms, got 'three'; the rest is lost"),
        (f"{WATER}-1\n", "expected a number of atoms, got '-1'; the rest is lost"),
        (f"{WATER}3\nx\nO 0 0 0\n", "1 of 3 atoms; the rest of the file is lost"),
        (f"{WATER}1\nx\nQq 0 0 0\n", "atom 1 is 'Qq 0 0 0', not an element and x y z; the rest"),
        (f"{WATER}1\nx\nO 0 0\n", "atom 1 is 'O 0 0', not an element and x y z"),
        (f"{WATER}1\nx\n200 0 0 0\n", "atom 1 is '200 0 0 0', not an element"),
        (f"{WATER}1\nx\nO 0 nan 0\n", "positions that are not finite"),
    ],
)
def test_broken_xyz_keeps_what_came_before(text, error, tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(text)
    good, bad = read_conformers(path)
    assert good.error is None
    assert bad.error.startswith(error)
    assert bad.conformer is None


def test_sdf_keeps_hydrogens_and_order(tmp_path):
    mol = mol_with_positions("CO")
    mol.SetProp("_Name", "methanol")
    flat = Chem.MolFromSmiles("CC")
    path = tmp_path / "a.sdf"
    path.write_text(sdf(mol) + "garbage\n$$$$\n" + sdf(flat, mol))
    records = list(read_conformers(path))
    assert errors(records) == [None, "not a valid SDF block", "no positions in space", None]
    assert records[0].text == "methanol"
    assert records[0].conformer.elements.tolist() == [6, 8, 1, 1, 1, 1]
    expected = mol.GetConformer().GetPositions()
    np.testing.assert_allclose(records[0].conformer.positions, expected, atol=1e-4)


def test_sdf_without_hydrogens_or_elements_is_not_whole(tmp_path):
    """A ligand of a crystal structure: vectors of its heavy atoms would be of something else."""
    mol = mol_with_positions("CO")
    dummy = Chem.RWMol(mol)
    dummy.GetAtomWithIdx(0).SetAtomicNum(0)
    path = tmp_path / "a.sdf"
    path.write_text(sdf(Chem.RemoveHs(mol), dummy, mol))
    reason = "hydrogens are missing: a molecule in space is all of its atoms"
    assert errors(read_conformers(path)) == [reason, "an atom without an element", None]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xyz", b"", "is empty"),
        ("a.sdf", b"", "is empty"),
        ("a.sdf.gz", gzip.compress(b"x" * 9999)[:30], "cannot read"),
        ("a.xyz.gz", b"not gzip", "cannot read"),
        ("a.xyz.gz", gzip.compress(b"1\n\nC 0 0 0\n")[:12] + b"\xff" * 30, "cannot read"),
    ],
)
def test_files_that_cannot_be_read(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(read_conformers(tmp_path / name))


def test_made_geometries_are_sensible_and_always_the_same():
    mol = Chem.MolFromSmiles("c1ccccc1O")
    made = embed_conformer(mol, name="phenol")
    assert mol.GetNumAtoms() == 7
    assert (made.name, len(made)) == ("phenol", 13)
    carbons = made.positions[:6]
    distances = np.linalg.norm(carbons - np.roll(carbons, 1, axis=0), axis=1)
    np.testing.assert_allclose(distances, 1.39, atol=0.03)
    np.testing.assert_array_equal(embed_conformer(mol).positions, made.positions)
    assert np.abs(embed_conformer(mol, seed=2).positions - made.positions).max() > 0.1
    with pytest.raises(RecordError, match="13 atoms, more than the limit of 12"):
        embed_conformer(mol, max_atoms=12)


def test_a_cage_and_an_ion():
    assert len(embed_conformer(Chem.MolFromSmiles("C12C3C4C1C5C2C3C45"))) == 16
    assert len(embed_conformer(Chem.MolFromSmiles("[Na+].[Cl-]"))) == 2
    assert len(embed_conformer(Chem.MolFromSmiles("[He]"))) == 1


def test_rows_of_all_kinds(tmp_path):
    water = Conformer("w", np.array([8], np.uint8), np.zeros((1, 3), np.float32))
    whole, heavy = mol_with_positions("CO", seed=3), Chem.RemoveHs(mol_with_positions("CO"))
    rows = ["C", water, None, "xx", 7, whole, heavy, "*C", Chem.MolFromSmiles("N")]
    records = list(conformer_records(rows))
    assert [record.index for record in records] == list(range(9))
    sizes, reasons = [], {}
    for record in records:
        try:
            sizes.append(len(record.geometry()))
        except RecordError as error:
            reasons[record.index] = error.reason
    assert sizes == [5, 1, 6, 6, 4]
    assert reasons == {
        2: "missing value",
        3: "not valid SMILES",
        4: "expected a SMILES or an RDKit Mol, got int",
        7: "no geometry: an atom without an element",
    }
    own = whole.GetConformer().GetPositions()
    np.testing.assert_allclose(records[5].geometry().positions, own, atol=1e-6)
    again = list(conformer_records(records))
    assert [(r.text, r.error) for r in again] == [(r.text, r.error) for r in records]


def test_what_is_no_column_of_molecules():
    for items in ({"smiles": ["C"]}, pd.DataFrame({"smiles": ["C"]})):
        with pytest.raises(UserError, match="is not one column of molecules"):
            list(conformer_records(items))
    with pytest.raises(UserError, match="got int"):
        list(conformer_records(7))
    assert [len(row.geometry()) for row in conformer_records(pd.Series(["C", "N"]))] == [5, 4]


def test_a_molecule_that_rdkit_has_not_looked_at():
    block = Chem.MolToMolBlock(mol_with_positions("CO"))
    (record,) = conformer_records(Chem.MolFromMolBlock(block, sanitize=False, removeHs=False))
    assert len(record.conformer) == 6


def test_folders_and_tables(tmp_path):
    (tmp_path / "a.xyz").write_text(WATER)
    (tmp_path / "b.sdf").write_text(sdf(mol_with_positions("C")))
    (tmp_path / "notes.txt").write_text("nothing")
    assert [len(record.geometry()) for record in conformer_records(tmp_path)] == [3, 5]
    (tmp_path / "mols.csv").write_text("id,smiles\n1,CO\n2,\n")
    records = list(conformer_records(tmp_path / "mols.csv"))
    assert len(records[0].geometry()) == 6
    with pytest.raises(RecordError, match=r"missing value|empty SMILES"):
        records[1].geometry()
    with pytest.raises(UserError, match="has no columns: drop --smiles-column"):
        list(conformer_records(tmp_path, smiles_column="smiles"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="holds no geometries"):
        list(conformer_records(empty))
    with pytest.raises(UserError, match="there is no file"):
        list(conformer_records(tmp_path / "none.xyz"))
    with pytest.raises(UserError, match="must end in one of"):
        list(conformer_records(tmp_path / "a.doc"))


def test_an_atom_with_one_coordinate_is_no_atom(tmp_path):
    path = tmp_path / "cut.xyz"
    path.write_text("2\nx\nH 0 0 0\nH 0.5\n")
    assert "atom 2 is 'H 0.5', not an element and x y z" in errors(read_conformers(path))[0]


def test_one_bad_file_of_a_folder_is_one_row(tmp_path):
    (tmp_path / "1.xyz").write_text(WATER)
    (tmp_path / "2.xyz").touch()
    (tmp_path / "3.xyz").write_text(WATER)
    found = list(conformer_records(tmp_path))
    assert [record.text for record in found] == ["water", "2.xyz", "water"]
    assert errors(found) == [None, "2.xyz is empty", None]
    with pytest.raises(UserError, match=r"2\.xyz is empty"):
        list(conformer_records(tmp_path / "2.xyz"))


def test_positions_that_are_not_finite_are_no_reason_to_make_others():
    mol = mol_with_positions("CCO")
    mol.GetConformer().SetAtomPosition(0, (float("nan"), 0.0, 0.0))
    (record,) = conformer_records([mol])
    assert (record.conformer, record.molecule) == (None, None)
    assert record.error == "positions that are not finite"


def test_an_element_that_is_none_is_a_line_and_no_more(tmp_path, capfd):
    path = tmp_path / "d.xyz"
    path.write_text("1\nx\nXx 0 0 0\n")
    assert "atom 1 is 'Xx 0 0 0', not an element" in errors(read_conformers(path))[0]
    assert capfd.readouterr().err == ""
