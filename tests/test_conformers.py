"""Molecules in space go through the same pretraining, resume, embedding and fine-tuning."""

import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from e3nn import o3
from rdkit import Chem

from molvec.config import load_settings
from molvec.corpus import build_featurizer
from molvec.embed.conformers import ConformerEmbedder
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.errors import UserError
from molvec.finetuning import finetune
from molvec.pretraining import build_model, pretrain, resume
from molvec.records import Conformer, RecordError, embed_conformer
from molvec.settings import FinetuneSettings
from tests.labels import split_of, two_targets
from tests.runs import assert_same_run, log_of, stop_at

TINY = {
    "data.workers": 0,
    "encoder.preset": "tiny",
    "encoder.dim": 32,
    "student.predictor_width": 16,
    "steps": 14,
    "batch_size": 4,
    "accelerator": "cpu",
    "precision": "32-true",
    "log_every": 3,
    "checkpoint_every": 4,
}


def xyz(conformer):
    table = Chem.GetPeriodicTable()
    rows = [
        f"{table.GetElementSymbol(int(z))} {x:.5f} {y:.5f} {w:.5f}\n"
        for z, (x, y, w) in zip(conformer.elements, conformer.positions, strict=True)
    ]
    return f"{len(conformer)}\n{conformer.name}\n{''.join(rows)}"


@pytest.fixture(scope="module")
def conformers(smiles):
    made = []
    for text in smiles:
        try:
            made.append(embed_conformer(Chem.MolFromSmiles(text), name=text, max_atoms=60))
        except RecordError:
            continue
        if len(made) == 30:
            break
    return made


@pytest.fixture(scope="module")
def folder(conformers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("geometries")
    (folder / "a.xyz").write_text("".join(map(xyz, conformers[:16])))
    (folder / "b.xyz").write_text(xyz(conformers[16]) + "2\ncut\nO 0 0 0\n")
    (folder / "one.xyz").write_text("1\nhelium\nHe 0 0 0\n")
    return folder


@pytest.fixture(scope="module")
def settings(folder):
    return load_settings("qm9", TINY | {"data.source": str(folder)})


@pytest.fixture(scope="module")
def space_run(settings, session_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLVEC_CACHE", str(session_cache))
        return pretrain(settings, output=tmp_path_factory.mktemp("runs") / "qm9")


@pytest.fixture(scope="module")
def model(space_run):
    return load(space_run.folder, device="cpu")


def test_geometries_are_learned_from_and_the_rest_is_named(space_run):
    assert space_run.progress.step == 14
    assert "b.xyz: cut" in space_run.skipped
    assert "1 single node: nothing to mask" in space_run.skipped
    log = log_of(space_run.folder)
    assert log[-1]["loss"] < log[0]["loss"]


def test_an_interrupted_run_ends_as_if_it_was_not(settings, space_run, tmp_path):
    stopped = pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGINT))
    assert stopped.progress.stopped_by == signal.SIGINT
    resume(tmp_path / "run")
    assert_same_run(space_run.folder, tmp_path / "run")


def test_smiles_get_a_geometry_on_the_way(smiles_file, tmp_path):
    settings = load_settings("qm9", TINY | {"data.source": str(smiles_file), "steps": 2})
    run = pretrain(settings, output=tmp_path / "run")
    assert run.progress.molecules == 8


@pytest.mark.parametrize("kind", ["surroundings", "extended_huckel", "xtb"])
def test_what_a_geometry_says_of_its_atoms_can_be_learned_with_norms_as_targets(
    kind, folder, tmp_path
):
    more = {
        "data.source": str(folder),
        "encoder.norms": True,
        "objective.grounding": kind,
        "objective.grounding_weight": 1.0,
        "objective.grounding_view": "clean",
    }
    run = pretrain(load_settings("qm9", TINY | more), output=tmp_path / "run")
    log = log_of(run.folder)
    assert 0 < log[-1]["grounding_loss"] < log[0]["grounding_loss"]
    wide = 2 * (2 * 32 + 2 * (32 + 8))  # mean and sum; both ends and two blocks' hidden states
    assert load(run.folder, device="cpu").embed([folder / "a.xyz"]).shape == (16, wide)


def test_a_polarisability_counts_ten_times(folder):
    weights = {}
    for kind in ("extended_huckel", "xtb"):
        more = {"data.source": str(folder), "objective.grounding": kind}
        settings = load_settings("qm9", TINY | more)
        weights[kind] = build_model(settings, build_featurizer(settings.data)).shared_loss.weights
    assert weights["extended_huckel"].eq(1).all()
    ratio = weights["xtb"] / weights["xtb"][0]
    assert ratio.tolist() == pytest.approx([1.0] * 9 + [10.0, 10.0])
    assert float(weights["xtb"].mean()) == pytest.approx(1)


def test_slow_targets_are_computed_once_for_all_runs(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    more = {"data.source": str(folder), "objective.grounding": "xtb", "steps": 8}
    first = pretrain(load_settings("qm9", TINY | more), output=tmp_path / "first")
    (kept,) = (tmp_path / "cache" / "grounding").iterdir()
    checks = np.load(kept / "checks.npy")
    assert (checks > 0).all()  # 8 steps of 4 are two epochs
    again = pretrain(load_settings("qm9", TINY | more), output=tmp_path / "again")
    assert_same_run(first.folder, again.folder)
    np.testing.assert_array_equal(np.load(kept / "checks.npy"), checks)


def test_a_run_without_the_program_of_its_targets_does_not_begin(cli, folder, tmp_path, no_tblite):
    output = tmp_path / "run"
    code, _, err = cli("pretrain", "qm9", "--data", folder, "-o", output, "--steps", "2")
    assert code == 2
    assert "objective.grounding=xtb needs tblite: pip install 'molvec[xtb]'" in err
    assert len(err.splitlines()) == 1
    assert not output.exists()


# --- embedding --------------------------------------------------------------------------------


def test_rows_and_reasons(model, folder):
    assert isinstance(model, ConformerEmbedder)
    vectors = model.embed(folder)
    assert vectors.shape == (19, 256)
    assert np.isnan(vectors).all(1).tolist() == [False] * 17 + [True, False]
    with pytest.raises(UserError, match="row 17: 1 of 2 atoms"):
        model.embed(folder, on_error="raise")
    mixed = model.embed(["CCO", "xx", Path(folder / "one.xyz")])
    assert np.isnan(mixed).all(1).tolist() == [False, True, False]
    np.testing.assert_allclose(mixed[2], vectors[18], atol=1e-5)
    (atoms,) = model.embed("CCO", level="node")
    assert atoms.shape == (9, 128)
    np.testing.assert_allclose(atoms.mean(0), mixed[0, :128], atol=1e-5)


def test_a_vector_does_not_depend_on_the_batch_nor_on_where_the_molecule_lies(model, conformers):
    together = model.embed(conformers)
    np.testing.assert_allclose(model.embed(conformers[5])[0], together[5], rtol=1e-4, atol=1e-4)
    torch.manual_seed(0)
    turn = -o3.rand_matrix().numpy()  # and mirrored
    moved = conformers[5].positions @ turn.T + np.array([3.0, -7.0, 1.0])
    again = Conformer("moved", conformers[5].elements, moved.astype(np.float32))
    np.testing.assert_allclose(model.embed(again)[0], together[5], rtol=1e-3, atol=1e-3)
    stretched = replace(conformers[5], positions=conformers[5].positions * 1.1)
    assert np.abs(model.embed(stretched)[0] - together[5]).max() > 1e-2


def test_embed_from_the_command_line(cli, space_run, model, folder, tmp_path):
    output = tmp_path / "out.parquet"
    code, out, err = cli("embed", folder, "-m", space_run.folder, "-o", output)
    assert code == 0, err
    assert "19 rows in" in out
    assert err.startswith("no embedding for 1 of 19 rows: ")
    frame = pd.read_parquet(output)
    assert list(frame.columns) == ["row", "file", "name", "error", "embedding"]
    assert frame["file"].tolist() == ["a.xyz"] * 16 + ["b.xyz"] * 2 + ["one.xyz"]
    assert frame["name"][18] == "helium"
    (tmp_path / "mols.csv").write_text("smiles\nCCO\nxx\n")
    code, _, err = cli("embed", tmp_path / "mols.csv", "-m", space_run.folder, "-o", output)
    assert code == 0, err
    frame = pd.read_parquet(output)
    np.testing.assert_allclose(frame["embedding"][0], model.embed("CCO")[0], atol=1e-5)
    assert frame["error"][1] == "not valid SMILES"
    assert frame["file"].isna().all()


def test_info_speaks_of_conformers(cli, space_run):
    text = " ".join(cli("info", space_run.folder)[1].split())
    assert "256 numbers per conformer (layers_mean_sum), 128 per atom" in text
    assert "element; atoms within 5 Angstrom" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pretrain", "qm9", "--data", "none"), "is neither a data set"),
        (("pretrain", "qm9", "--data", "."), "holds no geometries"),
        (("pretrain", "qm9", "--data", "a.xyz"), "there is no file"),
        (("pretrain", "qm9", "--set", "data.min_residues=5"), "no meaning for conformers"),
        (("pretrain", "qm9", "--set", "student.kind=mask_token"), "need student.kind visible"),
    ],
)
def test_refused_settings(refused, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments)
    assert list(tmp_path.iterdir()) == []


# --- fine-tuning ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(conformers):
    labelled = two_targets([conformer.name for conformer in conformers])
    size = np.array([len(conformer) for conformer in conformers], dtype=float)
    targets = pd.DataFrame({"atoms": size, "weight": 3 * size})
    return replace(labelled, task="regression", targets=targets, conformers=conformers)


def test_a_model_in_space_is_fine_tuned_with_noise(data, space_run, tmp_path):
    split = split_of(30, valid=8, test=6)
    chosen = FinetuneSettings(epochs=8, batch_size=8, lr=3e-3, noise=0.1, device="cpu")
    done = finetune(data, split, model=space_run.folder, settings=chosen, output=tmp_path / "m")
    again = finetune(data, split, model=space_run.folder, settings=chosen)
    np.testing.assert_array_equal(done.test["best"], again.test["best"])
    plain = finetune(
        data, split, model=space_run.folder, settings=chosen.model_copy(update={"noise": 0.0})
    )
    assert np.abs(plain.test["best"] - done.test["best"]).max() > 1e-3
    assert done.history[-1]["train_loss"] < done.history[0]["train_loss"]
    scratch = finetune(data, split, model=space_run.folder, settings=chosen, from_scratch=True)
    assert np.abs(scratch.test["best"] - done.test["best"]).max() > 1e-3
    model = load(tmp_path / "m", device="cpu")
    predicted = model.predict([data.conformers[i] for i in split.test])
    np.testing.assert_allclose(predicted.to_numpy(), done.test["best"], rtol=1e-3, atol=1e-3)


def test_models_that_do_not_fit_the_data(data, space_run, run):
    split, chosen = split_of(30, valid=8, test=6), FinetuneSettings(epochs=1, device="cpu")
    with pytest.raises(UserError, match="needs a model of molecules, not of conformers"):
        finetune(replace(data, conformers=None), split, model=space_run.folder, settings=chosen)
    noisy = chosen.model_copy(update={"noise": 0.1})
    patches = chosen.model_copy(update={"readout": "layers_patch_mean"})
    for start in (run.folder, None):
        with pytest.raises(UserError, match="noise is for models in 3D"):
            finetune(data, split, model=start, settings=noisy)
        with pytest.raises(UserError, match="layers_patch_mean needs coordinates"):
            finetune(data, split, model=start, settings=patches)
    flat = load(run.folder, device="cpu")
    with pytest.raises(UserError, match="layers_patch_mean needs coordinates, molecules have"):
        Embedder(flat.encoder, flat.featurizer, readout="layers_patch_mean", device="cpu")
