"""The command itself: light, helpful, and honest about errors."""

import subprocess
import sys
from pathlib import Path

import pytest

import molvec
from molvec.cli import main
from molvec.errors import UserError

HEAVY = ("torch", "rdkit", "numpy", "pandas", "pyarrow", "sklearn", "molvec.config")


def test_help_imports_nothing_heavy():
    """`molvec --help` and every verb's answer in a fraction of a second."""
    code = f"""
import sys
from molvec.cli import main
verbs = "pretrain embed finetune predict info demo doctor data".split()
for verb in [], ["data", "get"], *([verb] for verb in verbs):
    sys.argv = ["molvec", *verb, "--help"]
    try:
        main.run()
    except SystemExit as stop:
        assert not stop.code, (verb, stop.code)
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for verb in ("pretrain", "embed", "finetune", "predict", "info", "data", "demo", "doctor"):
        assert verb in done.stdout


def test_importing_the_package_is_light():
    code = f"import sys, molvec; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in molvec.__all__:
        assert getattr(molvec, name) is not None
    assert set(molvec.__all__) == set(dir(molvec))
    with pytest.raises(AttributeError, match="no attribute 'pretrian'"):
        molvec.pretrian  # noqa: B018


def test_version(cli):
    assert cli("--version") == (0, f"molvec {molvec.__version__}\n", "")


def test_help_names_every_verb_and_option(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = cli("-h")
    assert code == 0
    assert "--debug" in out
    code, out, _ = cli("pretrain", "--help")
    assert code == 0
    for option in ("--data", "--output", "--resume", "--steps", "--set", "--smiles-column"):
        assert option in out


def test_unknown_verb(cli):
    code, _, err = cli("pretrane")
    assert code == 2
    assert "No such command 'pretrane'" in err
    assert "Traceback" not in err


def test_a_message_of_many_lines_is_one_line(cli, monkeypatch):
    def fail(*arguments):
        raise UserError("first\nsecond\r\nthird")

    monkeypatch.setattr(main, "app", fail)
    assert cli("info") == (2, "", "molvec: first second third\n")


def test_a_bug_keeps_its_traceback(cli, monkeypatch):
    """Only what the user can mend is made short."""

    def fail(*arguments):
        raise RuntimeError("a bug")

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        cli("info")


def test_as_a_process():
    """The real thing once: one line, exit code 2, no traceback; with --debug the traceback."""
    command = [sys.executable, "-m", "molvec.cli.main", "data", "get", "zink"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("molvec: ")
    assert "Did you mean 'zinc'?" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = subprocess.run([*command, "--debug"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("molvec.errors.UserError: ")


def test_data_list(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = cli("data", "list")
    assert (code, err) == (0, "")
    assert {"nci", "zinc"} <= {line.split()[0] for line in out.splitlines()}


def test_user_errors_of_data(refused):
    assert "Did you mean 'zinc'?" in refused("data", "get", "zink")


def test_the_entry_point_is_the_one_tested():
    text = (Path(molvec.__file__).parents[1] / "pyproject.toml").read_text()
    assert 'molvec = "molvec.cli.main:run"' in text
