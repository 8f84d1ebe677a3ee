"""``molvec predict`` as typed."""

import errno

import pandas as pd
import pytest

import molvec
from molvec.embed import file as file_module


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "mols.csv"
    path.write_text("id,Structure_SMI\n1,CCO\n2,CCN\n3,garbage\n4,\n5,c1ccccc1O\n")
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_predict(suffix, cli, tuned, table, tmp_path):
    output = tmp_path / f"out.{suffix}"
    code, out, err = cli(
        "predict", table, "-m", tuned, "-o", output, "--smiles-column", "Structure_SMI"
    )
    assert (code, out) == (0, f"5 rows in {output}\n")
    assert err.startswith("no prediction for 2 of 5 rows: ")
    assert "1 not valid SMILES (row 2)" in err
    frame = pd.read_csv(output) if suffix == "csv" else pd.read_parquet(output)
    assert list(frame.columns) == ["row", "smiles", "error", "atoms", "rings"]
    assert list(frame["row"]) == [0, 1, 2, 3, 4]
    assert frame["error"][2] == "not valid SMILES"
    assert list(frame["error"].isna()) == [True, True, False, False, True]
    assert list(frame["atoms"].isna()) == [False, False, True, True, False]
    expected = molvec.load(tuned, device="cpu").predict(["CCO", "CCN", "c1ccccc1O"])
    kept = frame.dropna(subset="atoms")
    assert abs(kept[["atoms", "rings"]].to_numpy() - expected.to_numpy()).max() < 1e-5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mols.csv", f"out.{suffix}"]


def test_nothing_skipped_nothing_said(cli, tuned, smiles_file, tmp_path):
    code, out, err = cli("predict", smiles_file, "-o", tmp_path / "out.csv", "-m", tuned)
    assert (code, err) == (0, "")
    assert out.startswith("48 rows in ")


def test_max_atoms(cli, tuned, smiles_file, tmp_path):
    options = ("--max-atoms", 10, "--device", "cpu")
    code, _, err = cli("predict", smiles_file, "-o", tmp_path / "o.csv", "-m", tuned, *options)
    assert code == 0
    assert "atoms, more than the limit of 10" in err


def test_a_model_that_only_embeds(refused, run, table, tmp_path):
    message = refused("predict", table, "-o", tmp_path / "out.csv", "-m", run.folder)
    assert "no targets to predict; teach it some: molvec finetune --data FILE" in message
    assert [path.name for path in tmp_path.iterdir()] == ["mols.csv"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("out.xlsx", "must end in .parquet or .csv"),
        ("none/out.csv", "there is no folder"),
        ("mols.csv", "is the input itself"),
    ],
)
def test_wrong_output(name, part, refused, tuned, table, tmp_path):
    before = table.read_bytes()
    column = ("--smiles-column", "Structure_SMI")
    assert part in refused("predict", table, "-o", tmp_path / name, "-m", tuned, *column)
    assert table.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mols.csv"]


def test_wrong_input(refused, tuned, table, tmp_path):
    command = ("-o", tmp_path / "out.csv", "-m", tuned)
    assert "pass --smiles-column" in refused("predict", table, *command)
    assert "there is no file" in refused("predict", tmp_path / "mol.csv", *command)
    assert "there is no model" in refused("predict", table, "-o", "x.csv", "-m", tmp_path / "none")


def test_disk_full(refused, tuned, smiles_file, tmp_path, monkeypatch):
    def full(path, schema, parquet):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_module, "_writer", full)
    output = tmp_path / "out.csv"
    output.write_text("old")
    message = refused("predict", smiles_file, "-o", output, "-m", tuned)
    assert message == f"cannot write {output}: No space left on device"
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
