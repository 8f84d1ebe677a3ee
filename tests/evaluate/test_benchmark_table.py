import io

import pandas as pd
import pytest
from rich.console import Console

from molvec.evaluate.benchmark_table import results_tables
from tests.suite_frames import result, results


def printed(tables, width=120):
    console = Console(width=width, file=io.StringIO())
    for table in tables:
        console.print(table)
    return console.file.getvalue()


def test_one_table_for_each_kind_of_task():
    tables = results_tables(results())
    assert len(tables) == 2
    text = printed(tables)
    assert "classification, ROC-AUC \N{MULTIPLICATION SIGN} 100 (higher is better)" in text
    assert "regression, RMSE (lower is better)" in text
    words = text.split()
    for word in ("bbbp", "71.2", "▲", "80.0±1.0▼", "0.900±0.010▲", "75.0±1.0", "\N{EN DASH}"):
        assert word in words
    flat = " ".join(words)
    assert "the 95 % interval of the paired difference on the test molecules excludes zero" in flat
    assert "Mean (2 sets): bbbp, clintox." in flat
    assert results_tables(results().iloc[:0]) == []


def test_the_best_is_bold():
    first = results_tables(results())[0]
    cells = next(c for c in first.columns if str(c.header) == "bbbp")._cells
    assert [str(cell.style) for cell in cells] == ["bold", "", ""]


def test_numbers_stay_in_line():
    lines = printed(results_tables(results())[:1]).splitlines()
    ours = next(line for line in lines if "pretrained, linear" in line)
    ecfp = next(line for line in lines if "ECFP4 counts, forest" in line)
    assert ours.index("71.2") == ecfp.index("69.0")
    assert ours.index("80.0") == ecfp.index("85.0")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_wide_tables_are_continued_not_cut(width):
    names = [f"dataset{k}" for k in range(12)]
    frame = pd.DataFrame(
        [
            result(name, representation, head, 0.7 + k / 100, low=0.01, high=0.02)
            for k, name in enumerate(names)
            for representation, head in (("pretrained", "linear"), ("ECFP4 counts", "forest"))
        ]
    )
    tables = results_tables(frame, width=width)
    assert len(tables) > 1
    text = printed(tables, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert text.count("pretrained, linear") == len(tables)
    assert text.count("continued") == len(tables) - 1
    for k, name in enumerate(names):
        assert text.count(name) >= 1
        assert text.count(f"{70 + k}.0±1.0▲") >= 2
    assert "…" not in text


def test_without_seeds_and_marks_nothing_is_explained():
    frame = pd.DataFrame([result("bbbp", "a", "linear", 0.7, std=float("nan"))])
    text = printed(results_tables(frame))
    assert "±" not in text
    assert "▲" not in text
    assert "Bold" not in text


def test_markup_in_a_name_is_text():
    frame = pd.DataFrame([result("[red]x[/red]", "[bold]a", "linear", 0.7)])
    text = printed(results_tables(frame))
    assert "[red]x[/red]" in text
    assert "[bold]a, linear" in text
