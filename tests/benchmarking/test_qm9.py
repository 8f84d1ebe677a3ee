"""``molvec benchmark qm9`` on molecules made up here."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from molvec.benchmarking import qm9_jobs
from molvec.benchmarking.qm9 import benchmark_qm9, smaller
from molvec.config import load_settings
from molvec.data.qm9_labelled import load_qm9, qm9_split
from molvec.errors import UserError
from molvec.evaluate.cells import CellKey
from molvec.evaluate.pooled_atoms import element_counts
from molvec.pretraining import pretrain
from molvec.records import Conformer
from tests.qm9 import made_up

OVERRIDES = {"epochs": 2, "batch_size": 8}


@pytest.fixture
def small_qm9(monkeypatch, tmp_path):
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    return made_up(monkeypatch, tmp_path, spread=0.1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    rows = "".join(f"3\nm\nH 0 0 0\nC {1 + i / 10} 0 0\nO 0 1 {i / 10}\n" for i in range(8))
    (folder / "m.xyz").write_text(rows)
    tiny = {
        "data.source": str(folder / "m.xyz"),
        "data.workers": 0,
        "encoder.preset": "tiny",
        "encoder.dim": 16,
        "steps": 2,
        "batch_size": 4,
        "accelerator": "cpu",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLVEC_CACHE", str(folder / "cache"))
        return str(pretrain(load_settings("qm9", tiny), output=folder / "run").folder)


def test_frozen_and_fine_tuned_with_what_stands_beside(small_qm9, model, tmp_path):
    lines = []
    arguments = {
        "names": ["homo", "mu"],
        "model": model,
        "output": tmp_path / "out",
        "seeds": 2,
        "overrides": OVERRIDES,
        "protocol": ("frozen", "finetune"),
        "fraction": (0.5, 1.0),
        "draws": 2,
    }
    result = benchmark_qm9(**arguments, report=lines.append)
    frame = pd.read_csv(tmp_path / "out" / "results.csv")
    frozen = frame[(frame.protocol == "frozen") & (frame.label == "mu")]
    assert dict(zip(frozen.representation, frozen.unit, strict=False)) == dict.fromkeys(
        ["pretrained", "random start", "extended Hückel", "xTB", "counts of the elements"], "D"
    )
    counts = frozen.set_index(["representation", "fraction"]).num_values
    assert counts["pretrained", 1.0] == 1
    assert counts["random start", 1.0] == counts["pretrained", 0.5] == 2
    assert counts["random start", 0.5] == 4
    mae = frozen.set_index(["representation", "fraction"]).mae
    assert mae["counts of the elements", 1.0] < 0.01  # every label is the number of atoms
    tuned = frame[frame.protocol == "finetune"]
    assert set(tuned.representation) == {"pretrained", "trained from scratch"}
    assert (tuned.num_values == 2).all()
    assert result.table == (tmp_path / "out" / "results.md").read_text()
    assert "| MAE, frozen, 50% of the labels | homo, eV | mu, D |" in result.table
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert record["molecules"] == [30, 15, 15]
    assert record["finetune"]["noise"] == 0.05  # QM9's default
    assert record["finetune"]["epochs"] == 2
    assert len(record["cells"]) == 6 * (2 + 1) + 2 * 2 * 2

    again = []
    kept = benchmark_qm9(**arguments, report=again.append)
    assert kept.table == result.table
    assert all("kept" in line for line in again[1:])
    assert not any("kept" in line for line in lines)


def test_the_program_of_a_row_is_missing(small_qm9, model, tmp_path, no_tblite):
    lines = []
    arguments = {"names": ["mu"], "model": model, "fraction": (1.0,), "seeds": 1}
    result = benchmark_qm9(**arguments, output=tmp_path / "out", report=lines.append)
    assert "xTB: not computed: " in "\n".join(lines)
    assert "| xTB |" not in result.table
    assert "| pretrained |" in result.table


def test_an_interrupted_call_goes_on(small_qm9, model, tmp_path, monkeypatch):
    arguments = {"names": ["mu"], "model": model, "fraction": (1.0,), "seeds": 1}
    whole = benchmark_qm9(**arguments, output=tmp_path / "whole")
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "other-cache"))

    class Cut(Exception):
        pass

    def stop(line):
        if "random start" in line:
            raise Cut

    with pytest.raises(Cut):
        benchmark_qm9(**arguments, output=tmp_path / "cut", report=stop)
    lines = []
    result = benchmark_qm9(**arguments, output=tmp_path / "cut", report=lines.append)
    assert [line.endswith("kept)") for line in lines[1:]] == [True, True, False, False, False]
    assert result.table == whole.table


def test_a_folder_of_another_model_is_left_alone(small_qm9, model, tmp_path):
    arguments = {"names": ["mu"], "fraction": (1.0,), "seeds": 1, "output": tmp_path / "out"}
    benchmark_qm9(**arguments, model=model)
    before = (tmp_path / "out" / "results.json").read_bytes()
    with pytest.raises(UserError, match="holds the results of another model"):
        benchmark_qm9(**arguments, model="qm9-3d")
    assert (tmp_path / "out" / "results.json").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "needs --model, a model of conformers, e.g. qm9-3d"),
        ({"model": "zinc-2d"}, "zinc-2d is a model of molecules; QM9 needs one of conformers"),
        ({"model": "pdb-3d"}, "pdb-3d is a model of proteins"),
        ({"model": "nowhere"}, "nowhere"),
        ({"names": ["gaps"]}, "QM9 has no label 'gaps'. Did you mean 'gap'"),
        ({"protocol": ("froze",)}, "QM9 has no protocol 'froze'. Did you mean 'frozen'"),
        ({"fraction": (0.0,)}, "fractions of the labels must be above 0 and at most 1"),
        ({"overrides": {"seed": 3}}, "do not set seed"),
        ({"overrides": {"epoch": 3}}, "Did you mean 'epochs'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(changes, message, tmp_path):
    arguments = {"model": "qm9-3d", "output": tmp_path / "out", **changes}
    with pytest.raises(UserError, match=message):
        benchmark_qm9(**arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot write to"):
        benchmark_qm9(model="qm9-3d", output=tmp_path / "out")


def test_choices_test_on_validation_rows(small_qm9):
    data = load_qm9(("homo",))
    split = qm9_split(data)
    fewer, parts = smaller(data, split, train=10, valid=6, part="valid")
    assert [len(parts.train), len(parts.valid), len(parts.test)] == [10, 3, 3]
    assert set(fewer.rows[parts.train]) < set(data.rows[split.train])
    assert set(fewer.rows[np.concatenate([parts.valid, parts.test])]) < set(data.rows[split.valid])
    for place, row in enumerate(fewer.rows):
        assert fewer.targets["homo"][place] == data.targets["homo"][row]
        assert fewer.smiles[place] == data.smiles[row]
    same, whole = smaller(data, split, train=None, valid=None, part="test")
    assert same is data
    assert whole is split


def test_heads_find_what_is_there_and_nothing_else(small_qm9):
    data = load_qm9(("homo", "mu"))
    split = qm9_split(data)
    key = CellKey("qm9", "", "", "", "frozen", "x", "x", "linear", 0)
    sizes = small_qm9[:, None].astype(np.float32)
    found = qm9_jobs._frozen(key, data, split, sizes)
    assert found.scores["mae"] == pytest.approx([0, 0], abs=0.05)
    nothing = np.random.default_rng(0).normal(size=(60, 1)).astype(np.float32)
    lost = qm9_jobs._frozen(key, data, split, nothing)
    spread = np.abs(data.targets["mu"] - data.targets["mu"].mean()).mean()
    assert lost.scores["mae"][1] > 0.7 * spread
    assert set(found.choice) == {"strength of homo", "strength of mu"}


def test_counts_by_element():
    conformers = [
        Conformer("a", np.array([8, 1, 1], np.uint8), np.zeros((3, 3), np.float32)),
        Conformer("b", np.array([1], np.uint8), np.zeros((1, 3), np.float32)),
    ]
    assert element_counts(conformers).tolist() == [[2, 1], [1, 0]]
