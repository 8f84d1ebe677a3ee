import numpy as np
import pytest
import torch

from molvec.evaluate.mlp import fit_mlp


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 10))
    return x, np.column_stack([np.abs(x[:, 0]), x[:, 1] * 50 + 300])


def test_learns_what_a_linear_head_cannot(data):
    x, values = data
    y = (values[:, :1] > 0.7).astype(float)
    head = fit_mlp("classification", x[:300], y[:300], x[300:], y[300:], seed=0)
    assert ((head.predict(x[300:]) > 0.5) == y[300:]).mean() > 0.85
    assert 1 <= head.choice["epoch"] <= 200
    assert head.choice["end_of_range"] in (0, 1)


def test_regression_in_the_unit_of_the_target_with_missing_ones(data):
    x, y = data
    y = y.copy()
    y[:100, 0], y[100:200, 1] = np.nan, np.nan
    head = fit_mlp("regression", x[:300], y[:300], x[300:], y[300:], seed=0)
    error = np.sqrt(np.square(head.predict(x[300:]) - y[300:]).mean(axis=0))
    assert (error < 0.5 * y[300:].std(axis=0)).all()
    wild = head.predict(x * 1000)
    assert wild.max(axis=0) == pytest.approx(np.nanmax(y[:300], axis=0))


def test_seeded_and_leaves_the_global_generator_alone(data):
    x, values = data
    y = (values > values.mean(axis=0)).astype(float)
    state = torch.get_rng_state()
    first, second, other = (
        fit_mlp("classification", x[:300], y[:300], x[300:], y[300:], seed=s) for s in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(first.predict(x), second.predict(x))
    assert first.choice == second.choice
    assert np.abs(first.predict(x) - other.predict(x)).max() > 1e-3


def test_labels_that_are_missing_teach_nothing(data):
    """With no label of task 1 in training, task 1 is 0.5 and task 0 still learned."""
    x, values = data
    y = (values > values.mean(axis=0)).astype(float)
    y[:300, 1] = np.nan
    head = fit_mlp("classification", x[:300], y[:300], x[300:], y[300:], seed=0)
    assert (head.predict(x)[:, 1] == 0.5).all()
    assert ((head.predict(x[300:])[:, 0] > 0.5) == y[300:, 0]).mean() > 0.8
