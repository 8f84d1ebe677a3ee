"""SMILES files: every line is a row."""

import pytest

from molvec.errors import UserError
from molvec.records import read_records


def smiles_of(path, content):
    path.write_bytes(content)
    return [record.smiles for record in read_records(path)]


@pytest.mark.parametrize("suffix", [".smi", ".smiles", ".txt", ".SMI"])
def test_suffixes(tmp_path, suffix):
    assert smiles_of(tmp_path / f"a{suffix}", b"CCO ethanol\nN\n") == ["CCO ethanol", "N"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"C\nN", ["C", "N"]),
        (b"C\nN\n", ["C", "N"]),  # one trailing newline is no row
        (b"C\n\nN\n", ["C", None, "N"]),
        (b"C\n   \nN\n\n", ["C", None, "N", None]),
        (b"\nC\n", [None, "C"]),
        (b"C\r\nN\r\n", ["C", "N"]),
        (b"\xef\xbb\xbfC\nN\n", ["C", "N"]),
        (b"\tC\t1\n", ["C\t1"]),
        ("C caf\u00e9\n".encode(), ["C caf\u00e9"]),
    ],
)
def test_rows(tmp_path, content, expected):
    assert smiles_of(tmp_path / "a.smi", content) == expected


def test_undecodable_bytes_name_the_line(tmp_path):
    with pytest.raises(UserError, match=r"a\.smi, line 2: not UTF-8 text .*byte 0xe9"):
        smiles_of(tmp_path / "a.smi", b"C\nC caf\xe9\n")


def test_utf16(tmp_path):
    with pytest.raises(UserError, match="line 1: not UTF-8"):
        smiles_of(tmp_path / "a.txt", "CCO\nC\n".encode("utf-16"))


def test_old_line_ends_do_not_swallow_molecules(tmp_path):
    with pytest.raises(UserError, match="line 1: bare carriage return"):
        smiles_of(tmp_path / "a.smi", b"CCO\rCCN\rC\r")


def test_no_columns(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("C\n")
    with pytest.raises(UserError, match="has no columns: drop --smiles-column"):
        list(read_records(path, smiles_column="smiles"))
