import re

import numpy as np
import pandas as pd
import pytest

from molvec.errors import UserError
from molvec.evaluate.report import headline, table_rows, write_report
from tests.pages import Page

EVIL = "</script><script>alert(1)</script>"


def scores(pretrained: dict[str, float], random: dict[str, float]) -> pd.DataFrame:
    rows = [("pretrained", p, v, 0.1, 0.1, 80, 20) for p, v in pretrained.items()]
    rows += [("random start", p, v, 0.2, 0.2, 80, 20) for p, v in random.items()]
    columns = ["representation", "property", "r2", "rmse", "mae", "n_train", "n_test"]
    return pd.DataFrame(rows, columns=columns)


TABLE = scores({"logP": 0.8, "QED": 0.5}, {"logP": 0.4, "QED": 0.6})
NO_TABLE = TABLE.iloc[:0]


def full_report(path):
    rng = np.random.default_rng(0)
    steps = np.arange(0, 500, 5)
    history = pd.DataFrame(
        {
            "step": steps,
            "loss": 1 / (1 + steps),
            "target_std": 1.0,
            "prediction_std": 0.5,
            "effective_rank": 30.0,
            "molecules_per_second": 1234.0,
            "lr": 5e-4,
        }
    )
    return write_report(
        path,
        title="a run",
        intro="what was done",
        table=TABLE,
        history=history,
        embedding=rng.normal(size=(30, 8)),
        smiles=["CCO", "c1ccccc1", "not a molecule"] * 10,
        color=np.array([1.5, np.nan, 2.5] * 10),
        color_label="logP",
        settings={"model": {"dim": 128}, "seed": 0},
        facts={"command": "molvec pretrain x --seed 0", "torch": "2.13.0"},
        notes=["two rows left out"],
    )


def test_page_holds_everything_and_needs_nothing(tmp_path):
    path = full_report(tmp_path / "new" / "report.html")
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert page.addresses == []
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", html)
    assert "link" not in page.tags
    for text in (
        "Pretrained beats random start on 1 of 2 properties: mean R² 0.65 against 0.50.",
        "what was done",
        "model.dim",
        "128",
        "molvec pretrain x --seed 0",
        "two rows left out",
        "1,234 molecules per second",
        "learning rate 0.0005",
        "prefers-color-scheme: dark",
    ):
        assert text in html
    assert html.count('class="chart"') == 3
    molecules = page.molecules()
    assert len(molecules) == 30
    assert molecules[0]["smiles"] == "CCO"
    assert 'data-m="0" data-v="logP 1.5"' in html
    assert 'data-m="1"/>' not in html  # a missing value is said, not left out
    assert {color for color, _, _ in molecules[0]["paths"]} == {"ink", "oxygen"}
    assert molecules[2]["paths"] == []
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]  # no temporary file


def test_everything_is_escaped(tmp_path):
    table = TABLE.assign(property=[EVIL, "QED", EVIL, "QED"])
    path = write_report(
        tmp_path / "r.html",
        title=EVIL,
        intro=EVIL,
        table=table,
        history=pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5]}),
        embedding=np.eye(3),
        smiles=[EVIL, "CCO", "CC"],
        color=np.arange(3.0),
        color_label=EVIL,
        settings={EVIL: EVIL},
        facts={"command": EVIL, EVIL: EVIL},
        notes=[EVIL],
        representation="pretrained",
    )
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    assert len(page.scripts) == 2  # the data and the page's own, nothing smuggled in
    assert "<script>alert" not in html
    assert page.molecules()[0]["smiles"] == EVIL


@pytest.mark.parametrize(
    "pieces",
    [
        {},
        {"history": pd.DataFrame()},
        {"history": pd.DataFrame({"step": [10], "loss": [0.3]})},
        {"history": pd.DataFrame({"loss": [np.nan, np.nan]})},
        {"history": pd.DataFrame({"loss": [1.0, None, 0.5], "lr": [None, None, 1e-3]})},
        {"embedding": np.ones((1, 4)), "smiles": ["CCO"]},
        {"embedding": np.ones((1, 4)), "smiles": ["CCO"], "color": np.array([np.nan])},
        {"embedding": np.ones((5, 1)), "smiles": ["C"] * 5, "color": np.ones(5)},
        {"embedding": np.full((2, 3), np.nan), "smiles": ["C", "CC"]},
        {"embedding": np.zeros((0, 3)), "smiles": []},
    ],
)
@pytest.mark.parametrize("table", [TABLE, NO_TABLE, TABLE.assign(r2=np.nan), TABLE.iloc[:1]])
def test_missing_pieces(tmp_path, pieces, table):
    path = write_report(tmp_path / "r.html", title="t", intro="", table=table, **pieces)
    Page(path.read_text(encoding="utf-8"))


def test_lengths_that_do_not_fit(tmp_path):
    arguments = {"title": "t", "intro": "", "table": TABLE, "embedding": np.eye(3)}
    with pytest.raises(ValueError, match="3 embeddings but 2 SMILES"):
        write_report(tmp_path / "r.html", smiles=["C", "C"], **arguments)
    with pytest.raises(ValueError, match="3 embeddings but 1 colour"):
        write_report(tmp_path / "r.html", smiles=["C"] * 3, color=np.ones(1), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "r.html"
    path.write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(UserError, match=r"cannot write .*r\.html: full"):
        write_report(path, title="t", intro="", table=TABLE)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_size_with_many_molecules(tmp_path):
    drug = "CC(C)Cc1ccc(cc1)C(C)C(=O)N[C@@H](Cc1ccncc1)C(=O)OCCN1CCOCC1"
    path = write_report(
        tmp_path / "r.html",
        title="t",
        intro="",
        table=NO_TABLE,
        embedding=np.random.default_rng(0).normal(size=(700, 16)),
        smiles=[drug] * 700,
    )
    assert len(Page(path.read_text(encoding="utf-8")).molecules()) == 500
    assert path.stat().st_size < 4e6


def test_headline_is_honest():
    assert headline(scores({"a": 0.5, "b": 0.6}, {"a": 0.4, "b": 0.5})).startswith(
        "Pretrained beats random start on all 2 properties"
    )
    assert "on none of 2" in headline(scores({"a": 0.3, "b": 0.2}, {"a": 0.4, "b": 0.5}))
    assert "does not beat" in headline(scores({"a": 0.3}, {"a": 0.4}))
    assert "mean R² \N{MINUS SIGN}0.30 against 0.40" in headline(scores({"a": -0.3}, {"a": 0.4}))
    assert headline(NO_TABLE) == "There are no probe results to compare."
    assert headline(scores({"a": 0.3}, {})) == "There are no probe results to compare."


def test_over_seeds_only_what_exceeds_the_spread_counts():
    table = pd.concat(
        [
            scores({"a": 0.80, "b": 0.50}, {"a": 0.60, "b": 0.48}),
            scores({"a": 0.82, "b": 0.60}, {"a": 0.62, "b": 0.50}),
        ]
    )
    assert "on 1 of 2 properties by more than the spread over seeds" in headline(table)
    first, second = table_rows(table)
    assert [c.best for c in first.cells] == [True, False]
    assert [c.best for c in second.cells] == [False, False]
    assert first.cells[0].text == "0.810"
    assert first.cells[0].spread == "± 0.014"


def test_best_value_is_marked():
    first, second = table_rows(TABLE)
    assert [c.best for c in first.cells] == [True, False]
    assert [c.best for c in second.cells] == [False, True]
    equal = table_rows(scores({"a": 0.50001, "b": -2.0}, {"a": 0.50002, "b": np.nan}))
    assert [c.best for c in equal[0].cells] == [False, False]
    assert equal[1].cells[0].bar == 0
    assert equal[1].cells[1] is None
