"""``molvec demo``: from nothing to a report, and again from there."""

import signal

import pandas as pd
import pytest

import molvec.corpus
import molvec.demo
from molvec.config import load_settings
from molvec.data.store import build_store, open_store
from molvec.evaluate.properties import FUNCTIONAL_GROUPS
from molvec.records import Record
from molvec.train.log import read_lines

STEPS = ("--steps", "5")


ROWS = 250


@pytest.fixture(autouse=True)
def _small(monkeypatch, tmp_path_factory):
    """The first rows of the set, a narrow encoder: seconds instead of minutes."""
    whole = open_store("nci")
    rows = (Record(i, smiles=whole[i] if i % 40 else "garbage") for i in range(ROWS))
    store = build_store(rows, tmp_path_factory.mktemp("store") / "nci")
    monkeypatch.setattr(molvec.demo, "open_store", lambda source: store)
    monkeypatch.setattr(molvec.corpus, "open_store", lambda source, smiles_column: store)
    small = {"encoder.dim": 32, "encoder.depth": 2, "encoder.heads": 2, "data.workers": 0}

    def load(recipe, overrides=None):
        return load_settings(recipe, (small if recipe == "nci" else {}) | (overrides or {}))

    monkeypatch.setattr(molvec.demo, "load_settings", load)


def test_demo(cli, refused, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "out"
    code, out, err = cli("demo", "-o", folder, *STEPS)
    assert (code, err) == (0, "")
    assert str(folder / "report.html") in out
    table = pd.read_csv(folder / "probe.csv")
    assert set(table["representation"]) >= {"pretrained", "random start"}
    for name in ("pretrained", "random start"):
        rows = table[table["representation"] == name]
        assert set(rows["property"]) == set(FUNCTIONAL_GROUPS)
    for name in FUNCTIONAL_GROUPS:
        assert name in out
    html = (folder / "report.html").read_text()
    assert html.startswith("<!doctype html>")
    assert "random start" in html
    assert f"{ROWS * 4 // 5} molecules" in html
    assert "skipped " in html
    assert [line["step"] for line in read_lines(folder / "run" / "metrics.jsonl")] == [5]

    # The same command again continues: nothing is trained twice, the numbers are the same.
    weights = (folder / "run" / "model" / "model.safetensors").read_bytes()
    (folder / "report.html").unlink()
    code, _, _ = cli("demo", "-o", folder, *STEPS)
    assert code == 0
    assert (folder / "report.html").exists()
    assert (folder / "run" / "model" / "model.safetensors").read_bytes() == weights
    pd.testing.assert_frame_equal(pd.read_csv(folder / "probe.csv"), table)

    # Other settings are another demo.
    for other in (("--steps", "6"), (*STEPS, "--seed", "1")):
        message = refused("demo", "-o", folder, *other)
        assert "holds a run with other settings; remove it or use --output" in message
    assert (folder / "run" / "model" / "model.safetensors").read_bytes() == weights


def test_output_that_cannot_be_made(refused, tmp_path):
    (tmp_path / "file").touch()
    assert "cannot write to" in refused("demo", "-o", tmp_path / "file" / "out", *STEPS)


def test_no_steps(refused, tmp_path):
    assert "setting steps" in refused("demo", "-o", tmp_path / "out", "--steps", "0")


def test_interrupted(cli, tmp_path, monkeypatch):
    """Ctrl-C ends with the code of an interrupted program; the same command goes on."""

    def update(self, progress, values, steps):
        if progress.step == 20:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("molvec.cli.display.TrainingDisplay.update", update)
    folder = tmp_path / "out"
    code, out, err = cli("demo", "-o", folder, "--steps", "25")
    assert (code, out) == (130, "")
    assert err == "molvec: stopped at step 21; the same command continues\n"
    assert cli("demo", "-o", folder, "--steps", "25")[0] == 0
    assert (folder / "report.html").exists()
