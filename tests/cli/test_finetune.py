"""``molvec finetune`` as typed."""

import json
import signal

import numpy as np
import pytest

import molvec
from molvec import finetuning

QUICK = ("--epochs", 2, "--batch-size", 16, "--device", "cpu")


@pytest.fixture
def table(smiles, tmp_path):
    """48 molecules, one of them twice, and a row that is none."""
    rng = np.random.default_rng(0)
    rows = [f"{text},{rng.integers(0, 2)},{rng.normal():.3f},word" for text in smiles]
    rows.insert(5, "garbage,1,0.5,word")
    rows.append(f"{smiles[0]},,0.25,word")
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["mol,toxic,logS,text", *rows]) + "\n")
    return path


def arguments(table, *more, target="toxic", task="classification"):
    return (
        "finetune", "--data", table, "--smiles-column", "mol", "--target", target, "--task", task,
        *QUICK, *more,
    )  # fmt: skip


def test_finetune(cli, run, table, tmp_path):
    output = tmp_path / "tuned"
    code, out, err = cli(
        *arguments(table, "--model", run.folder, "-o", output, "--split", "random", "--seed", 3)
    )
    assert (code, err) == (0, ""), err
    lines = out.splitlines()
    assert lines[0] == "mine: 49 molecules from 50 rows, 1 classification target"
    assert "1 not valid SMILES (row 5)" in out
    assert "1 of the molecules repeat an earlier one" in out
    (split,) = [line for line in lines if line.startswith("split ")]
    head = json.loads((output / "config.json").read_text())["head"]
    assert split.startswith("split random, seed 3: 39 train, 5 validation, 5 test (sha256 ")
    assert head["split"]["sha256"] in split
    assert head["settings"]["seed"] == head["split"]["seed"] == 3
    scores = head["scores"]
    best = [line for line in lines if line.startswith("best epoch")]
    assert f"best epoch ({head['best_epoch']} of 2)" in best[0]
    for part in ("valid", "test"):
        value = scores[part]["best"]
        assert (f"{value:.4f}" if value is not None else "not defined") in best[0]
    assert any(line.startswith("last epoch (2 of 2)") for line in lines)
    assert lines[-1].endswith(f"model of the best in {output}")
    frame = molvec.load(output, device="cpu").predict(["CCO", "x"])
    assert list(frame.columns) == ["toxic"]
    assert 0 < frame["toxic"][0] < 1
    assert np.isnan(frame["toxic"][1])


def test_from_scratch_regression_with_settings(cli, table, tmp_path):
    options = (
        "--from-scratch", "--preset", "tiny", "--dedupe", "--lr", "1e-3", "--split",
        "scaffold_balanced", "--set", "hidden=8", "--set", "max_atoms=15", "--set", "patience=1",
    )  # fmt: skip
    output = tmp_path / "tuned"
    code, out, err = cli(
        *arguments(table, *options, "-o", output, target="logS", task="regression")
    )
    assert (code, err) == (0, "")
    assert "rmse  validation" in out
    assert "training molecules are larger than max_atoms: predicted, but not learned from" in out
    assert "split scaffold_balanced, seed 0: " in out
    head = json.loads((output / "config.json").read_text())["head"]
    assert head["data"]["molecules"] == 48
    chosen = head["settings"]
    assert (chosen["preset"], chosen["hidden"], chosen["lr"]) == ("tiny", 8, 1e-3)
    assert (chosen["max_atoms"], chosen["patience"]) == (15, 1)


def test_several_targets_in_the_order_given(cli, run, smiles, tmp_path):
    table = tmp_path / "two.csv"
    rows = [f"{text},{i % 2},{int(i < 3)}" for i, text in enumerate(smiles)]
    table.write_text("\n".join(["smiles,a,b", *rows]))
    code, _, err = cli(
        "finetune", "--data", table, "--target", "b", "--target", "a", "--task", "classification",
        "--model", run.folder, "-o", tmp_path / "m", "--split", "random", *QUICK,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert molvec.load(tmp_path / "m").targets == ("b", "a")


def test_a_validation_part_of_one_class_is_said(cli, run, table, tmp_path, monkeypatch):
    real = finetuning.fit

    def undefined(*args, **kwargs):
        return real(*args, **(kwargs | {"score": lambda truth, predicted: float("nan")}))

    monkeypatch.setattr(finetuning, "fit", undefined)
    code, out, _ = cli(*arguments(table, "-m", run.folder, "-o", tmp_path / "m"))
    assert code == 0
    assert "roc_auc is not defined on the validation part (labels of one class only): " in out
    assert "the epoch was chosen by the validation loss" in out


# --- what is refused: one line, exit code 2, nothing left behind --------------------------------


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "say what to learn from: the name of a data set"),
        (["bace", "--data", "x.csv"], "say what to learn from"),
        (["bace", "--target", "y"], "go with --data; bace has its own"),
        (["bace", "--task", "regression"], "go with --data; bace has its own"),
        (["--data", "x.csv", "--task", "regression"], "say what to predict: --target COLUMN"),
        (["--data", "x.csv", "--target", "y"], "say what the targets are: --task classification"),
        (["--data", "x.csv", "--target", "y", "--task", "ranking"], "say what the targets are"),
        (["bace", "--set", "layer_decy=1"], "Did you mean 'layer_decay'?"),
        (["bace", "--set", "freeze=all"], "expected a number of blocks, or encoder, got 'all'"),
        (["bace", "--lr", "-1"], "setting lr: Input should be greater than 0"),
        (["bace", "--from-scratch"], "give either --model RUN to start from, or --from-scratch"),
        (["bace", "--preset", "tiny"], "--preset goes with --from-scratch"),
        (["bacee"], "Did you mean 'bace'?"),
        (["zinc"], "zinc has no labels"),
    ],
)
def test_wrong_words(words, part, refused, run, tmp_path):
    message = refused("finetune", *words, "--model", run.folder, "-o", tmp_path / "m")
    assert part in message
    assert list(tmp_path.iterdir()) == []


def test_neither_model_nor_scratch(refused, tmp_path):
    assert "give either --model RUN" in refused("finetune", "bace", "-o", tmp_path / "m")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"target": "toxicity"}, "toxicity"),
        ({"target": "text"}, "word"),
        ({"target": "logS"}, "classification labels must be 0 or 1; column 'logS'"),
    ],
)
def test_wrong_columns(changes, part, refused, run, table, tmp_path):
    message = refused(*arguments(table, "-m", run.folder, "-o", tmp_path / "m", **changes))
    assert part in message
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_wrong_split_and_model(refused, run, table, tmp_path):
    message = refused(
        *arguments(table, "-m", run.folder, "-o", tmp_path / "m", "--split", "scaffold")
    )
    assert "scaffold_hu" in message
    message = refused(*arguments(table, "-m", tmp_path / "none", "-o", tmp_path / "m"))
    assert "there is no model" in message
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_an_output_with_something_in_it(refused, run, table, tmp_path):
    message = refused(*arguments(table, "-m", run.folder, "-o", tmp_path))
    assert message == f"{tmp_path} exists and is not empty; choose another --output"


def test_output_is_asked_for(cli, run):
    code, _, err = cli("finetune", "bace", "--model", run.folder)
    assert code == 2
    assert "--output" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(cli, run, table, tmp_path, monkeypatch, number):
    def interrupt(*args, **options):
        signal.raise_signal(number)

    monkeypatch.setattr(finetuning, "fit", interrupt)
    output = tmp_path / "tuned"
    code, _, err = cli(*arguments(table, "--model", run.folder, "-o", output))
    assert code == 128 + number
    assert err == f"molvec: stopped; nothing was written to {output}\n"
    assert not output.exists()


def test_one_seed_for_split_and_training(refused, run, table, tmp_path):
    more = ("--model", run.folder, "-o", tmp_path / "tuned", "--set", "seed=5")
    assert "give --seed N, not --set seed" in refused(*arguments(table, *more))
