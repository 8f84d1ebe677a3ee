import re

import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.benchmark_charts import labelled_map, learning_curves, reliability_diagram
from molvec.evaluate.calibration import calibration
from molvec.evaluate.embedding_map import Map2D


def curve(labels, means, std=0.0):
    return pd.DataFrame({"num_labels": labels, "mean": means, "std": std})


def coordinates(path):
    return np.array(re.findall(r"([\d.]+),([\d.]+)", path), dtype=float)


def test_labels_are_on_a_logarithmic_axis():
    chart = learning_curves({"a": curve([10, 100, 1000], [0.5, 0.6, 0.7])}, level=0.6, scale=100)
    points = np.array(chart.lines[0].points)
    assert points[1] == pytest.approx((points[0] + points[2]) / 2, abs=0.1)
    assert chart.reference == pytest.approx(points[1, 1])
    assert [t.label for t in chart.x_ticks] == ["10", "100", "1,000"]
    assert [t.position for t in chart.x_ticks] == pytest.approx(points[:, 0], abs=0.1)
    assert chart.lines[0].last == "70"
    assert chart.lines[0].band == ""


def test_bands_are_one_deviation_on_either_side():
    chart = learning_curves({"a": curve([10, 100], [0.5, 0.7], std=0.1)}, level=None)
    band = coordinates(chart.lines[0].band)
    points = np.array(chart.lines[0].points)
    assert (band[:2] + band[:1:-1]) / 2 == pytest.approx(points, abs=0.1)
    height = abs(points[1, 1] - points[0, 1]) / 0.2  # SVG units for a score of 1
    assert band[3, 1] - band[0, 1] == pytest.approx(0.2 * height, abs=0.2)
    left, top, right, bottom = chart.box
    assert ((band >= [left, top]) & (band <= [right, bottom])).all()
    assert chart.reference is None


def test_missing_points_and_curves():
    nothing = curve([10], [np.nan])
    assert learning_curves({"a": nothing}, level=0.5) is None
    assert learning_curves({}, level=None) is None
    chart = learning_curves(
        {"a": nothing, "b": curve([20, 10], [0.6, 0.5], [np.nan, 0.1])}, level=None
    )
    assert [line.path != "" for line in chart.lines] == [False, True]
    assert np.diff([x for x, _ in chart.lines[1].points]) > 0  # sorted by labels
    single = learning_curves({"a": curve([64], [0.5])}, level=0.5)
    assert len(single.lines[0].points) == 1


@pytest.mark.parametrize("labels", [(78, 1560), (300, 420), (5, 2_000_000), (64, 64)])
def test_ticks_are_few_and_round(labels):
    chart = learning_curves({"a": curve(labels, [0.5, 0.6])}, level=None)
    assert 1 <= len(chart.x_ticks) <= 8
    left, _, right, _ = chart.box
    assert all(left <= t.position <= right for t in chart.x_ticks)


def test_a_right_model_lies_on_the_diagonal():
    truth = [0] * 9 + [1] + [0] + [1] * 9
    found = calibration("set", "a", "linear", truth, [0.1] * 10 + [0.9] * 10, bins=2)
    chart = reliability_diagram({"a": found})
    left, top, right, bottom = chart.box
    for x, y in chart.lines[0].points:
        assert (x - left) / (right - left) == pytest.approx((bottom - y) / (bottom - top), abs=0.01)
    assert chart.lines[0].last == "0.000"


def test_classes_values_and_missing_labels():
    points = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    smiles = ("C", "N", "O", "S")
    classes = Map2D("set", "active", "PCA", points, np.array([0, 1, np.nan, 1]), smiles, (0.5, 0.2))
    found = labelled_map(classes)
    assert [p.kind for p in found.points] == ["zero", "one", "none", "one"]
    assert [p.label for p in found.points][1:3] == ["active: 1", "active: no label"]
    assert found.counts == {"zero": 1, "one": 2, "none": 1}
    assert found.color_range is None
    values = Map2D("set", "logS", "PCA", points, np.array([-4, 0.25, np.nan, 3]), smiles, None)
    found = labelled_map(values)
    assert [p.kind for p in found.points] == ["s0", "s5", "none", "s8"]
    assert found.points[1].label == "logS: 0.250"
    assert found.color_range is not None
    assert all(0 <= p.x <= found.width and 0 <= p.y <= found.height for p in found.points)
