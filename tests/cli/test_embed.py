"""``molvec embed`` as typed."""

import errno
import json
import shutil

import pyarrow.parquet as pq
import pytest

from molvec.embed import file as file_module
from molvec.errors import UserError


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "mols.csv"
    path.write_text("id,Structure_SMI,activity\n1,CCO,0.5\n2,CCN,0.1\n3,garbage,\n4,c1ccccc1O,1\n")
    return path


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run.model, tmp_path / "copy")


def test_embed(cli, run, table, tmp_path):
    output = tmp_path / "out.parquet"
    code, out, err = cli(
        "embed", table, "-o", output, "-m", run.folder, "--smiles-column", "Structure_SMI"
    )
    assert code == 0
    assert out == f"4 rows in {output}\n"
    assert err == "no embedding for 1 of 4 rows: 1 not valid SMILES (row 2)\n"
    assert pq.read_table(output)["embedding"].null_count == 1


def test_nothing_skipped_nothing_said(cli, run, smiles_file, tmp_path):
    code, out, err = cli("embed", smiles_file, "-o", tmp_path / "out.csv", "-m", run.model)
    assert (code, err) == (0, "")
    assert out.startswith("48 rows in ")


def test_options(cli, run, smiles_file, tmp_path):
    output = tmp_path / "out.parquet"
    options = ("--level", "node", "--max-atoms", 10, "--device", "cpu")
    code, _, err = cli("embed", smiles_file, "-o", output, "-m", run.folder, *options)
    assert code == 0
    assert err.startswith("no embedding for ")
    assert "atoms, more than the limit of 10" in err
    lengths = [len(rows) for rows in pq.read_table(output)["embedding"].to_pylist() if rows]
    assert max(lengths) <= 10
    assert len(set(lengths)) > 1


# --- what is refused: one line, exit code 2, nothing lost ---------------------------------------


def test_wrong_column(refused, run, table, tmp_path):
    command = ("embed", table, "-o", tmp_path / "out.csv", "-m", run.folder)
    message = refused(*command)
    assert "no column is named smiles; pass --smiles-column" in message
    assert "'id', 'Structure_SMI', 'activity'" in message
    message = refused(*command, "--smiles-column", "structure_smi")
    assert "no column 'structure_smi'. Did you mean 'Structure_SMI'?" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mols.csv"]


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.smi", b"", "a.smi is empty"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"smiles\n", "has a header but no rows"),
        ("a.parquet", b"", "a.parquet is empty"),
        ("a.parquet", b"PAR1 and then nothing", "truncated or not a Parquet file"),
        ("a.smi.gz", b"\x1f\x8b\x08\x00 cut", "a.smi.gz"),
        ("a.smi", b"CCO\n\xff\xfe\n", "line 2: not UTF-8"),
        ("a.xlsx", b"", "the file name must end in one of"),
        ("a.pdb.gz", b"", "is a structure; molecules are read from .smi"),
        ("a.csv", b'smiles\n"CCO\n', "check the quotes"),
    ],
)
def test_wrong_input(name, content, part, refused, run, tmp_path):
    (tmp_path / name).write_bytes(content)
    message = refused("embed", tmp_path / name, "-o", tmp_path / "out.parquet", "-m", run.folder)
    assert part in message
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_missing_input(refused, run, smiles_file, tmp_path):
    near = smiles_file.with_name("molecule.smi")
    message = refused("embed", near, "-o", tmp_path / "out.csv", "-m", run.folder)
    assert "there is no file" in message
    assert "Did you mean 'molecules.smi'?" in message
    assert "is a folder; give one file" in refused(
        "embed", tmp_path, "-o", tmp_path / "out.csv", "-m", run.folder
    )


def test_missing_model(refused, smiles_file, tmp_path):
    message = refused("embed", smiles_file, "-o", tmp_path / "out.csv", "-m", tmp_path / "none")
    assert "there is no model" in message
    assert "molvec pretrain" in message


def test_damaged_model(refused, smiles_file, copy, tmp_path):
    command = ("embed", smiles_file, "-o", tmp_path / "out.csv", "-m", copy)
    config, weights = copy / "config.json", copy / "model.safetensors"
    text, data = config.read_text(), weights.read_bytes()

    weights.write_bytes(data[: len(data) // 2])
    assert "model.safetensors is missing or damaged" in refused(*command)
    weights.write_bytes(data)
    config.write_text(text[: len(text) // 2])
    assert "config.json is damaged or unreadable" in refused(*command)
    config.write_text(json.dumps(json.loads(text) | {"format_version": 99}))
    assert "has format version 99, this molvec reads" in refused(*command)
    config.write_text(text.replace('"dim": 64', '"dim": 32'))
    assert "does not fit this molvec" in refused(*command)
    config.write_text(text)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("out.xlsx", "must end in .parquet or .csv"),
        ("none/out.csv", "there is no folder"),
        ("mols.csv/out.csv", "there is no folder"),
        ("mols.csv", "is the input itself"),
        (".", "must end in"),
    ],
)
def test_wrong_output(name, part, refused, run, table, tmp_path):
    before = table.read_bytes()
    column = ("--smiles-column", "Structure_SMI")
    message = refused("embed", table, "-o", tmp_path / name, "-m", run.folder, *column)
    assert part in message
    assert table.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mols.csv"]


def test_disk_full(refused, run, smiles_file, tmp_path, monkeypatch):
    def full(path, schema, parquet):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file_module, "_writer", full)
    output = tmp_path / "out.csv"
    output.write_text("old")
    message = refused("embed", smiles_file, "-o", output, "-m", run.folder)
    assert message == f"cannot write {output}: No space left on device"
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--level", "atom"], "--level must be graph or node, got 'atom'"),
        (["--device", "gpu"], "cannot use device 'gpu'"),
        (["--level", "node"], "write .parquet instead"),
    ],
)
def test_wrong_options(options, part, refused, run, smiles_file, tmp_path):
    command = ("embed", smiles_file, "-o", tmp_path / "out.csv", "-m", run.folder)
    assert part in refused(*command, *options)


def test_usage_errors(cli, smiles_file, tmp_path):
    """What typer itself refuses: also exit code 2, also no traceback."""
    for options in (["--max-atoms", "0"], ["--max-atoms", "many"], ["--model"], ["--colour"]):
        code, _, err = cli("embed", smiles_file, "-o", tmp_path / "o.csv", "-m", "x", *options)
        assert code == 2
        assert options[0] in err
        assert "Traceback" not in err


@pytest.mark.parametrize("place", [0, 1, 6])
def test_debug_shows_the_traceback(place, cli, smiles_file, tmp_path):
    """Wherever it stands: one repeats a command with --debug after it."""
    command = ["embed", smiles_file, "-o", tmp_path / "out.csv", "-m", tmp_path / "none"]
    command.insert(place, "--debug")
    with pytest.raises(UserError, match="there is no model"):
        cli(*command)


def test_the_shipped_model_is_used_where_none_is_named(cli, smiles_file, tmp_path):
    code, _, err = cli("embed", smiles_file, "-o", tmp_path / "out.csv")
    assert (code, err) == (0, "")
    named = cli("embed", smiles_file, "-o", tmp_path / "named.csv", "-m", "zinc-2d")
    assert named[0] == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()
