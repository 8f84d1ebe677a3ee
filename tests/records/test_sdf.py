"""SD files: a broken block costs one row."""

import gzip

import pytest
from rdkit import Chem

from molvec.errors import UserError
from molvec.records import parse, read_records


def block(smiles, title="title", sanitize=True):
    mol = Chem.MolFromSmiles(smiles, sanitize=sanitize)
    mol.SetProp("_Name", title)
    return Chem.MolToMolBlock(mol, kekulize=sanitize)


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_records(path))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.sdf"


def test_good_and_bad_blocks(path, capfd):
    bad = block("CC(C)(C)(C)C", sanitize=False)
    end = "$$$$\n"
    garbage = "one\ntwo\nthree\nfour\n"
    content = end.join([block("CCO"), bad, garbage, "", block("c1ccccc1"), ""])
    records = read(path, content)
    assert [record.index for record in records] == [0, 1, 2, 3, 4]
    assert [record.error for record in records] == [
        None,
        "Explicit valence for atom # 1 C, 5, is greater than permitted",
        "not a valid SDF block",
        "empty SDF block",
        None,
    ]
    assert Chem.MolToSmiles(parse(records[0])) == "CCO"
    assert Chem.MolToSmiles(parse(records[4])) == "c1ccccc1"
    assert capfd.readouterr().err == ""


def test_hydrogens_are_removed(path):
    mol = Chem.AddHs(Chem.MolFromSmiles("CO"))
    records = read(path, Chem.MolToMolBlock(mol) + "$$$$\n")
    assert records[0].mol.GetNumAtoms() == 2


def test_stereo_is_kept(path):
    records = read(path, block("N[C@@H](C)C(=O)O") + "$$$$\n")
    expected = Chem.CanonSmiles("N[C@@H](C)C(=O)O")
    assert Chem.MolToSmiles(parse(records[0])) == expected


def test_properties_and_foreign_titles_are_ignored(path):
    text = block("CCO", title="caf\u00e9").encode("latin-1")
    text += b">  <smiles>\nN\xe9\n\n$$$$\n"
    assert Chem.MolToSmiles(read(path, text)[0].mol) == "CCO"


def test_agrees_with_rdkits_supplier(path):
    texts = [block(smiles) + ">  <y>\n1\n\n" for smiles in ("CCO", "c1ccncc1", "C[N+](C)(C)C")]
    records = read(path, "$$$$\n".join(texts) + "$$$$\n")
    supplier = Chem.SDMolSupplier(str(path))
    assert [Chem.MolToSmiles(record.mol) for record in records] == [
        Chem.MolToSmiles(mol) for mol in supplier
    ]


@pytest.mark.parametrize("tail", ["$$$$\n", "$$$$", "", "$$$$\n\n \n"])
def test_the_end_of_the_file(path, tail):
    assert len(read(path, block("C") + "$$$$\n" + block("N") + tail)) == 2


def test_line_ends_and_gzip(tmp_path):
    text = (block("CCO") + "$$$$\n").replace("\n", "\r\n") * 2
    records = read(tmp_path / "a.sdf.gz", gzip.compress(text.encode()))
    assert [Chem.MolToSmiles(record.mol) for record in records] == ["CCO", "CCO"]


def test_truncated_block_is_a_bad_row(path):
    records = read(path, block("CCO") + "$$$$\n" + block("CCCCC")[:120])
    assert [record.error for record in records] == [None, "not a valid SDF block"]


def test_truncated_gzip(tmp_path):
    path = tmp_path / "a.sdf.gz"
    whole = gzip.compress("".join(block("C" * n) + "$$$$\n" for n in range(1, 60)).encode())
    with pytest.raises(UserError, match=r"is truncated: .* after \d+ rows"):
        read(path, whole[: len(whole) // 2])


def test_no_molecules(path):
    with pytest.raises(UserError, match="is empty"):
        read(path, "\n\n")


def test_no_columns(path):
    path.write_text(block("C"))
    with pytest.raises(UserError, match="has no columns"):
        list(read_records(path, smiles_column="smiles"))
