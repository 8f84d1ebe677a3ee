import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.label_efficiency import labels_needed, reference_level
from tests.suite_frames import efficiency, result, results


def test_linear_in_the_logarithm():
    assert labels_needed([10, 1000], [0.5, 0.7], 0.6, higher_is_better=True) == pytest.approx(100)
    assert labels_needed([10, 1000], [2.0, 1.0], 1.5, higher_is_better=False) == pytest.approx(100)
    found = labels_needed([100, 200, 400], [0.5, 0.6, 0.7], 0.65, higher_is_better=True)
    assert found == pytest.approx(200 * np.sqrt(2))


def test_points_are_met_exactly():
    for labels, level in ((10, 0.5), (100, 0.6), (1000, 0.9)):
        found = labels_needed([10, 100, 1000], [0.5, 0.6, 0.9], level, higher_is_better=True)
        assert found == pytest.approx(labels)


def test_never_reached_and_reached_from_the_start():
    assert np.isnan(labels_needed([10, 100], [0.5, 0.6], 0.61, higher_is_better=True))
    assert np.isnan(labels_needed([10, 100], [2.0, 1.5], 1.4, higher_is_better=False))
    assert labels_needed([10, 100], [0.5, 0.6], 0.4, higher_is_better=True) == 10
    assert labels_needed([10, 100], [2.0, 1.5], 2.5, higher_is_better=False) == 10


def test_first_crossing_of_a_curve_that_falls_back():
    found = labels_needed([1, 10, 100, 1000], [0, 0.8, 0.2, 0.9], 0.4, higher_is_better=True)
    assert found == pytest.approx(np.sqrt(10))


def test_order_repeats_and_missing_points():
    curve = ([1000, 10, 10, 50], [0.7, 0.4, 0.6, np.nan])
    assert labels_needed(*curve, 0.6, higher_is_better=True) == pytest.approx(100)
    assert np.isnan(labels_needed([5], [np.nan], 0.6, higher_is_better=True))
    assert np.isnan(labels_needed([], [], 0.6, higher_is_better=True))


@pytest.mark.parametrize(
    ("labels", "scores", "level", "message"),
    [
        ([1, 2], [0.5], 0.5, "as many scores"),
        ([0, 2], [0.5, 0.6], 0.5, "positive"),
        ([1, np.inf], [0.5, 0.6], 0.5, "positive"),
        ([1, 2], [0.5, 0.6], np.nan, "level"),
    ],
)
def test_mistakes(labels, scores, level, message):
    with pytest.raises(ValueError, match=message):
        labels_needed(labels, scores, level, higher_is_better=True)


def test_level_to_reach():
    frame, curves = results(), efficiency()
    level = reference_level(frame, curves, "bbbp", "roc_auc")
    assert (level.name, level.value) == ("trained from scratch, fine-tuned, best", 0.65)
    level = reference_level(frame, curves, "hiv", "roc_auc")
    assert (level.name, level.value) == ("ECFP4 counts, forest", 0.74)
    assert reference_level(frame, curves, "muv", "roc_auc") is None
    last = result("bbbp", "trained from scratch", "fine-tuned, last", 0.9)
    both = pd.concat([pd.DataFrame([last]), frame])
    assert reference_level(both, curves, "bbbp", "roc_auc").value == 0.65
    scratch = curves.assign(representation="trained from scratch", head="fine-tuned, best")
    assert reference_level(frame.iloc[:0], scratch, "bbbp", "roc_auc").value == pytest.approx(0.7)
