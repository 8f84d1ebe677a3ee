"""The table of a suite of networks."""

import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.cells import Cell, CellKey
from molvec.evaluate.network_table import network_frame, network_markdown
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
