"""Models in the package: small, plain, complete, and what their recipes say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import molvec
from molvec.checkpoint import load_model
from molvec.config import load_settings, parse_settings
from molvec.embed.load import model_folder
from molvec.records import Chain, Conformer, read_structure
from molvec.shipped import DEFAULT_MODEL, shipped_models
from tests.structures import trace

RECIPES = {
    "zinc-2d": ("zinc-2d", {}),
    "zinc-2d-mini": ("zinc-2d-mini", {}),
    "qm9-3d": ("qm9", {}),
    "pdb-3d": ("pdb", {"data.source": "chains_ca", "data.leave_out": "relatives.txt"}),
}
"""Recipe of each shipped model, and what depends on whose files they were."""


def test_the_default_is_shipped():
    assert DEFAULT_MODEL in shipped_models()


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_a_shipped_model(name):
    folder = shipped_models()[name]
    assert (folder / "model.safetensors").stat().st_size < 16e6
    config, tensors = load_model(folder)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    # The recipe repeats the training.
    recipe, own = RECIPES[name]
    assert parse_settings(config["training"]["settings"]) == load_settings(recipe, own)
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


def test_residues_of_a_structure(tmp_path, monkeypatch, cli):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "structures").mkdir()
    (tmp_path / "structures" / "1abc.pdb").write_text(trace(40, residue="LEU"))
    (tmp_path / "structures" / "2def.pdb").write_text(trace(25, residue="SER"))
    model = molvec.load("pdb-3d")
    (residues,) = model.embed("structures/1abc.pdb", level="residue")
    assert residues.shape == (40, model.node_dim)
    assert residues.dtype == np.float32
    assert np.isfinite(residues).all()
    (chain,) = read_structure(Path("structures/1abc.pdb")).chains
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = (chain.backbone @ rotation.T + [1.0, -2.0, 3.0]).astype(np.float32)
    moved = Chain("moved", chain.sequence, chain.numbers, turned)
    np.testing.assert_allclose(model.embed(moved, level="residue")[0], residues, atol=1e-4)
    code, out, err = cli("embed", "structures", "-o", "out.parquet", "--model", "pdb-3d")
    assert (code, out) == (0, "2 rows in out.parquet\n"), err
    frame = pd.read_parquet("out.parquet")
    assert frame["chain"].tolist() == ["1abc_A", "2def_A"]
    np.testing.assert_allclose(frame["embedding"][0], residues.mean(0), atol=1e-4)


def test_molecules_in_space(tmp_path):
    model = molvec.load("qm9-3d")
    water = Conformer(
        "water",
        np.array([8, 1, 1], np.uint8),
        np.array([[0, 0, 0.117], [0, 0.757, -0.467], [0, -0.757, -0.467]], np.float32),
    )
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = (water.positions @ rotation.T + [1.0, -2.0, 3.0]).astype(np.float32)
    moved = Conformer("moved", water.elements, turned)
    x = model.embed([water, moved, "O", "no molecule"])
    assert x.shape == (4, model.dim)
    np.testing.assert_allclose(x[1], x[0], rtol=1e-4, atol=1e-4)
    assert np.abs(x[2] - x[0]).max() > 1e-3  # a force field's water
    assert np.isnan(x[3]).all()


TETRAHEDRON = np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5


@pytest.mark.parametrize(
    ("elements", "positions"),
    [
        ([6, 1, 1, 1, 1], 1.09 * TETRAHEDRON),
        ([6, 17, 17, 17, 17], 1.77 * TETRAHEDRON),
        ([6, 8, 8], [[0, 0, 0], [1.16, 0, 0], [-1.16, 0, 0]]),
    ],
    ids=["methane", "tetrachloromethane", "carbon dioxide"],
)
def test_symmetric_molecules_may_be_turned(elements, positions):
    """Vectors at their centres cancel; what is left of these is rounding, and must not count."""
    model = molvec.load("qm9-3d", device="cpu")
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    one, two = (
        model.embed(
            [Conformer("x", np.array(elements, np.uint8), np.asarray(each, np.float32))],
            level="node",
        )[0]
        for each in (np.array(positions), np.array(positions) @ turn.T)
    )
    apart = np.linalg.norm(one - two, axis=1) / np.linalg.norm(one, axis=1)
    assert apart.max() < 1e-5


def test_what_is_on_disk_comes_first(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT_MODEL).symlink_to(run.folder)
    assert model_folder(DEFAULT_MODEL).resolve() == run.model.resolve()
