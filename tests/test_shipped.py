"""Models in the package: small, plain, complete, and what their recipes say."""

import numpy as np
import pytest
import torch

import molvec
from molvec.checkpoint import load_model
from molvec.config import load_settings, parse_settings
from molvec.embed.load import model_folder
from molvec.shipped import DEFAULT_MODEL, shipped_models


def test_the_default_is_shipped():
    assert DEFAULT_MODEL in shipped_models()


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model(name):
    folder = shipped_models()[name]
    assert (folder / "model.safetensors").stat().st_size < 16e6
    config, tensors = load_model(folder)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    # The recipe of the same name repeats the training.
    assert parse_settings(config["training"]["settings"]) == load_settings(name)
    assert config["training"]["steps"] == config["training"]["settings"]["steps"]
    card = (folder / "card.md").read_text()
    assert card.startswith(f"# {name}\n")
    for part in ("## Data", "## Training", "## Results", "## Limits", "## Licence"):
        assert part in card


def test_embeddings_without_any_file_of_the_users(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    model = molvec.load(DEFAULT_MODEL)
    x = model.embed(["CCO", "OCC", "c1ccccc1", "no molecule"])
    assert x.shape == (4, model.dim)
    assert x.dtype == np.float32
    assert np.abs(x[0] - x[1]).max() < 1e-5
    assert np.linalg.norm(x[0] - x[2]) > 1
    assert np.isnan(x[3]).all()
    assert not (tmp_path / "cache").exists()


def test_what_is_on_disk_comes_first(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT_MODEL).symlink_to(run.folder)
    assert model_folder(DEFAULT_MODEL).resolve() == run.model.resolve()
