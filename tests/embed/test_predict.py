"""Predictions from Python objects: rows aligned with the input, whatever it holds."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import molvec
from molvec.embed import embedder as embedder_module
from molvec.embed.predict import predict_file
from molvec.errors import UserError


@pytest.fixture(scope="module")
def predictor(tuned):
    return molvec.load(tuned, device="cpu")


def test_rows_follow_the_input(predictor, smiles, monkeypatch):
    frame = predictor.predict(smiles)
    assert list(frame.columns) == ["atoms", "rings"]
    assert frame.shape == (48, 2)
    assert (frame.dtypes == np.float32).all()
    assert list(frame.index) == list(range(48))
    assert np.isfinite(frame.to_numpy()).all()
    truth = [Chem.MolFromSmiles(text).GetNumAtoms() for text in smiles]
    assert np.corrcoef(frame["atoms"], truth)[0, 1] > 0.7
    order = np.random.default_rng(0).permutation(48)
    shuffled = predictor.predict([smiles[i] for i in order])
    assert np.abs(shuffled.to_numpy() - frame.to_numpy()[order]).max() < 1e-4
    monkeypatch.setattr(embedder_module, "CHUNK", 7)
    monkeypatch.setattr(embedder_module, "CPU_PAIRS", 2000)
    assert np.abs(predictor.predict(iter(smiles)).to_numpy() - frame.to_numpy()).max() < 1e-4


def test_rows_that_are_no_molecules(predictor):
    items = ["CCO", "garbage", None, "C" * 60, "c1ccccc1"]
    frame = predictor.predict(items, max_atoms=50)
    assert list(frame.isna().all(axis=1)) == [False, True, True, True, False]
    assert list(frame.isna().any(axis=1)) == [False, True, True, True, False]
    dropped = predictor.predict(items, on_error="drop", max_atoms=50)
    assert list(dropped.index) == [0, 4]
    assert np.abs(dropped.to_numpy() - frame.to_numpy()[[0, 4]]).max() < 1e-5
    with pytest.raises(UserError, match="row 1: not valid SMILES"):
        predictor.predict(items, on_error="raise")
    with pytest.raises(UserError, match="on_error must be 'nan', 'raise' or 'drop', got 'skip'"):
        predictor.predict(items, on_error="skip")


def test_nothing_in_nothing_out(predictor):
    for items in ([], pd.Series([], dtype=object)):
        frame = predictor.predict(items)
        assert frame.shape == (0, 2)
        assert list(frame.columns) == ["atoms", "rings"]


def test_a_series_keeps_its_index(predictor):
    """So that ``table["y"] = model.predict(table["smiles"])["y"]`` puts rows where they belong."""
    series = pd.Series(["CCO", "nonsense", "CCN"], index=["x", "y", "z"])
    frame = predictor.predict(series)
    assert list(frame.index) == ["x", "y", "z"]
    assert list(frame["atoms"].isna()) == [False, True, False]
    assert list(predictor.predict(series, on_error="drop").index) == ["x", "z"]


def test_it_takes_what_embed_takes(predictor, tmp_path):
    path = tmp_path / "two.smi"
    path.write_text("CCO\nCCN\n")
    expected = predictor.predict(["CCO", "CCN"]).to_numpy()
    mols = [Chem.MolFromSmiles(text) for text in ("CCO", "CCN")]
    for items in (path, mols, np.array(["CCO", "CCN"], dtype=object)):
        assert np.abs(predictor.predict(items).to_numpy() - expected).max() < 1e-6
    assert predictor.predict("CCO").shape == (1, 2)


def test_it_embeds_too(predictor, embedder, smiles):
    assert embedder.embed(smiles).shape == (48, 64)
    assert predictor.embed(smiles).shape == (48, 128)  # mean and sum


def test_a_model_that_only_embeds(embedder, tmp_path):
    for call in (
        lambda: embedder.predict(["CCO"]),
        lambda: predict_file(embedder, tmp_path / "a.smi", tmp_path / "b.csv"),
    ):
        with pytest.raises(UserError, match=r"no targets to predict; .*molvec finetune --data"):
            call()


def test_damaged_heads(tuned, tmp_path):
    import json
    import shutil

    copy = shutil.copytree(tuned, tmp_path / "copy")
    path = copy / "config.json"
    text = path.read_text()
    for change in (
        lambda head: head.pop("targets"),
        lambda head: head["targets"].append("third"),
        lambda head: head.update(hidden=3),
        lambda head: head.update(task="ranking"),
    ):
        config = json.loads(text)
        change(config["head"])
        path.write_text(json.dumps(config))
        with pytest.raises(UserError, match="does not fit this molvec"):
            molvec.load(copy)
