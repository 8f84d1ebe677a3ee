import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.score_table import (
    BETTER,
    WORSE,
    decided,
    format_score,
    score_table,
)
from tests.suite_frames import result, results


def by_name(table):
    return {row.name: row for row in table.rows}


def test_rows_columns_and_values():
    table = score_table(results(), "roc_auc")
    assert table.datasets == ("bbbp", "clintox", "hiv")
    assert [row.name for row in table.rows] == [
        "pretrained, linear",
        "ECFP4 counts, forest",
        "trained from scratch, fine-tuned, best",
    ]
    ours, ecfp, scratch = table.rows
    assert [c.text for c in ours.cells] == ["71.2", "80.0", "75.0"]
    assert [c.spread for c in ours.cells] == ["", "±1.0", "±1.0"]
    assert [c.mark for c in ours.cells] == [BETTER, WORSE, ""]
    assert [c.best for c in ours.cells] == [True, False, True]
    assert ours.cells[0].interval == "+2.0 (+1.0 to +3.0)"
    assert [c.mark for c in ecfp.cells] == ["", "", ""]
    assert scratch.cells[2] is None
    assert table.num_seeds == (1, 3)
    assert score_table(results().iloc[:0], "roc_auc") is None


def test_errors_are_better_when_lower():
    table = score_table(results(), "rmse")
    ours, ecfp = table.rows
    assert (ours.cells[0].text, ours.cells[0].mark, ours.cells[0].best) == ("0.900", BETTER, True)
    assert not ecfp.cells[0].best
    assert table.averages == ()
    assert table.title == "RMSE (lower is better)"
    assert score_table(results(), "mae").rows[0].cells[0].mark == WORSE


def test_averages_cover_what_every_row_has():
    table = score_table(results(), "roc_auc")
    assert [a.datasets for a in table.averages] == [("bbbp", "clintox")]
    assert by_name(table)["pretrained, linear"].averages[0].text == "75.6"
    frozen = results()[results()["protocol"] == "frozen"]
    table = score_table(frozen, "roc_auc")
    assert [a.datasets for a in table.averages] == [("bbbp", "clintox", "hiv"), ("bbbp", "hiv")]
    with_it, without = table.averages
    assert (with_it.title, without.title) == ("Mean (3 sets)", "without ClinTox (2)")
    rows = by_name(table)
    assert [c.text for c in rows["pretrained, linear"].averages] == ["75.4", "73.1"]
    assert [c.text for c in rows["ECFP4 counts, forest"].averages] == ["76.0", "71.5"]
    assert [c.best for c in rows["ECFP4 counts, forest"].averages] == [True, False]


def test_nothing_shared_has_no_average():
    frame = pd.DataFrame([result("bbbp", "a", "linear", 0.7), result("hiv", "b", "linear", 0.6)])
    table = score_table(frame, "roc_auc")
    assert table.averages == ()
    assert [c and c.text for c in table.rows[0].cells] == ["70.0", None]
    undefined = pd.DataFrame(
        [result("bbbp", "a", "linear", np.nan), result("bbbp", "b", "linear", 0.6)]
    )
    assert score_table(undefined, "roc_auc").rows[0].cells == (None,)


def test_best_as_printed():
    frame = pd.DataFrame(
        [result("bbbp", "a", "linear", 0.70001), result("bbbp", "b", "linear", 0.69999)]
    )
    assert [row.cells[0].best for row in score_table(frame, "roc_auc").rows] == [True, True]
    assert not score_table(frame.iloc[:1], "roc_auc").rows[0].cells[0].best


def test_two_splits_in_one_table_are_an_error():
    frame = pd.concat([results(), results().assign(split="random")])
    with pytest.raises(ValueError, match=r"bbbp has several rows for .* one table per split"):
        score_table(frame, "roc_auc")


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.7125, "roc_auc", "71.2"), (1.0, "pr_auc", "100.0"), (0.5, "rmse", "0.500"),
        (69.123, "rmse", "69.12"), (1234.5, "mae", "1,234.5"), (np.nan, "rmse", "\N{EN DASH}"),
    ],
)  # fmt: skip
def test_numbers(value, metric, text):
    assert format_score(value, metric) == text


def test_signed_numbers():
    assert format_score(-0.012, "roc_auc", signed=True) == "\N{MINUS SIGN}1.2"
    assert format_score(0.012, "rmse", signed=True) == "+0.012"


@pytest.mark.parametrize(
    ("low", "high", "metric", "mark"),
    [
        (0.1, 0.2, "roc_auc", BETTER), (-0.2, -0.1, "roc_auc", WORSE),
        (0.1, 0.2, "rmse", WORSE), (-0.2, -0.1, "mae", BETTER),
        (-0.1, 0.1, "rmse", ""), (0.0, 0.1, "roc_auc", ""), (np.nan, np.nan, "roc_auc", ""),
    ],
)  # fmt: skip
def test_decided(low, high, metric, mark):
    assert decided(low, high, metric) == mark
