"""``molvec benchmark``."""

import re
import signal

import pandas as pd
import pytest

FAST = ("--split", "random", "--seeds", 1, "--trees", 10, "--jobs", 1, "--head", "linear")


@pytest.fixture
def table(tmp_path, smiles):
    path = tmp_path / "mine.csv"
    labels = [int("O" in text) for text in smiles]
    pd.DataFrame({"S": smiles, "y1": labels, "word": ["yes"] * 48, "one": [1] * 48}).to_csv(
        path, index=False
    )
    return path


def arguments(table, *more, target="y1"):
    base = ("--data", table, "--smiles-column", "S", "--target", target)
    return ("benchmark", *base, "--task", "classification", *FAST, *more)


def test_own_data(cli, table, run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    output = tmp_path / "out"
    code, out, err = cli(*arguments(table, "-o", output, "--model", run.folder))
    assert code == 0
    assert f"report in {output / 'report.html'}" in " ".join(out.split())
    for name in ("pretrained", "random start", "ECFP4 counts", "RDKit descriptors"):
        assert name in out
        assert re.search(rf"mine: {name}, linear, seed 0: roc_auc [01]\.\d+ \(\d+ s\)", err)
    assert "scaffold" not in pd.read_csv(output / "results.csv")["split"].unique()


def test_default_folder(cli, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli(*arguments(table))[0] == 0
    assert (tmp_path / "runs" / "benchmark-mine-baselines" / "results.csv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(cli, table, tmp_path, monkeypatch, number):
    def interrupt(*args, **options):
        signal.raise_signal(number)

    monkeypatch.setattr("molvec.benchmarking.jobs.frozen_cell", interrupt)
    code, out, err = cli(*arguments(table, "-o", tmp_path / "out"))
    assert (code, out) == (128 + number, "")
    assert err.endswith(f"stopped; the same command continues in {tmp_path / 'out'}\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("benchmark", "molculenet"), "Did you mean 'moleculenet'?"),
        (("benchmark", "bbbp", "--target", "y"), "go with --data"),
        (("benchmark", "bbbp", "--data", "x.csv", "--target", "y"), "not both"),
        (("benchmark", "--data", "x.csv"), "--target NAME"),
        (("benchmark", "--data", "x.csv", "--target", "y"), "--task classification or"),
        (
            ("benchmark", "--data", "x.csv", "--target", "y", "--task", "regression"),
            "there is no file x.csv",
        ),
        (("benchmark", "bbbp", "--protocol", "froze"), "Did you mean 'frozen'?"),
        (("benchmark", "bbbp", "--head", "svm"), "there is no head 'svm'"),
        (("benchmark", "bbbp", "--set", "epoch=3"), "Did you mean 'epochs'?"),
        (("benchmark", "bbbp", "--model", "nowhere"), "nowhere"),
        (("benchmark", "kg", "codex"), "Did you mean 'codex-s'?"),
        (("benchmark", "kg", "umls", "--head", "mlp"), "--head has no meaning for the suite kg"),
        (("benchmark", "kg", "umls", "--model", "nowhere", "--seeds", 1), "nowhere"),
        (("benchmark", "kg", "umls", "--set", "step=3"), "Did you mean 'steps'?"),
    ],
)
def test_mistakes(refused, given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*given)


@pytest.mark.parametrize(
    ("target", "message"),
    [("word", "labels must be numbers"), ("one", "only the class 1"), ("y2", "no column 'y2'")],
)
def test_labels_that_cannot_be_learned(refused, table, target, message, tmp_path):
    assert message in refused(*arguments(table, "-o", tmp_path / "out", target=target))
