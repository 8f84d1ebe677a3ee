"""Quoted rows."""

import pytest

from molvec.evaluate.published import published_rows
from molvec.evaluate.suite import CLASSIFICATION, SUITES


def test_means_are_those_the_papers_state():
    rows = published_rows(SUITES["moleculenet-full"])
    table = rows.pivot(index="method", columns="dataset", values="value")
    eight = [*CLASSIFICATION, "muv"]
    assert table.loc["GraphMAE", eight].mean() == pytest.approx(0.738, abs=5e-4)
    assert table.loc["Mole-BERT", eight].mean() == pytest.approx(0.740, abs=5e-4)
    assert table.loc["from scratch (GIN)", eight].mean() == pytest.approx(0.670, abs=5e-4)
    assert table.loc["Uni-Mol (3D)", "esol"] == 0.788  # RMSE is not a percentage


def test_every_row_names_source_and_protocol():
    rows = published_rows(["bbbp"])
    assert set(rows["dataset"]) == {"bbbp", "mean of 8", "mean of 5"}
    assert rows[["source", "protocol"]].map(len).min().min() > 10
    assert rows["metric"].unique().tolist() == ["roc_auc"]
