"""The suite from a user's table to files: same code as for MoleculeNet."""

import json
import math
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, RDConfig, rdBase

import molvec
from molvec.benchmarking import BenchmarkSettings, UserTable, run_benchmark
from molvec.benchmarking.settings import suite_datasets
from molvec.config import load_finetune_settings
from molvec.data.labelled import read_labelled
from molvec.errors import UserError
from molvec.evaluate.aggregate import CHOSEN
from molvec.evaluate.cells import CellStore
from molvec.evaluate.suite import SUITES

TINY = {"epochs": 2, "batch_size": 16}


ROWS = 160


def molecules():
    """Molecules of 5 to 20 atoms of the NCI set."""
    texts = (Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi").read_text().splitlines()
    with rdBase.BlockLogs():
        mols = ((text.split()[0], Chem.MolFromSmiles(text.split()[0])) for text in texts)
        usable = (text for text, mol in mols if mol is not None and 5 <= mol.GetNumAtoms() <= 20)
        return list(islice(usable, ROWS))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Does a molecule hold oxygen? A second label is missing in every third row."""
    path = tmp_path_factory.mktemp("table") / "mine.csv"
    smiles = molecules()
    oxygen = [int("O" in text) for text in smiles]
    nitrogen = [int("N" in text) if i % 3 else "" for i, text in enumerate(smiles)]
    mass = [len(text) / 7 for text in smiles]
    frame = pd.DataFrame({"S": smiles, "oxygen": oxygen, "nitrogen": nitrogen, "mass": mass})
    frame = pd.concat([frame, pd.DataFrame({"S": ["garbage"], "oxygen": [1], "mass": [1]})])
    frame.to_csv(path, index=False)
    return path


def settings(path, **changes):
    chosen = {
        "table": UserTable(path, ("oxygen", "nitrogen"), "classification", "S"),
        "split": "random",
        "seeds": 2,
        "trees": 20,
        "draws": 2,
        "fractions": (0.5, 1.0),
        "finetune": load_finetune_settings(TINY),
    }
    return BenchmarkSettings(**(chosen | changes))


@pytest.fixture(scope="module")
def finished(table, run, tmp_path_factory):
    lines = []
    output = tmp_path_factory.mktemp("benchmark") / "out"
    result = run_benchmark(
        settings(table, protocols=("frozen", "finetune", "label-efficiency")),
        output=output,
        model=run.folder,
        command="molvec benchmark ...",
        report=lines.append,
    )
    return result, lines


def test_every_row_is_there(finished):
    rows = finished[0].results
    rows = rows[rows["metric"] == "roc_auc"]
    frozen = rows[rows["protocol"] == "frozen"]
    assert {(r.representation, r.head) for r in frozen.itertuples()} == {
        (name, head)
        for name in ("pretrained", "random start", "ECFP4 counts", "RDKit descriptors")
        for head in ("linear", "forest", "kernel", CHOSEN)
    }
    trained = rows[rows["protocol"] == "finetune"]
    assert {(r.representation, r.head) for r in trained.itertuples()} == {
        (name, head)
        for name in ("pretrained", "trained from scratch")
        for head in ("fine-tuned, best", "fine-tuned, last")
    }
    assert (rows["num_seeds"] == 2).all()  # a random split is another one for every seed
    assert rows["mean"].between(0, 1).all()
    assert (rows["num_tasks"] == 2).all()
    assert (rows["split_sha256"].str.count(";") == 1).all()


def test_oxygen_is_in_the_fingerprint(finished):
    rows = finished[0].results.set_index(["representation", "head", "metric"])
    assert rows.loc[("ECFP4 counts", "linear", "roc_auc"), "mean"].item() > 0.6


def test_efficiency(finished):
    curve = finished[0].efficiency
    linear = curve[(curve["representation"] == "ECFP4 counts") & (curve["head"] == "linear")]
    assert linear["fraction"].tolist() == [0.5, 1.0]
    assert linear["num_draws"].tolist() == [2, 1]
    half, whole = linear["num_labels"]
    assert half == pytest.approx(whole / 2, rel=0.2)
    assert set(curve["representation"]) == {
        "pretrained", "random start", "ECFP4 counts", "RDKit descriptors", "trained from scratch"
    }  # fmt: skip


def test_files(finished, table):
    result, lines = finished
    saved = pd.read_csv(result.folder / "results.csv")
    tables = (result.folder / "results.md").read_text(encoding="utf-8")
    assert "| pretrained, fine-tuned, best | " in tables
    assert "**mine, ROC-AUC \N{MULTIPLICATION SIGN} 100 by share of the training labels**" in tables
    np.testing.assert_allclose(saved["mean"], result.results["mean"])
    record = json.loads((result.folder / "results.json").read_text())
    assert record["command"] == "molvec benchmark ..."
    (machine,) = record["machines"]
    assert machine["molvec"] == molvec.__version__
    assert machine["cells"] == len(record["cells"])
    assert record["model"]["encoder"]["dim"] == 64
    assert len(record["model"]["weights_sha256"]) == 64
    about = record["data"]["mine"]
    assert (about["molecules"], about["rows"]) == (ROWS, ROWS + 1)
    assert list(about["dropped"].values()) == [1]
    assert [split["seed"] for split in about["splits"]] == [0, 1]
    assert sum(about["splits"][0]["sizes"]) == ROWS
    assert len(record["results"]) == len(saved)
    assert result.report.read_text().lower().startswith("<!doctype html>")
    assert any("not valid SMILES" in line for line in lines)


def test_the_same_command_continues(finished, table, run, monkeypatch):
    """Nothing is computed again; a lost cell is, and gives the same numbers."""
    result, _ = finished
    chosen = settings(table)
    cells = sorted((result.folder / "cells").glob("*.json"))
    lost = next(
        path for path in cells
        if json.loads(path.read_text())["representation"] == "ECFP4 counts"
        and json.loads(path.read_text())["head"] == "forest"
        and json.loads(path.read_text())["protocol"] == "frozen"
    )  # fmt: skip
    lost.unlink()
    saved = []
    save = CellStore.save
    monkeypatch.setattr(
        CellStore, "save", lambda self, cell, **options: (saved.append(cell), save(self, cell))
    )
    again = run_benchmark(chosen, output=result.folder, model=run.folder)
    assert [(cell.key.representation, cell.key.head) for cell in saved] == [
        ("ECFP4 counts", "forest")
    ]
    before = result.results[result.results["protocol"] == "frozen"].reset_index(drop=True)
    columns = ["dataset", "representation", "head", "metric", "mean", "std", "low", "high"]
    pd.testing.assert_frame_equal(again.results[columns], before[columns])


def test_killed_between_two_cells(table, tmp_path, monkeypatch):
    """What was finished before the kill is kept; the rest is done by the same call."""
    chosen = settings(table, seeds=1)
    whole = run_benchmark(chosen, output=tmp_path / "whole")
    save, done = CellStore.save, []

    def dying(self, cell, **options):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(cell)
        save(self, cell, **options)

    monkeypatch.setattr(CellStore, "save", dying)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(chosen, output=tmp_path / "killed")
    monkeypatch.setattr(CellStore, "save", save)
    assert len(list((tmp_path / "killed" / "cells").glob("*.json"))) == 2
    rest = run_benchmark(chosen, output=tmp_path / "killed")
    numbers = ["representation", "head", "metric", "mean", "low", "high"]
    pd.testing.assert_frame_equal(rest.results[numbers], whole.results[numbers])


def test_baselines_of_shipped_sets_are_kept_for_the_next_model(table, run, tmp_path, monkeypatch):
    data = read_labelled(table, smiles_column="S", targets=["mass"], task="regression")
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("molvec.benchmarking.datasets.load_labelled", lambda name: data)
    chosen = settings(None, table=None, datasets=("esol",), seeds=1, heads=("linear",))
    alone, later = [], []
    run_benchmark(chosen, output=tmp_path / "alone", report=alone.append)
    result = run_benchmark(chosen, output=tmp_path / "later", model=run.folder, report=later.append)
    assert [line for line in alone if line.endswith("kept)")] == []
    kept = [line.split(",")[0] for line in later if line.endswith("kept)")]
    assert set(kept) == {"mine: ECFP4 counts", "mine: RDKit descriptors"}
    fitted = result.results[result.results["head"] != CHOSEN]
    assert (
        len(list((tmp_path / "later" / "cells").glob("*.json")))
        == fitted[["representation", "head"]].drop_duplicates().shape[0]
    )
    shared = [
        json.loads(path.read_text())["representation"]
        for path in (tmp_path / "cache" / "cells").glob("*.json")
    ]
    assert "random start" in shared
    assert "pretrained" not in shared


def test_own_labels_stay_in_the_output_folder(table, tmp_path, monkeypatch):
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    run_benchmark(settings(table, seeds=1, heads=("linear",)), output=tmp_path / "out")
    assert list((tmp_path / "out" / "cells").glob("*.json"))
    assert not (tmp_path / "cache" / "cells").exists()


def test_without_a_model_baselines_alone(table, tmp_path):
    frame = molvec.benchmark(
        data=table, smiles_column="S", target="mass", task="regression",
        output=tmp_path, split="random", seeds=1, trees=10,
    )  # fmt: skip
    assert set(frame["representation"]) == {"ECFP4 counts", "RDKit descriptors"}
    assert set(frame["metric"]) == {"rmse", "mae"}
    own = frame[(frame["representation"] == "ECFP4 counts") & (frame["head"] == "forest")]
    assert own["low"].isna().all()
    other = frame[frame["representation"] == "RDKit descriptors"]
    assert (other["low"] <= other["high"]).all()
    assert frame["std"].isna().all()  # one seed has no spread


def test_interval_holds_the_difference(finished):
    rows = finished[0].results
    base = rows[(rows["representation"] == "ECFP4 counts") & (rows["head"] == "forest")]
    for row in rows.itertuples():
        if math.isnan(row.difference):
            continue
        theirs = base[base["metric"] == row.metric]["mean"].item()
        assert row.difference == pytest.approx(row.mean - theirs)
        assert row.low <= row.high


def test_deduplicated(table, tmp_path):
    frame = pd.read_csv(table)
    twice = tmp_path / "mine.csv"
    pd.concat([frame, frame.iloc[:5]]).to_csv(twice, index=False)
    lines = []
    chosen = settings(twice, dedupe=True, seeds=1, heads=("linear",))
    result = run_benchmark(chosen, output=tmp_path / "out", report=lines.append)
    assert result.results[["n_train", "n_valid", "n_test"]].iloc[0].sum() == ROWS
    assert f"mine: {ROWS} molecules without repeats" in lines


def test_suites():
    assert suite_datasets(["moleculenet"]) == SUITES["moleculenet"]
    assert len(SUITES["moleculenet"]) == 10
    assert set(SUITES["moleculenet-full"]) - set(SUITES["moleculenet"]) == {"muv", "qm7", "qm8"}
    assert suite_datasets(["esol", "moleculenet-small"])[0] == "esol"
    assert len(suite_datasets(["esol", "moleculenet-small"])) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocols": ("frozn",)}, "no protocol 'frozn'. Did you mean 'frozen'"),
        ({"heads": ("tree",)}, "no head 'tree'"),
        ({"split": "scafold_hu"}, "Did you mean 'scaffold_hu'"),
        ({"datasets": ("bbbp",)}, "not both"),
        ({"table": None}, "not both"),
        ({"table": None, "datasets": ("bbpp",)}, "Did you mean 'bbbp'"),
        ({"table": None, "datasets": ("zinc",)}, "no data set 'zinc'"),
        ({"seeds": 0}, "at least 1"),
        ({"fractions": (0.0,)}, "above 0 and at most 1"),
    ],
)
def test_settings_are_checked_first(table, change, message):
    with pytest.raises(UserError, match=message):
        settings(table, **change)


def test_output_that_cannot_be_written(table, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="choose another --output"):
        run_benchmark(settings(table), output=tmp_path / "file" / "out")


def test_baselines_stand_beside_every_protocol(table, tmp_path):
    chosen = settings(table, protocols=("label-efficiency",), heads=("linear",), trained=False)
    result = run_benchmark(chosen, output=tmp_path)
    rows = result.results
    assert set(rows["protocol"]) == {"frozen"}
    assert {(r.representation, r.head) for r in rows.itertuples()} == {
        (name, head)
        for name in ("ECFP4 counts", "RDKit descriptors")
        for head in ("linear", "forest", CHOSEN)
    }
    assert len(result.efficiency) == 4
    assert (tmp_path / "label_efficiency.csv").exists()
    run_benchmark(settings(table), output=tmp_path)
    assert not (tmp_path / "label_efficiency.csv").exists()  # it belonged to another table


def test_two_models_do_not_share_a_folder(finished, table):
    result, _ = finished
    before = (result.folder / "results.csv").read_bytes()
    with pytest.raises(UserError, match="holds the results of another model"):
        run_benchmark(settings(table), output=result.folder)
    assert (result.folder / "results.csv").read_bytes() == before


def test_the_record_tells_each_score_and_where_it_was_computed(finished, table, run, monkeypatch):
    result, _ = finished
    monkeypatch.setattr("molvec.benchmarking.run.describe", lambda: {"commit": "later"})
    lines = []
    run_benchmark(settings(table), output=result.folder, model=run.folder, report=lines.append)
    record = json.loads((result.folder / "results.json").read_text())
    assert "later" not in [machine["commit"] for machine in record["machines"]]
    assert any(line.endswith("s, kept)") for line in lines)
    forests = [c for c in record["cells"] if c["features"].startswith("ecfp4") and
               c["head"] == "forest"]  # fmt: skip
    table_row = next(
        r for r in record["results"]
        if (r["representation"], r["head"], r["metric"]) == ("ECFP4 counts", "forest", "roc_auc")
    )  # fmt: skip
    assert np.mean([c["test"]["roc_auc"] for c in forests]) == pytest.approx(table_row["mean"])
    assert np.mean([c["valid"] for c in forests]) == pytest.approx(table_row["valid"])
    assert all(r["valid"] is None for r in record["results"] if r["metric"] == "pr_auc")


def test_a_cell_that_cannot_be_computed_does_not_lose_the_others(table, tmp_path, monkeypatch):
    import molvec.benchmarking.jobs as module

    fit = module.frozen_cell

    def failing(key, *args, **options):
        if key.head == "forest" and key.seed == 1:
            raise UserError("no luck")
        return fit(key, *args, **options)

    monkeypatch.setattr(module, "frozen_cell", failing)
    result = run_benchmark(settings(table), output=tmp_path)
    assert len(result.failures) == 2
    assert result.failures[0] == "mine: ECFP4 counts, forest, seed 1: no luck"
    seeds = result.results.set_index(["representation", "head"])["num_seeds"]
    assert seeds["ECFP4 counts", "forest"].tolist() == [1, 1]
    assert seeds["ECFP4 counts", "linear"].tolist() == [2, 2]
    assert "no luck" in result.report.read_text()


def test_nothing_computed_is_an_error(table, tmp_path, monkeypatch):
    def failing(key, *args, **options):
        raise UserError("no luck")

    monkeypatch.setattr("molvec.benchmarking.jobs.frozen_cell", failing)
    with pytest.raises(UserError, match="no luck"):
        run_benchmark(settings(table), output=tmp_path)


def test_repeated_options_count_once(table):
    chosen = settings(table, heads=("linear", "forest", "linear"), fractions=(0.5, 0.5, 1.0))
    assert chosen.heads == ("linear", "forest")
    assert chosen.fractions == (0.5, 1.0)
    with pytest.raises(UserError, match="do not set seed"):
        settings(table, finetune=load_finetune_settings({"seed": 7}))


def test_parts_without_labels_do_not_lose_the_others(table, tmp_path, monkeypatch):
    import molvec.benchmarking.run as module

    check, first = module.check_split, []

    def failing(data, split, report):
        first.append(split.sha256)
        if split.sha256 != first[0]:
            raise UserError("no labels in the test part")
        check(data, split, report)

    monkeypatch.setattr(module, "check_split", failing)
    result = run_benchmark(settings(table, heads=("linear",)), output=tmp_path)
    assert result.failures
    assert all(line.endswith("no labels in the test part") for line in result.failures)
    assert set(result.results["num_seeds"]) == {1}


def test_a_users_table_is_no_set_of_the_suite_of_the_same_name(table, tmp_path, monkeypatch):
    import molvec.benchmarking.output as module

    asked, published = [], module.published_rows
    monkeypatch.setattr(module, "published_rows", lambda n: asked.append(n) or published(n))
    path = tmp_path / "toxcast.csv"
    path.write_bytes(table.read_bytes())
    chosen = settings(path, heads=("forest",), trees=None)
    result = run_benchmark(chosen, output=tmp_path / "out")
    assert set(result.results["num_seeds"]) == {2}  # of toxcast itself there is one forest
    assert asked == [[]]
