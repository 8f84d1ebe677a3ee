"""Fine-tuned models on disk, and what is refused before anything is trained."""

import json
import tempfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import molvec
from molvec import finetuning
from molvec.checkpoint import load_model
from molvec.config import load_finetune_settings
from molvec.errors import UserError
from molvec.finetuning import finetune
from tests.labels import labelled, quick, split_of, two_targets


@pytest.fixture(scope="module")
def data(smiles):
    return two_targets(smiles)


@pytest.fixture(scope="module")
def split():
    return split_of(30, valid=8, test=6)


# --- what is saved ------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [None, 9])
def test_saved_and_loaded_again(hidden, run, data, split, tmp_path):
    folder = tmp_path / "new" / "tuned"
    done = finetune(
        data,
        split,
        model=run.folder,
        settings=quick(hidden=hidden, epochs=3),
        output=folder,
    )
    assert done.folder == folder
    assert [path.name for path in folder.parent.iterdir()] == ["tuned"]
    loaded = molvec.load(folder, device="cpu")
    texts = [data.smiles[i] for i in split.test]
    frame = loaded.predict(texts)
    assert list(frame.columns) == ["toxic", "active"]
    assert np.abs(frame.to_numpy() - done.test["best"]).max() < 1e-6
    everything = loaded.predict(data.smiles).to_numpy()
    assert np.abs(everything[split.test] - done.test["best"]).max() < 1e-6
    alone = np.concatenate([loaded.predict([text]).to_numpy() for text in texts])
    assert np.abs(alone - done.test["best"]).max() < 1e-6
    before = molvec.load(run.folder, device="cpu").embed(texts)
    assert np.abs(loaded.embed(texts) - before).max() > 1e-3  # the fine-tuned encoder's


def test_what_the_folder_says(run, data, split, tmp_path):
    chosen = quick(hidden=9, epochs=2)
    done = finetune(data, split, model=run.folder, settings=chosen, output=tmp_path / "m")
    config, tensors = load_model(tmp_path / "m")
    head = config["head"]
    assert (head["task"], head["targets"], head["hidden"]) == (
        "classification",
        ["toxic", "active"],
        9,
    )
    assert head["split"] == {"name": "random", "seed": 0, "sha256": "5" * 64}
    assert head["data"] == {"name": "toy", "molecules": 30, "sha256": "d" * 64}
    assert head["settings"] == chosen.model_dump(mode="json")
    assert head["start"] == str(run.folder)
    assert head["scores"] == done.scores
    assert len(head["history"]) == 2
    assert config["training"]["steps"] == 40
    assert "dropout" not in config["encoder"]
    _, given = load_model(run.model)
    assert {name for name in tensors if not name.startswith("head.")} == set(given)
    card = (tmp_path / "m" / "card.md").read_text()
    for part in ("`toxic`, `active`", "5" * 64, "## Scores (roc_auc)", "epochs: 2"):
        assert part in card


def test_undefined_scores_are_valid_json(data, split, tmp_path):
    targets = data.targets.copy()
    targets.iloc[split.valid] = 1.0
    finetune(
        replace(data, targets=targets),
        split,
        model=None,
        settings=quick(),
        output=tmp_path / "m",
    )

    def refuse(text):
        raise AssertionError(text)

    text = (tmp_path / "m" / "config.json").read_text()
    config = json.loads(text, parse_constant=refuse)
    assert config["head"]["scores"]["valid"] == {"best": None, "last": None}
    assert (config["head"]["start"], "training" in config) == (None, False)
    assert "not defined" in (tmp_path / "m" / "card.md").read_text()


def test_a_fine_tuned_model_is_a_start_too(tuned, data, split, tmp_path):
    finetune(data, split, model=tuned, settings=quick(), output=tmp_path / "again")
    assert molvec.load(tmp_path / "again").targets == ("toxic", "active")


# --- what is refused, before anything is trained ------------------------------------------------


@pytest.fixture
def no_training(monkeypatch):
    def fit(*args, **kwargs):
        raise AssertionError("training began")

    monkeypatch.setattr(finetuning, "fit", fit)


def test_a_kill_leaves_what_was_there(run, data, split, tmp_path, monkeypatch):
    def killed(line, epochs):
        raise KeyboardInterrupt

    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(KeyboardInterrupt):
            finetune(
                data,
                split,
                model=run.folder,
                settings=quick(),
                output=tmp_path / name,
                report=killed,
            )
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert list((tmp_path / "empty").iterdir()) == []


def test_output_that_cannot_be_written(data, split, tmp_path, monkeypatch, no_training):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for name, part in (
        ("full", "exists and is not empty; choose another --output"),
        ("file", "exists and is not empty; choose another --output"),
        ("file/below", "cannot write to"),
    ):
        with pytest.raises(UserError, match=part):
            finetune(data, split, model=None, settings=quick(), output=tmp_path / name)

    def read_only(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", read_only)
    with pytest.raises(UserError, match=r"cannot write to .*new \(Read-only file system\)"):
        finetune(data, split, model=None, settings=quick(), output=tmp_path / "new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "mine"]


@pytest.mark.parametrize("name", ["row", "smiles", "error"])
def test_names_that_the_output_of_predict_has_already(name, data, split, tmp_path, no_training):
    changed = replace(data, targets=data.targets.rename(columns={"toxic": name}))
    with pytest.raises(UserError, match=f"cannot be named '{name}'.*rename the column"):
        finetune(changed, split, model=None, settings=quick(), output=tmp_path / "m")


def test_labels_that_teach_nothing(data, split, no_training):
    def refused(rows, value):
        targets = data.targets.copy()
        targets.iloc[rows] = value
        with pytest.raises(UserError) as caught:
            finetune(replace(data, targets=targets), split, model=None, settings=quick())
        return str(caught.value)

    assert "labels of one class only (toxic, active)" in refused(split.train, 1.0)
    assert "the training part of toy (16 molecules, split random)" in refused(split.train, 0.0)
    assert "has no label of toxic, active" in refused(split.train, np.nan)
    assert "the validation part of toy (8 molecules, split random) has no label" in refused(
        split.valid, np.nan
    )


def test_one_target_with_both_classes_is_enough(data, split):
    targets = data.targets.copy()
    targets.iloc[split.train, 1] = np.nan
    done = finetune(replace(data, targets=targets), split, model=None, settings=quick(epochs=1))
    assert done.test["best"].shape == (6, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"freeze": 4}, "freeze is 4, but the encoder has 3 blocks"),
        ({"device": "gpu"}, "cannot use device 'gpu'"),
    ],
)
def test_settings_that_do_not_fit(changes, message, data, split, no_training):
    with pytest.raises(UserError, match=message):
        finetune(data, split, model=None, settings=quick(**changes))


def test_no_such_model(data, split, tmp_path, no_training):
    with pytest.raises(UserError, match="there is no model"):
        finetune(data, split, model=tmp_path / "none", settings=quick())


def test_a_value_without_training_labels_is_refused(smiles, no_training):
    values = np.random.default_rng(0).normal(size=(len(smiles), 2))
    parts = split_of(len(smiles), valid=8, test=8)
    values[parts.train, 1] = np.nan
    toy = labelled(smiles, pd.DataFrame(values, columns=["a", "b"]), "regression")
    with pytest.raises(UserError, match="has no label of b; leave it out, or use another split"):
        finetune(toy, parts, model=None, settings=load_finetune_settings({"preset": "tiny"}))
