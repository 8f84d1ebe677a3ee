"""Whole-file troubles: each is one clear message."""

import gzip

import pytest

from molvec.errors import UserError
from molvec.records import Record, read_records
from molvec.records.read import READERS


def failure(path, **kwargs):
    with pytest.raises(UserError) as caught:
        list(read_records(path, **kwargs))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_file_is_refused_at_the_call(tmp_path):
    (tmp_path / "molecules.csv").write_text("smiles\nC\n")
    path = tmp_path / "molecule.csv"
    with pytest.raises(UserError, match="there is no file"):
        read_records(path)
    assert failure(path) == f"there is no file {path}. Did you mean 'molecules.csv'?"


def test_missing_folder(tmp_path):
    path = tmp_path / "nowhere" / "a.csv"
    assert failure(path).endswith(f"There is no folder {path.parent} either.")


@pytest.mark.parametrize("name", ["folder", "folder.csv"])
def test_folder(tmp_path, name):
    (tmp_path / name).mkdir()
    assert failure(tmp_path / name).startswith(
        f"{tmp_path / name} is a folder; give one file (for the structures of proteins: "
    )


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.gz", "a.parquet.gz", "a.xlsx.gz"])
def test_unknown_suffix(tmp_path, name):
    (tmp_path / name).write_text("C\n")
    message = failure(tmp_path / name)
    assert "must end in one of .smi, .smiles, .txt, .csv, .tsv, .parquet, .sdf" in message


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_empty_file(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"")
    assert failure(path) == f"{path} is empty"


@pytest.mark.parametrize("suffix", [".smi", ".csv", ".tsv", ".sdf"])
def test_empty_gzip(tmp_path, suffix):
    path = tmp_path / f"a{suffix}.gz"
    path.write_bytes(gzip.compress(b""))
    assert failure(path) == f"{path} is empty"


@pytest.mark.parametrize("name", ["a.smi.gz", "a.SMI.GZ", "a.b.smiles.gz"])
def test_gzip(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"C\nCC\n"))
    assert list(read_records(tmp_path / name)) == [Record(0, "C"), Record(1, "CC")]


@pytest.mark.parametrize("suffix", [".smi", ".csv"])
def test_truncated_gzip(tmp_path, suffix):
    rows = [f"C{i}" for i in range(100_000)]
    whole = gzip.compress("\n".join(["smiles", *rows]).encode())
    path = tmp_path / f"a{suffix}.gz"
    path.write_bytes(whole[: len(whole) // 2])
    records = []
    with pytest.raises(UserError) as caught:
        records.extend(read_records(path))
    assert 20_000 < len(records) < 80_000
    assert str(caught.value) == (
        f"{path} is truncated: the compressed data ends early, after {len(records):,} rows"
    )
    texts = [record.smiles for record in records]
    assert texts == (["smiles", *rows] if suffix == ".smi" else rows)[: len(records)]


def test_not_gzip_at_all(tmp_path):
    path = tmp_path / "a.smi.gz"
    path.write_text("CCO\n")
    assert "is not a sound gzip file" in failure(path)


def test_damaged_gzip(tmp_path):
    whole = bytearray(gzip.compress(b"CCO\n" * 50))
    whole[-6] ^= 0xFF  # the checksum
    path = tmp_path / "a.smi.gz"
    path.write_bytes(whole)
    assert "is not a sound gzip file: CRC check failed" in failure(path)


def test_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "a.smi"
    path.write_text("C\n")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert failure(path) == f"cannot read {path}: Permission denied"


def test_an_error_of_the_caller_is_not_mistaken_for_one_of_the_file(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("C\n")

    def use():
        for _ in read_records(path):
            raise EOFError("mine")

    with pytest.raises(EOFError, match="mine"):
        use()


def test_streams(tmp_path):
    """The first rows arrive although the file is broken further down."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"smiles\n" + b"CCO\n" * 500_000 + b"\xff\n")
    records = read_records(path)
    assert next(records) == Record(0, "CCO")
    with pytest.raises(UserError, match="line 500002: not UTF-8"):
        list(records)
