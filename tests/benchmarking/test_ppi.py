"""The suite of networks: every row by the same protocol, what is finished is kept."""

import json
import signal

import numpy as np
import pandas as pd
import pytest
import yaml

from molvec.benchmarking import network_representations, ppi
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.ppi import benchmark_ppi
from molvec.errors import UserError
from molvec.evaluate.metrics import score
from tests.data.network_toys import fields, networks  # noqa: F401

TINY = {
    "data.sample_nodes": 6,
    "data.positions": 4,
    "encoder.dim": 16,
    "encoder.depth": 1,
    "encoder.heads": 2,
    "student.predictor_width": 16,
    "student.predictor_heads": 2,
    "steps": 6,
    "batch_size": 8,
    "accelerator": "cpu",
    "precision": "32-true",
}
ROWS = ["pretrained", "random start", "node2vec", "positions", "surroundings", "degree"]


@pytest.fixture
def groups(networks, monkeypatch):  # noqa: F811
    """A data set: three communities of proteins, each of a class of its own."""
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], 14)
    nodes = "name\tclass\tdescription\n" + "".join(
        f"P{i}\t{'ABC'[k]}\t\n" for i, k in enumerate(kinds)
    )
    pairs = [
        (i, j)
        for i in range(42)
        for j in range(i)
        if rng.random() < (0.5 if kinds[i] == kinds[j] else 0.03)
    ]
    edges = "source\ttarget\tconfidence\n" + "".join(f"P{i}\tP{j}\thigh\n" for i, j in pairs)
    files = {"nodes.tsv": nodes, "edges.tsv": edges}
    card = fields("groups", "classes", files, {"nodes": 42, "edges": len(pairs)}, (3, 42))
    (networks / "groups.yaml").write_text(yaml.safe_dump(card))
    folder = networks.parent / "mirror" / "groups"
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text)
    monkeypatch.setattr(network_representations, "WIDTH", 4)
    monkeypatch.setattr(
        "molvec.evaluate.node2vec.node2vec", lambda network, *, seed: VECTORS + seed
    )


VECTORS = np.random.default_rng(0).normal(size=(42, 3)).astype(np.float32)


def suite(output, **arguments):
    lines = []
    given = {"names": ["groups"], "seeds": 2, "overrides": TINY} | arguments
    return benchmark_ppi(output=output, report=lines.append, **given), lines


def test_pairs(networks, tmp_path, monkeypatch):  # noqa: F811
    """Of pairs that have labels, a head reads what their two nodes are."""
    monkeypatch.setattr(network_representations, "WIDTH", 4)
    monkeypatch.setattr(
        "molvec.evaluate.node2vec.node2vec",
        lambda network, *, seed: np.array([[1 - 2 * (int(n[1:]) % 2)] for n in network.names]),
    )
    ends = [(i, j) for i in range(20) for j in range(i) if (i + j) % 3]
    lines = [f"P{i}\tP{j}\t{'reaction' if (i + j) % 2 else 'binding'}" for i, j in ends]
    text = "\n".join(["item_id_a\titem_id_b\tmode", *lines]) + "\n"
    files = {"edges.tsv": text}
    card = fields("kinds", "actions", files, {"nodes": 20, "edges": len(ends)}, (2, len(ends)))
    (networks / "kinds.yaml").write_text(yaml.safe_dump(card))
    folder = networks.parent / "mirror" / "kinds"
    folder.mkdir()
    (folder / "edges.tsv").write_text(text)
    suite(tmp_path / "out", names=["kinds"], seeds=1)
    frame = pd.read_csv(tmp_path / "out" / "results.csv")
    scores = frame[frame["metric"] == "micro_f1"].set_index("representation")["mean"]
    assert list(scores.index) == ROWS
    assert scores["node2vec"] == 1.0  # here even or odd, and so the product tells it
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert record["data"]["kinds"]["labelled"] == len(ends)


def test_suite(groups, tmp_path, monkeypatch):
    result, lines = suite(tmp_path / "out", command="molvec benchmark ppi groups")
    frame = pd.read_csv(tmp_path / "out" / "results.csv")
    assert list(frame["representation"].unique()) == ROWS
    assert (frame["num_seeds"] == 2).all()
    assert set(frame["metric"]) == {"micro_f1", "macro_f1", "pr_auc"}
    scores = frame[frame["metric"] == "micro_f1"].set_index("representation")["mean"]
    assert scores["positions"] > 0.8 > scores["node2vec"]  # noise here
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    assert document["data"]["groups"]["models"][1]["training"]["settings"]["seed"] == 1
    assert (tmp_path / "out" / "results.md").read_text() == result.table
    assert "`molvec benchmark ppi groups`" in result.table

    # Again: nothing is computed; with one more seed only what is new.
    monkeypatch.setattr(ppi, "_cell", None)
    again, lines = suite(tmp_path / "out", command="molvec benchmark ppi groups")
    assert again.table == result.table
    assert not any("pretraining" in line for line in lines)


def test_the_test_part_is_not_seen(groups, tmp_path, monkeypatch):
    seen = []
    fit = ppi.fit_multilabel

    def spy(train_x, train_y, valid_x, valid_y):
        seen.append((len(train_x), len(valid_x)))
        return fit(train_x, train_y, valid_x, valid_y)

    monkeypatch.setattr(ppi, "fit_multilabel", spy)
    monkeypatch.setattr(ppi, "score", lambda m, y, p: seen.append(len(y)) or score(m, y, p))
    suite(tmp_path / "out", seeds=1)
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    train, valid, test = document["data"]["groups"]["splits"][0]["sizes"]
    assert train + valid + test == 42
    assert {pair for pair in seen if isinstance(pair, tuple)} == {(train, valid)}
    assert {size for size in seen if isinstance(size, int)} == {test}


def test_a_model_of_ones_own(groups, tmp_path):
    suite(tmp_path / "first", seeds=1)
    run = tmp_path / "first" / "runs" / "groups-0"
    result, _ = suite(tmp_path / "out", model=str(run), overrides={})
    frame = pd.read_csv(result.folder / "results.csv").set_index(["representation", "metric"])
    assert frame.loc[("pretrained", "micro_f1"), "num_seeds"] == 2  # two splits
    assert not (tmp_path / "out" / "runs").exists()
    for arguments, message in (
        ({"model": str(run)}, "--model is pretrained"),
        ({"model": str(run), "names": ["tables", "groups"]}, "a model knows one network"),
        ({"model": str(run), "names": ["tables"], "overrides": {}}, "another network than tables"),
        ({"names": ["group"]}, "no network 'group' with labels. Did you mean 'groups'?"),
        ({"overrides": {"seed": 3}}, "the suite chooses seed"),
        ({"overrides": {"mask.ratios": 0.1}}, "unknown setting 'mask.ratios'"),
    ):
        with pytest.raises(UserError, match=message.replace("?", r"\?")):
            suite(tmp_path / "other", **arguments)


def test_runs_with_other_settings_are_not_mixed(groups, tmp_path):
    suite(tmp_path / "out", seeds=1)
    with pytest.raises(UserError, match="holds a run with other settings"):
        suite(tmp_path / "out", seeds=1, overrides=TINY | {"steps": 7})


def test_a_killed_run_continues(groups, tmp_path, monkeypatch):
    whole, _ = suite(tmp_path / "whole", seeds=1)
    from molvec.benchmarking import network_runs

    real = network_runs._reporter

    def stopping(*arguments):
        tell = real(*arguments)

        def stop(progress, values, steps):
            tell(progress, values, steps)
            if progress.step >= 3:
                signal.raise_signal(signal.SIGINT)

        return stop

    short = TINY | {"log_every": 1, "checkpoint_every": 2}
    monkeypatch.setattr(network_runs, "_reporter", stopping)
    with pytest.raises(KeyboardInterrupt):
        suite(tmp_path / "out", seeds=1, overrides=short)
    monkeypatch.setattr(network_runs, "_reporter", real)
    continued, _ = suite(tmp_path / "out", seeds=1, overrides=TINY)
    assert continued.table.splitlines()[:12] == whole.table.splitlines()[:12]


def test_a_row_that_fails_is_named(groups, tmp_path, monkeypatch):
    def fail(network, *, seed):
        raise UserError("node2vec needs gensim")

    monkeypatch.setattr("molvec.evaluate.node2vec.node2vec", fail)
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    result, lines = suite(tmp_path / "out", seeds=1)
    assert result.failures == ("groups: node2vec: node2vec needs gensim",)
    assert "not computed: groups: node2vec: node2vec needs gensim" in lines
    assert "node2vec" not in result.table.split("Linear heads")[0]


def test_the_command_line(groups, cli, refused, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    sets = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    code, out, err = cli("benchmark", "ppi", "groups", "--seeds", 1, "-o", tmp_path / "o", *sets)
    assert code == 0, err
    for name in ROWS:
        assert name in out
    assert "groups: pretrained, seed 0: micro_f1" in err
    assert "--head has no meaning for the suite ppi" in refused("benchmark", "ppi", "--head", "mlp")
    assert "--split has no" in refused("benchmark", "ppi", "--split", "scaffold_hu")
    assert "a suite of its own: molvec benchmark ppi" in refused("benchmark", "bbbp", "ppi")
    assert "no network 'x' with labels" in refused("benchmark", "ppi", "x")
    (tmp_path / "file").write_text("")
    message = refused("benchmark", "ppi", "groups", "-o", tmp_path / "file" / "o", *sets)
    assert "cannot write to" in message


def test_random_start_knows_what_the_model_carries(groups, tmp_path):
    """Positions follow the seed of pretraining: one row is not taken for the other."""
    suite(tmp_path / "out")
    one, two = (ModelFolder(tmp_path / "out" / "runs" / f"groups-{seed}") for seed in (0, 1))
    assert one.architecture_key == two.architecture_key
    assert one.random_key != two.random_key
    assert one.random_key == ModelFolder(tmp_path / "out" / "runs" / "groups-0").random_key


def test_features_at_a_relative_path_continue(groups, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = "id,x\n" + "".join(f"P{i},{i}\n" for i in range(42))
    (tmp_path / "f.csv").write_text(table)
    given = TINY | {"data.features": "f.csv"}
    suite(tmp_path / "out", seeds=1, overrides=given)
    _, lines = suite(tmp_path / "out", seeds=1, overrides=given)
    assert not [line for line in lines if "pretraining" in line]
    assert any("pretrained" in line and "kept" in line for line in lines)
