"""Networks go through the same pretraining, resume and embedding as all other graphs."""

import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molvec.config import load_settings
from molvec.corpus import open_corpus
from molvec.data.network import network_of
from molvec.data.network_surroundings import network_surroundings
from molvec.embed.load import load
from molvec.embed.network import NetworkEmbedder
from molvec.errors import UserError
from molvec.pretraining import build_model, pretrain, resume
from tests.data.network_toys import networks  # noqa: F401
from tests.networks import triples
from tests.runs import assert_same_run, log_of, stop_at

TINY = {
    "data.workers": 0,
    "data.sample_nodes": 8,
    "encoder.dim": 32,
    "encoder.depth": 2,
    "encoder.heads": 4,
    "encoder.readout": "mean",
    "student.predictor_width": 16,
    "steps": 14,
    "batch_size": 8,
    "accelerator": "cpu",
    "precision": "32-true",
    "log_every": 3,
    "checkpoint_every": 4,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "triples.tsv"
    path.write_text(triples())
    return path


@pytest.fixture(scope="module")
def settings(file):
    grounding = {"objective.grounding": "surroundings", "objective.grounding_weight": 1.0}
    return load_settings("kg", TINY | grounding | {"data.source": str(file)})


@pytest.fixture(scope="module")
def network_run(settings, tmp_path_factory):
    return pretrain(settings, output=tmp_path_factory.mktemp("runs") / "kg")


@pytest.fixture(scope="module")
def model(network_run):
    return load(network_run.folder, device="cpu")


def test_a_network_is_learned_from(network_run):
    assert network_run.progress.step == 14
    log = log_of(network_run.folder)
    assert log[-1]["loss"] < log[0]["loss"]


def test_an_interrupted_run_ends_as_if_it_was_not(settings, network_run, tmp_path):
    stopped = pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGINT))
    assert stopped.progress.stopped_by == signal.SIGINT
    resume(tmp_path / "run")
    assert_same_run(network_run.folder, tmp_path / "run")


def test_a_changed_file_is_another_corpus(settings, file, tmp_path):
    stopped = pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGINT))
    text = file.read_text()
    try:
        file.write_text(text + "n 0\tr0\tn 999\n")
        with pytest.raises(UserError, match="has changed since"):
            resume(stopped.folder)
    finally:
        file.write_text(text)


def test_a_data_set_by_name(networks, tmp_path):  # noqa: F811
    for name, recipe in (("triples", "kg"), ("tables", "ppi")):
        overrides = TINY | {"data.source": name, "data.sample_nodes": 2, "steps": 2}
        run = pretrain(load_settings(recipe, overrides), output=tmp_path / name)
        assert load(run.folder, device="cpu").network.num_edges == 2
        assert run.settings.data.source == name
    for positions, features in ((0, 2), (3, 5)):
        corpus = open_corpus(load_settings("ppi", overrides | {"data.positions": positions}))
        assert corpus.featurizer.features == corpus.carried["features"].shape[1] == features
    settings = load_settings("ppi", overrides | {"data.features": "x.csv"})
    with pytest.raises(UserError, match="tables has features"):
        pretrain(settings, output=tmp_path / "other")


def test_rows_of_names(model):
    assert isinstance(model, NetworkEmbedder)
    x = model.embed(["n 1", "n 2", "nobody", "n 1"])
    assert x.shape == (4, 32)
    np.testing.assert_array_equal(x[0], x[3])
    assert np.isnan(x[2]).all()
    assert np.abs(x[0] - x[1]).max() > 1e-3
    np.testing.assert_allclose(model.embed("n 2")[0], x[1], rtol=1e-4, atol=1e-5)
    assert np.abs(model.embed("n 2", seed=1)[0] - x[1]).max() > 1e-5
    with pytest.raises(UserError, match="row 0: no node 'nobody'"):
        model.embed(["nobody"], on_error="raise")
    with pytest.raises(UserError, match="samples must be at least 1, got 0"):
        model.embed("n 1", samples=0)


def test_neighbours_are_the_nearest_vectors(model):
    found = model.neighbors("n 3", 5)
    assert list(found.columns) == ["node", "similarity"]
    assert len(found) == 5
    assert "n 3" not in set(found["node"])
    assert found["similarity"].is_monotonic_decreasing
    vectors = model.embed(model.network.names)
    vectors = vectors - vectors.mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    row = model.network.names.index("n 3")
    nearest = model.network.names[np.argsort(-(vectors @ vectors[row]))[1]]
    assert found["node"][0] == nearest
    with pytest.raises(UserError, match="no node 'n 33'"):
        model.neighbors("n 33")


def test_the_command_line(cli, refused, network_run, model, tmp_path):
    (tmp_path / "ids.txt").write_text("n 1\nnobody\nn 2\n")
    output = tmp_path / "out.parquet"
    code, _, err = cli(
        "embed", "--nodes", tmp_path / "ids.txt", "-m", network_run.folder, "-o", output
    )
    assert code == 0, err
    frame = pd.read_parquet(output)
    assert list(frame.columns) == ["row", "node", "error", "embedding"]
    assert frame["error"].notna().tolist() == [False, True, False]
    np.testing.assert_allclose(frame["embedding"][2], model.embed("n 2")[0], atol=1e-5)
    code, out, err = cli("neighbors", "--model", network_run.folder, "n 3", "--count", 2)
    assert code == 0, err
    assert model.neighbors("n 3", 1)["node"][0] in out
    assert "no node 'x'" in refused("neighbors", "--model", network_run.folder, "x")
    assert cli("info", network_run.folder)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pretrain", "kg", "--data", "none.tsv"), "there is no file"),
        (("pretrain", "kg", "--data", "wn18"), "neither a network (codex-m, "),
        (("pretrain", "kg", "--data", "bace"), "bace is a data set of molecules"),
        (("pretrain", "zinc", "--data", "pcg"), "pcg is a network, no molecules"),
        (("pretrain", "kg", "--data", "empty.tsv"), "empty"),
        (("pretrain", "zinc", "--set", "data.sample_nodes=9"), "no meaning for molecules"),
        (("pretrain", "zinc", "--set", "data.positions=9"), "no meaning for molecules"),
    ],
)
def test_refused(refused, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.tsv").write_text("")
    assert message in refused(*arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.tsv"]


@pytest.mark.parametrize(
    "part", ["objective", "train", "nn", "masking", "checkpoint.py", "data/loader.py"]
)
def test_no_part_that_all_kinds_share_asks_for_the_kind(part):
    """The objective, the loop, checkpoints and encoders see graphs, and not what they are of."""
    root = Path(__file__).parents[1] / "molvec" / part
    for path in [root] if root.suffix else sorted(root.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for word in ("data.kind", "featurizer", "molvec.featurize", "Conformer", "Chain"):
            assert word not in text, f"{path} knows of {word}"


@pytest.mark.parametrize(("recipe", "view"), [("kg", "masked"), ("kg", "full"), ("ppi", "clean")])
def test_what_surrounds_a_node_is_learned(file, tmp_path, recipe, view):
    chosen = {"grounding": "surroundings", "grounding_weight": 4.0, "grounding_view": view}
    settings = load_settings(
        recipe,
        TINY
        | {"data.source": str(file), "data.positions": 4, "steps": 60, "checkpoint_every": 60}
        | {"optimizer.lr": 0.01}
        | {f"objective.{name}": value for name, value in chosen.items()},
    )
    corpus = open_corpus(settings)
    said = network_surroundings(network_of(corpus.carried, corpus.featurizer))
    graph = corpus.dataset.graph(3)
    np.testing.assert_array_equal(graph.grounding, said[graph.node_id.numpy() - 1])
    run = pretrain(settings, output=tmp_path / "run")
    log = log_of(run.folder)
    assert log[-1]["grounding_loss"] < 0.8 * log[0]["grounding_loss"]
    assert load(run.folder, device="cpu").embed(["n 3"]).shape == (1, 32)


def test_the_term_can_be_left_out(file):
    settings = load_settings("ppi", {"data.source": str(file), "objective.grounding_weight": 0})
    corpus = open_corpus(settings)
    assert corpus.dataset.grounding is None
    assert build_model(settings, corpus.featurizer).grounding_head is None
