"""``molvec info``: what a model is, and what is shipped."""

import shutil

import pytest

import molvec
from molvec.data.network_card import list_networks


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")


def pairs(out):
    lines = (line.strip() for line in out.splitlines())
    return {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in lines if "  " in line}


def test_a_run(cli, run):
    code, out, err = cli("info", run.folder)
    assert (code, err) == (0, "")
    shown = pairs(out)
    assert shown["model"] == str(run.model)
    assert shown["encoder"] == "family graph_transformer, dim 64, depth 3, heads 4, local False"
    assert shown["embedding"] == "64 numbers per molecule (mean), 64 per atom"
    assert shown["features"].startswith("element, charge")
    assert shown["trained"].startswith("40 of 40 steps, 320 molecules, 640 masked views, ")
    assert shown["seed"] == "0"
    assert shown["data"].endswith("molecules.smi")


def test_the_number_of_parameters(cli, run, embedder):
    count = sum(p.numel() for p in embedder.encoder.parameters())
    assert pairs(cli("info", run.model)[1])["parameters"] == f"{count:,}"


def test_a_path_is_not_markup(cli, run, tmp_path):
    folder = shutil.copytree(run.model, tmp_path / "runs [old] v1")
    code, out, _ = cli("info", folder)
    assert code == 0
    assert pairs(out)["model"] == str(folder)


def test_what_is_shipped(cli):
    code, out, _ = cli("info")
    assert code == 0
    assert pairs(out) == {
        "molvec": molvec.__version__,
        "models": "pdb-3d, qm9-3d, zinc-2d, zinc-2d-mini",
        "recipes": "kg, nci, pdb, ppi, qm9, zinc, zinc-2d, zinc-2d-mini",
        "data sets": pairs(out)["data sets"],
        "networks": ", ".join(list_networks()),
        "trajectories": "rmd17",
    }
    assert {"nci", "zinc"} <= set(pairs(out)["data sets"].split(", "))


def test_no_model(refused, tmp_path):
    assert "there is no model 'no-such'" in refused("info", "no-such")
    assert "is not a model" in refused("info", tmp_path)


def test_a_model_that_predicts(cli, tuned):
    code, out, _ = cli("info", tuned)
    assert code == 0
    assert pairs(out)["predicts"] == "atoms, rings (regression)"
