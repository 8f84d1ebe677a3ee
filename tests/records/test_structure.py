"""Protein chains from files: what is a residue, what is left out, what is an error."""

import gzip

import numpy as np
import pytest

from molvec.errors import UserError
from molvec.records import RecordError
from molvec.records.structure import chain_records, read_structure, structure_files


def atom(
    serial, name, residue, chain, number, x, *, alt=" ", insertion=" ", kind="ATOM", element=None
):
    """One line of a PDB file."""
    padded = f" {name:<3}" if len(name) < 4 else name
    return (
        f"{kind:<6}{serial:>5} {padded}{alt}{residue:>3} {chain}{number:>4}{insertion}   "
        f"{x:8.3f}{2.0:8.3f}{3.0:8.3f}  1.00  0.00          {element or name[0]:>2}  \n"
    )


def residue(number, name="ALA", x=0.0, chain="A", **kwargs):
    """Four backbone atoms."""
    return "".join(
        atom(i + 1, atom_name, name, chain, number, x + i, **kwargs)
        for i, atom_name in enumerate(("N", "CA", "C", "O"))
    )


@pytest.fixture
def read(tmp_path):
    def read(text, name="1abc.pdb"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return read_structure(path)

    return read


def test_a_chain(read):
    text = residue(1) + residue(2, "TRP", 5.0) + residue(2, "GLY", 9.0, insertion="A") + "END\n"
    for name in ("1abc.pdb", "1abc.ent.gz"):
        structure = read(text, name)
        (chain,) = structure.chains
        assert (chain.name, len(chain)) == ("1abc_A", 3)
        assert chain.numbers == ("1", "2", "2A")
        assert chain.sequence == "AWG"
        assert chain.backbone.shape == (3, 4, 3)
        assert chain.backbone.dtype == np.float32
        assert chain.ca.tolist() == [[1, 2, 3], [6, 2, 3], [10, 2, 3]]
        assert structure.left_out == {}


def test_ca_traces_have_no_other_backbone_atoms(read):
    text = "".join(atom(i, "CA", "LYS", "B", i, 3.8 * i) for i in range(1, 5))
    (chain,) = read(text).chains
    assert len(chain) == 4
    assert np.isnan(chain.backbone[:, [0, 2, 3]]).all()
    assert np.isfinite(chain.ca).all()


def test_the_first_location_of_an_atom_counts(read):
    text = "".join(
        atom(i, name, "SER", "A", 1, x, alt=alt)
        for i, (name, alt, x) in enumerate(
            [("N", " ", 0), ("CA", "A", 1), ("CA", "B", 7), ("C", " ", 2), ("O", " ", 3)], 1
        )
    )
    (chain,) = read(text).chains
    assert chain.ca.tolist() == [[1, 2, 3]]


def test_the_first_model_counts(read):
    text = (
        "MODEL        1\n" + residue(1) + "ENDMDL\nMODEL        2\n" + residue(1, x=50) + "ENDMDL\n"
    )
    structure = read(text)
    assert structure.chains[0].ca.tolist() == [[1, 2, 3]]
    assert structure.left_out == {"models after the first": 1}


def test_what_is_no_residue_is_counted(read):
    text = (
        residue(1)
        + residue(2, "MSE", 4.0, kind="HETATM")
        + atom(9, "N", "LEU", "A", 3, 8.0)  # no CA
        + residue(4, "UNK", 12.0)
        + "TER\n"
        + atom(20, "CA", "CA", "A", 101, 30.0, kind="HETATM", element="CA")
        + atom(21, "C1", "HEM", "A", 102, 31.0, kind="HETATM")
        + atom(22, "O", "HOH", "A", 103, 32.0, kind="HETATM")
        + atom(23, "P", "DA", "C", 1, 40.0)
        + atom(24, "P", "DT", "C", 2, 44.0)
    )
    structure = read(text)
    (chain,) = structure.chains
    assert chain.sequence == "AMX"
    assert structure.left_out == {
        "residues without CA": 1,
        "ligands": 2,
        "waters": 1,
        "nucleotides": 2,
    }


def test_several_chains_in_the_order_of_the_file(read):
    structure = read(residue(1, chain="B") + "TER\n" + residue(1, chain="A", x=9) + "TER\n")
    assert [chain.name for chain in structure.chains] == ["1abc_B", "1abc_A"]


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("", "x.pdb", "no atoms"),
        ("", "x.cif", "no atoms"),
        ("HEADER    NOTHING\nEND\n", "x.pdb", "no atoms"),
        ("data_x\n", "x.cif", "no atoms"),
        ("this is no mmCIF", "x.cif", "not a readable structure: x.cif:1.*"),
        (atom(1, "P", "DA", "C", 1, 1.0), "x.pdb", r"no protein residue .* \(1 nucleotides\)"),
        (residue(1)[:70], "x.pdb", r"no protein residue with a CA atom \(1 residues without CA\)"),
    ],
)
def test_files_without_a_chain(read, text, name, reason):
    with pytest.raises(RecordError, match=f"^{reason}$") as caught:
        read(text, name)
    assert len(caught.value.reason) < 150


def test_a_truncated_download(tmp_path):
    path = tmp_path / "1abc.pdb.gz"
    path.write_bytes(gzip.compress((residue(1) * 200).encode())[:300])
    with pytest.raises(RecordError, match="not a readable structure"):
        read_structure(path)


def test_files_of_a_folder(tmp_path):
    for name in ("b.pdb", "a.cif.gz", "sub/c.ENT", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [str(path.relative_to(tmp_path)) for path in structure_files(tmp_path)]
    assert found == ["a.cif.gz", "b.pdb", "sub/c.ENT"]
    assert structure_files(tmp_path / "b.pdb") == [tmp_path / "b.pdb"]
    with pytest.raises(UserError, match="there is no file or folder"):
        structure_files(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no structures: expected files ending in \.pdb"):
        structure_files(tmp_path / "empty")


def test_chains_of_one_name_are_not_made_one(read):
    """Copies with the same numbers, as simulations and docking write them."""
    first = residue(1, "ALA", 0.0) + residue(2, "SER", 5.0)
    second = residue(1, "GLY", 50.0) + residue(2, "GLY", 55.0)
    for between in ("TER\n", ""):
        one, two = read(first + between + second).chains
        assert (one.name, one.sequence) == ("1abc_A", "AS")
        assert (two.name, two.sequence) == ("1abc_A-2", "GG")
        assert two.ca[:, 0].tolist() == [51, 56]
    homodimer = residue(1, x=0.0) + "TER\n" + residue(1, x=9.0)
    assert [chain.ca[0, 0] for chain in read(homodimer).chains] == [1, 10]
    with pytest.raises(RecordError, match="two chains of one name, atom by atom"):
        read(residue(1, x=0.0) + residue(1, x=9.0))  # nothing says where the second begins


def test_a_lost_insertion_code_costs_one_residue(read):
    text = residue(1) + residue(2, x=4.0) + residue(2, x=8.0) + residue(3, x=12.0)
    structure = read(text)
    assert structure.chains[0].numbers == ("1", "2", "3")
    assert structure.left_out == {"alternative residues": 1}


def test_rows_name_their_file(tmp_path):
    for name in ("1.pdb", "s/1.pdb", "s/cut.cif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("" if name.endswith("cif") else residue(1))
    found = list(chain_records(tmp_path))
    assert [record.file for record in found] == ["1.pdb", "s/1.pdb", "s/cut.cif"]
    assert [record.index for record in found] == [0, 1, 2]
    assert found[0].text == found[1].text == "1_A"  # alike, and told apart by the file
    (lone,) = chain_records(tmp_path / "s" / "1.pdb")
    assert lone.file == "1.pdb"
    assert next(iter(chain_records(lone.chain))).file is None


def test_a_break_is_no_end_of_a_chain(read):
    (chain,) = read(residue(1) + "TER\n" + residue(5, "GLY", 30.0)).chains
    assert (chain.name, chain.sequence, chain.numbers) == ("1abc_A", "AG", ("1", "5"))


def test_a_truncated_gzip_file_is_no_shorter_chain(tmp_path):
    whole = gzip.compress("".join(residue(i, x=4.0 * i) for i in range(200)).encode())
    path = tmp_path / "1ABC.PDB.GZ"
    path.write_bytes(whole)
    assert structure_files(tmp_path) == [path]
    assert read_structure(path).chains[0].name == "1ABC_A"
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(RecordError, match=r"not a readable structure: .*ended before"):
            read_structure(path)
