"""The suite of knowledge graphs, from a card to its tables, on a graph of 24 entities."""

import json
import signal
from dataclasses import replace

import pandas as pd
import pytest
import yaml

from molvec.benchmarking import kg, kg_cells, network_runs
from molvec.benchmarking.kg import benchmark_kg
from molvec.benchmarking.kg_table import SUSPICIOUS, results_frame, warnings
from molvec.data.knowledge_graph import load_knowledge_graph
from molvec.errors import UserError
from molvec.evaluate import entity_types
from molvec.pretraining import pretrain
from tests.data.network_toys import fields, networks  # noqa: F401
from tests.networks import triples
from tests.test_networks import TINY

QUICK = TINY | {"steps": 4, "log_every": 2, "data.positions": 4}


@pytest.fixture
def toys(networks, monkeypatch):  # noqa: F811
    """Two data sets with types, and settings that take no time."""
    lines = sorted(set(triples(edges=300).splitlines(keepends=True)))
    for name in ("one", "two"):
        part = lines[name == "two" :]
        types = {f"n {i}": [f"Q{i % 2}"] for i in range(24)}
        files = {
            "train.txt": "".join(part[::2]) + "n 3\tr0\tn 3\n",
            "valid.txt": "".join(part[1::4]),
            "test.txt": "".join(part[3::4]) + "stranger\tr0\tn 1\n",
            "types.json": json.dumps(types),
            "type_names.json": json.dumps({"Q0": {"label": "even"}}),
        }
        tree = fields(name, "triples", files, {"nodes": 24, "edges": 1, "relations": 3}, None)
        (networks / f"{name}.yaml").write_text(yaml.safe_dump(tree))
        mirror = networks.parent / "mirror" / name
        mirror.mkdir()
        for file, text in files.items():
            (mirror / file).write_text(text)
    monkeypatch.setattr(kg, "DEFAULT", ("one", "two"))
    monkeypatch.setattr(entity_types, "MIN_ENTITIES", 5)
    monkeypatch.setattr(kg_cells, "DIM", 8)
    monkeypatch.setattr(kg_cells, "HIDDEN", 8)
    for name in ("DECODER_TRAINING", "COMPLEX_TRAINING"):
        quick = replace(getattr(kg_cells, name), epochs=2, every=1)
        monkeypatch.setattr(kg_cells, name, quick)


def run(output, *names, **changes):
    lines = []
    arguments = {
        "names": names,
        "model": None,
        "output": output,
        "seeds": 1,
        "jobs": 1,
        "overrides": QUICK,
        "command": "molvec benchmark kg",
        "report": lines.append,
    }
    return benchmark_kg(**arguments | changes), lines


def test_tables_of_two_graphs(toys, tmp_path):
    result, _ = run(tmp_path / "out", seeds=2)
    frame = pd.read_csv(tmp_path / "out" / "results.csv")
    frozen = ["positions alone", "random start", "pretrained"]
    decoders = ("", ", 64 axes", ", hidden layer")
    rows = ["popularity", "ComplEx, end to end", *(r + d for d in decoders for r in frozen)]
    rows.remove("positions alone, 64 axes")  # there are four
    for name in ("one", "two"):
        links = frame[(frame["dataset"] == name) & (frame["task"] == "links")]
        assert links["row"].unique().tolist() == rows
        assert links["mean"].notna().all()
        assert (links.set_index("row").loc["pretrained", "seeds"] == 2).all()
        types = frame[(frame["dataset"] == name) & (frame["task"] == "types")]
        assert types["row"].unique().tolist() == rows[1:5]
    text = (tmp_path / "out" / "results.md").read_text()
    assert text == result.table
    assert "**two, types of entities**" in text
    loops = sum(h == t for h, _, t in load_knowledge_graph("one").train)
    assert f"one: {loops} training triples lead from an entity to itself" in text
    assert "left out, as training never shows their entity or relation: 1 of test" in text
    assert "| ComplEx, end to end |" in text
    assert "100% |" in text
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert record["settings"]["dim"] == 8
    assert {"commit", "torch"} <= set(record["machine"])
    assert record["data"]["one"]["types"] == ["Q1", "even"]
    assert len(record["cells"]) == 2 * (1 + 9 * 2)
    assert record["settings"]["decoders"][", 64 axes"] == {"axes": 64, "hidden": None}


def test_what_is_done_is_kept_and_what_changed_is_not(toys, tmp_path, monkeypatch):
    first, _ = run(tmp_path / "out", "one")

    def never(*args, **options):
        raise AssertionError("fitted again")

    with monkeypatch.context() as patch:
        patch.setattr(kg_cells, "fit_links", never)
        again, lines = run(tmp_path / "out", "one")
        assert again.table == first.table
        assert sum("kept" in line for line in lines) == 10
        patch.setattr(kg_cells, "DROPOUT", 0.3)
        with pytest.raises(AssertionError, match="fitted again"):
            run(tmp_path / "out", "one")
    with pytest.raises(UserError, match="holds a run with other settings; choose another"):
        run(tmp_path / "out", "one", overrides=QUICK | {"optimizer.lr": 0.5})


def test_a_stopped_run_goes_on(toys, tmp_path, monkeypatch):
    def stopped(settings, *, output, report):
        run = pretrain(settings, output=output, report=report)
        run.progress.stopped_by = signal.SIGINT
        return run

    with monkeypatch.context() as patch:
        patch.setattr(network_runs, "pretrain", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "out", "one")
    assert not (tmp_path / "out" / "results.csv").exists()
    run(tmp_path / "out", "one")
    assert (tmp_path / "out" / "results.csv").exists()


def test_a_model_that_is_given(toys, tmp_path):
    run(tmp_path / "own", "one")
    model = str(tmp_path / "own" / "runs" / "one-0")
    result, _ = run(tmp_path / "out", "one", model=model, overrides={})
    assert result.table == (tmp_path / "own" / "results.md").read_text()
    assert not (tmp_path / "out" / "runs").exists()
    with pytest.raises(UserError, match="was not trained on the training triples of two"):
        run(tmp_path / "two", "two", model=model, overrides={})
    with pytest.raises(UserError, match="a model belongs to one network: name it"):
        run(tmp_path / "two", model=model, overrides={})
    with pytest.raises(UserError, match="--set is for pretraining"):
        run(tmp_path / "two", "one", model=model)


def test_mistakes(toys, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"no knowledge graph 'on'\. Did you mean 'one'"):
        run(tmp_path / "out", "on")
    with pytest.raises(UserError, match="Did you mean 'steps'"):
        run(tmp_path / "out", "one", overrides={"step": 3})
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(kg, "load_knowledge_graph", None)  # it is told before anything is read
    with pytest.raises(UserError, match=r"cannot write to .*; choose another --output"):
        run(tmp_path / "file", "one")


def test_a_damaged_cell_is_named(toys, tmp_path):
    run(tmp_path / "out", "one")
    path = next((tmp_path / "out" / "cells").glob("one-complex*"))
    path.write_text("{")
    with pytest.raises(UserError, match="is damaged; remove it"):
        run(tmp_path / "out", "one")


def test_ties_are_pointed_out():
    scores = {"mrr": 0.5, "mrr_optimistic": 0.5 + SUSPICIOUS / 2, "mrr_pessimistic": 0.5}
    cell = kg_cells.KgCell("x", "row", 0, {"test": scores})
    assert warnings(results_frame([cell])) == []
    worse = kg_cells.KgCell("x", "row", 0, {"test": scores | {"mrr_pessimistic": 0.3}})
    (line,) = warnings(results_frame([worse]))
    assert "x, row: the optimistic MRR is 0.205 above" in line
