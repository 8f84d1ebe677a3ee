"""``molvec data``: what it prints, and which errors it raises."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from molvec.cli.data import app
from molvec.errors import UserError
from tests.data.network_toys import networks  # noqa: F401


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MOLVEC_MIRROR", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "cache"


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def words_of(output, name):
    return next(line.split() for line in output.splitlines() if line.split()[:1] == [name])


def test_list(cache):
    result = run("list")
    assert result.exit_code == 0
    assert words_of(result.output, "name") == [
        *("name", "rows", "labels", "licence", "where", "title")
    ]
    assert {"4,999", "embedded"} <= set(words_of(result.output, "nci"))
    zinc = words_of(result.output, "zinc")
    assert {"1,584,663", "MIT"} <= set(zinc)
    assert "not downloaded" in " ".join(zinc)
    tox21 = ["tox21", "7,831", "12", "yes/no", "not", "stated", "not", "downloaded"]
    assert words_of(result.output, "tox21")[:8] == tox21
    assert words_of(result.output, "qm8")[2:4] == ["16", "values"]
    assert words_of(result.output, "esol")[2:4] == ["1", "value"]
    assert words_of(result.output, "zinc")[2] == "none"
    assert words_of(result.output, "pcg")[:4] == ["pcg", "37,351", "15", "yes/no"]
    assert words_of(result.output, "rmd17")[:3] == ["rmd17", "9,633", "forces"]
    assert words_of(result.output, "wn18rr")[:3] == ["wn18rr", "86,828", "triples"]
    assert len(result.output.splitlines()) == 34  # one line each


def test_list_has_a_line_each_on_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("list").output.splitlines()
    assert len(lines) == 34
    assert max(map(len, lines)) <= 80
    assert words_of("\n".join(lines), "lipophilicity")[1:4] == ["4,200", "1", "value"]


def test_list_shows_damage(cache):
    path = cache / "datasets" / "zinc" / "train.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert "damaged" in words_of(run("list").output, "zinc")


def test_get():
    result = run("get", "nci")
    assert result.exit_code == 0
    assert result.output.strip().endswith("first_5K.smi")


def test_get_unknown():
    result = run("get", "zink")
    assert isinstance(result.exception, UserError)
    assert "Did you mean 'zinc'?" in str(result.exception)


def test_verify_one():
    result = run("verify", "nci", "--parse")
    assert result.exit_code == 0
    assert result.output.startswith("nci: 4,999 rows, 8 of them no molecules, sha256 fits")


def test_verify_all():
    result = run("verify")
    assert result.exit_code == 0
    assert "nci: 4,999 rows, sha256 fits (embedded" in result.output
    assert "zinc: not downloaded" in result.output.splitlines()
    assert "pcg: not downloaded" in result.output.splitlines()
    assert "rmd17: not downloaded" in result.output.splitlines()


def test_verify_and_get_trajectories_that_are_not_here():
    for command, part in (
        ("verify", "rmd17 is not on this machine; run: molvec data get rmd17"),
        ("get", "Nobody serves this form of it: set MOLVEC_MIRROR"),
    ):
        result = run(command, "rmd17")
        assert isinstance(result.exception, UserError)
        assert part in str(result.exception)


def test_verify_what_is_not_here():
    result = run("verify", "zinc")
    assert isinstance(result.exception, UserError)
    assert "run: molvec data get zinc" in str(result.exception)


def test_networks(networks):  # noqa: F811
    files = run("get", "triples").output.splitlines()
    names = {file.rpartition("/")[2] for file in files}
    assert names == {"train.txt", "valid.txt", "test.txt"}
    expected = "tables: 4 nodes, 2 edges, 2 labels, sha256 fits (mirror)"
    assert run("verify", "tables").output.strip() == expected
    assert expected in run("verify").output.splitlines()
    (networks.parent / "mirror" / "triples" / "test.txt").unlink()
    assert "triples: not downloaded" in run("verify").output.splitlines()
    assert "run: molvec data get triples" in str(run("verify", "triples").exception)


def test_verify_finds_damage(cache):
    path = cache / "datasets" / "zinc" / "train.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    result = run("verify")
    assert isinstance(result.exception, UserError)
    assert "is damaged" in str(result.exception)


def test_import_is_light():
    code = (
        "import sys, molvec.cli.data; "
        "print(sorted({'torch', 'rdkit', 'pandas', 'pydantic', 'pooch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
