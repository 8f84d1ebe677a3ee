from molvec.evaluate.markdown_table import results_markdown
from molvec.evaluate.score_table import DASH
from tests.suite_frames import efficiency, result, results


def test_tables():
    lines = results_markdown(results(), efficiency()).splitlines()
    assert lines[0] == "**classification, ROC-AUC \N{MULTIPLICATION SIGN} 100 (higher is better)**"
    assert lines[2] == "|  | bbbp | clintox | hiv | Mean (2 sets) |"
    assert lines[3] == "| --- | ---: | ---: | ---: | ---: |"
    assert "| pretrained, linear | **71.2 ▲** | 80.0 ±1.0 ▼ | **75.0 ±1.0** | 75.6 |" in lines
    row = f"| trained from scratch, fine-tuned, best | 65.0 ±1.0 | 70.0 ±1.0 ▼ | {DASH} | 67.5 |"
    assert row in lines
    assert "| pretrained, linear | **0.900 ±0.010 ▲** |" in lines
    assert any(line.startswith("Bold: the best of a column.") for line in lines)


def test_curves():
    text = results_markdown(results().iloc[:0], efficiency())
    assert "**bbbp, ROC-AUC \N{MULTIPLICATION SIGN} 100 by share of the training labels**" in text
    assert "|  | 1% | 10% | 100% |" in text
    assert "| pretrained, linear | 50.0 ±1.0 | 60.0 ±1.0 | 70.0 ±1.0 |" in text
    assert "| random start, linear | 2.500 ±0.010 | 2.000 ±0.010 | 1.500 ±0.010 |" in text


def test_labels_needed():
    text = results_markdown(results(), efficiency())
    whose = "trained from scratch, fine-tuned, best or ECFP4 counts, forest"
    assert f"**labels needed for what {whose} reaches with all**" in text
    assert "|  | bbbp: 65.0 | esol: 1.050 |" in text
    assert "| pretrained, linear | 506 (32%) | 1,271 (79%) |" in text
    assert "| random start, linear | not reached | not reached |" in text
    frame = efficiency()
    alone = frame[(frame["dataset"] == "esol") | (frame["representation"] == "pretrained")]
    text = results_markdown(results().iloc[:0], alone)
    assert "**labels needed for what no model reaches with all**" in text
    assert f"| pretrained, linear | {DASH} | {DASH} |" in text
    assert f"| random start, linear | {DASH} | {DASH} |" in text
    assert "labels needed" not in results_markdown(results(), frame.iloc[:0])


def test_one_draw_has_no_spread_and_a_missing_share_is_a_dash():
    frame = efficiency()
    frame["std"] = float("nan")
    text = results_markdown(results().iloc[:0], frame[frame.index != 0])
    assert f"| pretrained, linear | {DASH} | 60.0 | 70.0 |" in text


def test_a_bar_in_a_name_does_not_end_a_cell():
    frame = results().iloc[:0].copy()
    frame.loc[0] = result("a|b", "pretrained", "linear", 0.5)
    assert r"|  | a\|b |" in results_markdown(frame, efficiency().iloc[:0])
