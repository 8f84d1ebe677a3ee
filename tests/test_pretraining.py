"""A whole run: what it leaves; what becomes of data, disks and settings that fail."""

import errno
import json

import pytest
import torch
import yaml
from rdkit.Chem import MolFromSmiles
from torch_geometric.data import Batch

import molvec.checkpoint
from molvec.checkpoint import load_model, load_tree
from molvec.config import load_settings
from molvec.corpus import build_featurizer
from molvec.embed import load
from molvec.errors import UserError
from molvec.pretraining import build_model, encoder_config, pretrain, resume
from molvec.train.history import Checkpoints
from molvec.train.log import read_lines
from tests.runs import (
    assert_equal,
    assert_same_run,
    log_of,
    write_smiles,
)

# --- what a run leaves ------------------------------------------------------------------------


def test_run_folder(straight, make_settings):
    names = {path.name for path in straight.iterdir()}
    assert names == {"config.yaml", "metrics.jsonl", "checkpoints", "model"}
    assert load_settings(straight / "config.yaml") == make_settings()
    lines = log_of(straight)
    assert [line["molecules"] for line in lines] == [24, 48, 72, 96, 112]
    assert all(line["skipped"] == 0 for line in lines)
    last = lines[-1]
    assert last["loss"] == pytest.approx(last["node_loss"] + last["visible_loss"])


def test_checkpoints_are_kept(straight, make_settings, tmp_path):
    assert Checkpoints(straight / "checkpoints", keep=2).steps() == [12, 14]
    pretrain(make_settings(keep=3), output=tmp_path / "run")
    assert Checkpoints(tmp_path / "run" / "checkpoints", keep=3).steps() == [8, 12, 14]
    assert {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()} == {
        "step-00000008",
        "step-00000012",
        "step-00000014",
    }


@pytest.mark.parametrize("which", ["teacher", "student"])
def test_exported_weights(which, make_settings, tmp_path):
    folder = tmp_path / "run"
    pretrain(make_settings(export=which, steps=4), output=folder)
    tree = load_tree(folder / "checkpoints" / "step-00000004")
    prefix = {"teacher": "teacher.", "student": "student.encoder."}[which]
    expected = {
        name.removeprefix(prefix): tensor
        for name, tensor in tree["model"].items()
        if name.startswith(prefix)
    }
    config, tensors = load_model(folder / "model")
    assert_equal(dict(sorted(tensors.items())), dict(sorted(expected.items())))
    assert config["training"]["steps"] == 4
    assert config["training"]["molecules"] == 32
    assert config["training"]["views"] == 64


def test_training_learns_and_moves_both(run):
    lines = read_lines(run.folder / "metrics.jsonl")
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"]
    tensors = load_tree(run.folder / "checkpoints" / "step-00000040")["model"]
    start = build_seeded(run.settings)
    for name in ("teacher.nodes", "student.encoder.nodes"):
        moved = [key for key in tensors if key.startswith(name)]
        assert moved
        assert not any(torch.equal(tensors[key], start[key]) for key in moved)


def build_seeded(settings):
    from molvec.featurize.molecule import MoleculeFeaturizer

    torch.manual_seed(settings.seed)
    return build_model(settings, MoleculeFeaturizer()).state_dict()


@pytest.mark.parametrize("view", ["masked", "full"])
@pytest.mark.parametrize("kind", ["fingerprint", "descriptors", "surroundings"])
def test_what_a_molecule_says_of_itself_can_be_learned(kind, view, make_settings, tmp_path):
    chosen = {"grounding": kind, "grounding_weight": 1.0, "grounding_view": view}
    objective = {f"objective.{name}": value for name, value in chosen.items()}
    settings = make_settings(objective, steps=20)
    model = build_model(settings, build_featurizer(settings.data))
    pooled = 1 if kind == "surroundings" else 2  # an atom's vector, or mean and sum of all
    assert model.grounding_head.in_features == pooled * model.student.encoder.dim
    assert (model.shared_head is not None) == (kind == "surroundings")
    log = log_of(pretrain(settings, output=tmp_path / "run").folder)
    assert 0 < log[-1]["grounding_loss"] < log[0]["grounding_loss"]


def test_tensorboard(make_settings, tmp_path):
    pretrain(make_settings(tensorboard=True, steps=3), output=tmp_path / "run")
    (events,) = (tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*")
    assert b"effective_rank" in events.read_bytes()


def test_tensorboard_not_installed(make_settings, tmp_path, monkeypatch):
    from lightning_fabric.loggers import tensorboard

    monkeypatch.setattr(tensorboard, "_TENSORBOARD_AVAILABLE", False)
    monkeypatch.setattr(tensorboard, "_TENSORBOARDX_AVAILABLE", False)
    with pytest.raises(UserError, match=r"pip install 'molvec\[tensorboard\]'"):
        pretrain(make_settings(tensorboard=True), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- data that fails --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["xx", "not a molecule", ""] * 10, r"skipped 30 of 30 rows: 20 not valid SMILES .*empty"),
        (["C", "[Na+]", "O", "[Ar]"] * 5, r"(?=.*single node: nothing to mask)(?=.*20 of 20)"),
        (["CCO"], "no batch held two usable molecules$"),
        (["CCO", "xx"], r"two usable molecules \(skipped 1 of 1 rows: 1 not valid SMILES \(row 1"),
    ],
)
def test_nothing_to_learn(rows, message, make_settings, tmp_path):
    source = write_smiles(tmp_path / "bad.smi", rows)
    settings = make_settings({"data.source": str(source)}, batch_size=4, steps=10**6)
    with pytest.raises(UserError, match=message):
        pretrain(settings, output=tmp_path / "run")
    assert not (tmp_path / "run").exists()  # the command can be given again


def test_nothing_to_learn_in_few_steps(make_settings, tmp_path):
    """Also when the run is over before the data is."""
    source = write_smiles(tmp_path / "bad.smi", ["xx"] * 40)
    settings = make_settings({"data.source": str(source)}, steps=2, batch_size=4)
    with pytest.raises(UserError, match="8 of 8 rows"):
        pretrain(settings, output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_two_molecules_are_enough(make_settings, tmp_path):
    source = write_smiles(tmp_path / "two.smi", ["CCO", "c1ccccc1O"])
    run = pretrain(make_settings({"data.source": str(source)}, steps=3), output=tmp_path / "run")
    assert run.progress.molecules == 6
    assert all(line["loss"] == line["loss"] for line in log_of(run.folder))


def test_some_rows_fail(smiles, make_settings, tmp_path):
    rows = [*smiles[:40], "garbage", "C", "C1CC", "[Na+]", "", smiles[40] * 20]
    source = write_smiles(tmp_path / "some.smi", rows)
    settings = make_settings({"data.source": str(source), "data.max_atoms": 50}, steps=40)
    run = pretrain(settings, output=tmp_path / "run")
    assert run.progress.step == 40
    assert run.progress.failed == {40, 41, 42, 43, 44, 45}
    # Every row once, though the run went through the data more than five times.
    assert sum(run.progress.skipped.counts.values()) == 6
    assert run.skipped.startswith("skipped 6 of 46 rows: ")
    assert "2 single node: nothing to mask (rows 4" in run.skipped
    assert log_of(run.folder)[-1]["skipped"] == 6
    again = resume(run.folder)
    assert again.skipped == run.skipped


def test_single_atoms_are_left_out_not_learned_from(make_settings, tmp_path):
    rows = ["C", "CCO", "[Na+]", "CCN"] * 4
    source = write_smiles(tmp_path / "mixed.smi", rows)
    settings = make_settings({"data.source": str(source)}, steps=2, batch_size=16)
    run = pretrain(settings, output=tmp_path / "run")
    assert run.progress.molecules == 16
    assert run.progress.failed == {0, 2, 4, 6, 8, 10, 12, 14}


def test_rows(make_settings, tmp_path):
    import numpy as np

    source = write_smiles(tmp_path / "some.smi", ["CCO", "xx", "CCN", "yy", "CCS", "CCF"])
    settings = make_settings({"data.source": str(source)}, steps=2, batch_size=4)
    run = pretrain(settings, output=tmp_path / "run", rows=np.array([0, 2, 3, 4]))
    assert run.progress.failed == {3}  # the file's row, not the sample's number
    assert run.skipped.startswith("skipped 1 of 4 rows: ")


def test_zero_rows_of_a_file(make_settings, tmp_path):
    source = write_smiles(tmp_path / "empty.smi", [])
    with pytest.raises(UserError, match=r"empty\.smi is empty"):
        pretrain(make_settings({"data.source": str(source)}), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- folders and disks that fail --------------------------------------------------------------


def test_output_in_use(straight, make_settings):
    with pytest.raises(UserError, match="not empty: continue that run with --resume"):
        pretrain(make_settings(), output=straight)


def test_output_empty(make_settings, tmp_path):
    (tmp_path / "run").mkdir()
    assert pretrain(make_settings(steps=2), output=tmp_path / "run").progress.step == 2


def test_output_cannot_be_made(make_settings, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write to .*file.run .*choose another --output"):
        pretrain(make_settings(), output=tmp_path / "file" / "run")


def test_disk_full_at_a_checkpoint(straight, make_settings, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    save_file = molvec.checkpoint.save_file

    def full(tensors, path):
        if "step-00000008" in str(path):
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(tensors, path)

    monkeypatch.setattr(molvec.checkpoint, "save_file", full)
    with pytest.raises(UserError, match=r"cannot write .*step-00000008: No space left on device"):
        pretrain(make_settings(), output=folder)
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["step-00000004"]
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
        resume(folder)
    assert_same_run(straight, folder)


# --- settings that do not fit -----------------------------------------------------------------


def test_top_k(make_settings, tmp_path):
    with pytest.raises(UserError, match="top_k is 4, but the encoder has 3 blocks"):
        pretrain(make_settings({"objective.top_k": 4}), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_dropout_is_the_students_alone(make_settings):
    """What it predicts varies, what it should predict does not; a model that is kept has none."""
    settings = make_settings({"student.dropout": 0.5})
    featurizer = build_featurizer(settings.data)
    torch.manual_seed(0)
    model = build_model(settings, featurizer).train()
    batch = Batch.from_data_list([featurizer(MolFromSmiles(text)) for text in ("CCO", "c1ccccc1")])
    mask = torch.tensor([[True, False, False] + [True, False] * 3])
    one, two = model(batch, mask), model(batch, mask)
    assert torch.equal(one.target, two.target)
    assert (one.prediction - two.prediction).abs().mean() > 0.01
    assert "dropout" not in encoder_config(settings)


def test_heads_must_divide(make_settings):
    with pytest.raises(UserError, match=r"encoder.dim \(66\) must be a multiple of encoder.heads"):
        encoder_config(make_settings({"encoder.dim": 66}))


def test_encoder_config(make_settings):
    changes = {"encoder.depth": 5, "encoder.local": True, "encoder.random_walk": False}
    assert encoder_config(make_settings(changes)) == {
        "family": "graph_transformer",
        "dim": 64,
        "depth": 5,
        "heads": 4,
        "local": True,
        "random_walk": False,
    }


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_no_such_accelerator(make_settings, tmp_path):
    with pytest.raises(UserError, match="cannot use accelerator 'cuda'"):
        pretrain(make_settings(accelerator="cuda"), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- from the repository's recipes to a model -------------------------------------------------


def test_config_and_card_tell_how_the_model_was_made(run):
    config = json.loads((run.model / "config.json").read_text())
    assert config["training"]["settings"] == yaml.safe_load(
        (run.folder / "config.yaml").read_text()
    )
    card = (run.model / "card.md").read_text()
    assert "40 steps, 320 molecules, 640 masked views, seed 0" in card
    assert load(run.model).dim == 64
