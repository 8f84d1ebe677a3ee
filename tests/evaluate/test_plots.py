import re

import numpy as np
import pytest

from molvec.evaluate import plots


def test_map_is_a_projection_that_keeps_distances():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(200, 2)) * [3, 1]
    rotation, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    m = plots.point_map(flat @ rotation[:2], np.arange(200.0))
    assert sum(m.explained) == pytest.approx(1)
    inner = [p for p in m.points if 20 < p.x < 620 and 20 < p.y < 440][:50]
    placed = np.array([(p.x, p.y) for p in inner])
    true = flat[[p.row for p in inner]]
    ratio = np.linalg.norm(placed[1:] - placed[0], axis=1) / np.linalg.norm(
        true[1:] - true[0], axis=1
    )
    assert ratio == pytest.approx(ratio[0], rel=0.05)
    assert {p.step for p in m.points} == set(range(plots.COLOR_STEPS))


def test_map_leaves_out_rows_without_embedding():
    x = np.random.default_rng(0).normal(size=(1000, 4))
    x[:100] = np.nan
    m = plots.point_map(x, max_points=50)
    assert (m.num_rows, m.num_left_out, len(m.points)) == (900, 100, 50)
    assert min(p.row for p in m.points) == 100
    assert all(0 <= p.x <= m.width and 0 <= p.y <= m.height for p in m.points)


def test_curves_stay_in_their_frame_and_are_thinned():
    x = np.arange(5000.0)
    chart = plots.line_chart(x, {"loss": np.exp(-x / 500)}, from_zero=False)
    points = np.array(re.findall(r"([\d.]+),([\d.]+)", chart.lines[0].path), dtype=float)
    left, top, right, bottom = chart.box
    assert len(points) == plots.MAX_CURVE_POINTS
    assert left <= points[:, 0].min() <= points[:, 0].max() <= right
    assert top <= points[:, 1].min() <= points[:, 1].max() <= bottom
    assert plots.line_chart(x, {"loss": x * np.nan}, from_zero=True) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1234.5, "1,234"), (0.20, "0.2"), (-0.5, "\N{MINUS SIGN}0.5"),
        (5e-4, "0.0005"), (2e-5, "2e-5"),
        (1e9, "1e9"), (float("nan"), "\N{EN DASH}"), (12.34, "12.3"), (100, "100"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert plots.format_number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.5, 1]), (0, 46, [0, 20, 40, 60]), (3, 3, None), (-1, 1, [-1, -0.5, 0, 0.5, 1])],
)
def test_ticks_are_round_and_cover_the_range(low, high, ticks):
    found = plots.nice_ticks(low, high, 4)
    assert found[0] <= low
    assert found[-1] >= high
    if ticks is not None:
        assert found == pytest.approx(ticks)


def test_color_steps_of_missing_values():
    assert plots.color_steps(np.array([np.nan, np.nan])) == ([None, None], None)
    steps, limits = plots.color_steps(np.array([0.0, np.nan, 10.0]))
    assert steps == [0, None, plots.COLOR_STEPS - 1]
    assert limits == pytest.approx((0.2, 9.8))
