import pytest

from molvec.objective import ema_decay


def test_decay_rises_linearly_then_stays():
    values = [ema_decay(s, start=0.9, end=1.0, ramp_steps=10) for s in (0, 5, 10, 1000)]
    assert values == pytest.approx([0.9, 0.95, 1.0, 1.0])


def test_no_ramp_means_the_end_value_at_once():
    assert ema_decay(0, start=0.5, end=0.9, ramp_steps=0) == 0.9
