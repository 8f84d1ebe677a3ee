"""The table of a suite of networks."""

import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.cells import Cell, CellKey
from molvec.evaluate.network_table import gain_markdown, network_frame, network_markdown
from molvec.evaluate.score_table import DASH

TIMES = "\N{MULTIPLICATION SIGN}"


def cell(dataset, representation, seed, micro):
    names = ("data", "split", "sha", "nodes")
    key = CellKey(dataset, *names, representation, "key", "linear", seed)
    precision = np.array([micro / 2, np.nan, micro / 4])
    scores = {"micro_f1": np.array([micro]), "macro_f1": np.array([0.1]), "pr_auc": precision}
    return Cell(key, scores, 0.5, {}, 9, 1.0, np.zeros((1, 3)))


@pytest.fixture
def frame():
    cells = [cell("a", "degree", 0, 0.2), cell("a", "pretrained", 0, 0.4)]
    return network_frame([*cells, cell("a", "pretrained", 1, 0.6), cell("b", "degree", 0, 0.3)])


def test_means_and_spread_over_seeds(frame):
    rows = frame.set_index(["dataset", "representation", "metric"])
    two = rows.loc[("a", "pretrained", "micro_f1")]
    assert two[["mean", "std", "num_seeds"]].tolist() == pytest.approx([0.5, np.sqrt(0.02), 2])
    one = rows.loc[("a", "degree", "pr_auc")]
    assert one["mean"] == pytest.approx((0.1 + 0.05) / 2)  # of the labels that are defined
    assert pd.isna(one["std"])


def test_markdown(frame):
    lines = network_markdown(frame).splitlines()
    assert lines[0] == f"**Micro-F1 {TIMES} 100**"
    table = lines[2:6]
    assert table[0] == "|  | a | b |"
    assert table[2] == f"| pretrained | **50.0 ±14.1** | {DASH} |"
    assert table[3] == "| degree | 20.0 | **30.0** |"
    assert f"**Average precision {TIMES} 100**" in lines


def test_gains_are_taken_seed_by_seed():
    """Parts that are hard for both rows do not hide a gain that every seed has."""
    scores = {"pretrained": (0.3, 0.6, 0.45), "random start": (0.2, 0.52, 0.33)}
    cells = [
        cell("a", row, seed, micro)
        for row, each in scores.items()
        for seed, micro in enumerate(each)
    ]
    lone = [cell("b", "pretrained", 0, 0.5), cell("b", "random start", 0, 0.6)]
    title, _, *table = gain_markdown([*cells, *lone, cell("c", "pretrained", 0, 0.5)]).splitlines()
    assert title == "**Pretrained less random start, seed by seed**"
    assert table[0] == "|  | a | b |"
    assert table[2] == "| Micro-F1 | **+10.0 ±2.0** | -10.0 |"
    assert table[3] == "| Macro-F1 | +0.0 ±0.0 | +0.0 |"
    assert gain_markdown([cell("c", "pretrained", 0, 0.5)]) == ""
