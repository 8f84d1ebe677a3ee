"""Learning rate: up a line, down a cosine, never to zero."""

from itertools import pairwise

import pytest

from molvec.train.schedule import warmup_cosine


def test_values():
    factors = [warmup_cosine(step, steps=110, warmup=10) for step in range(110)]
    assert factors[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert factors[10] == 1.0
    assert factors[60] == pytest.approx(0.01 + 0.99 / 2)
    assert all(a > b for a, b in pairwise(factors[10:]))
    assert 0.01 < factors[-1] < 0.011
    assert warmup_cosine(110, steps=110, warmup=10) == pytest.approx(0.01)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (1, 1), (5, 5), (3, 0)])
def test_short_runs(steps, warmup):
    factors = [warmup_cosine(step, steps=steps, warmup=warmup) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1.0


def test_beyond_the_end():
    assert warmup_cosine(1000, steps=10, warmup=2, floor=0.5) == 0.5
