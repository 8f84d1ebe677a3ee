"""The kernel head is kernel ridge regression, up to the landmarks, and learns what bends."""

import numpy as np
import pytest

from molvec.evaluate import kernel
from molvec.evaluate.heads import fit_head
from molvec.evaluate.kernel import KernelMap, fit_kernel
from molvec.evaluate.linear import fit_ridge
from molvec.evaluate.metrics import score


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(300, 6))


@pytest.mark.parametrize("counts", [False, True])
def test_products_of_features_are_the_kernel(x, counts):
    if counts:
        x = np.floor(np.abs(3 * x))
    features = KernelMap.fit(x[:100], counts=counts, seed=0)
    found = features.transform(x[:100]) @ features.transform(x[:100]).T
    if counts:
        lesser, greater = (
            f(x[:100, None], x[None, :100]).sum(-1) for f in (np.minimum, np.maximum)
        )
        expected = lesser / greater
    else:
        apart = np.linalg.norm(x[:100, None] - x[None, :100], axis=-1)
        near = np.sqrt(3) * apart / np.median(apart[np.triu_indices(100, 1)])
        linear = x[:100] @ x[:100].T / np.square(x[:100]).sum(1).mean()
        expected = (1 + near) * np.exp(-near) + linear
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_with_few_rows_it_is_kernel_ridge_regression(x):
    y = np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3]
    head = fit_kernel("regression", x[:200], y[:200], x[200:], y[200:], counts=False, seed=0)
    strength = head.choice["strength"]
    features = KernelMap.fit(x[:200], counts=False, seed=0)
    train, test = features.transform(x[:200]), features.transform(x[200:])
    gram, cross = train @ train.T, test @ train.T
    center = np.eye(200) - 1 / 200
    mean, spread = y[:200].mean(), y[:200].std()
    dual = np.linalg.solve(
        center @ gram @ center + strength * np.eye(200), (y[:200] - mean) / spread
    )
    expected = mean + spread * (cross - gram.mean(0)) @ center @ dual
    expected = expected.clip(y[:200].min(), y[:200].max())
    np.testing.assert_allclose(head.predict(x[200:]), expected, atol=1e-6)


@pytest.mark.parametrize("landmarks", [40, 1000])
def test_it_learns_a_product_that_a_linear_head_cannot(x, landmarks, monkeypatch):
    monkeypatch.setattr(kernel, "LANDMARKS", landmarks)
    y = x[:, :1] * x[:, 1:2]
    parts = (x[:200], y[:200], x[200:250], y[200:250])
    errors = [
        score("rmse", y[250:], head.predict(x[250:])).mean
        for head in (fit_kernel("regression", *parts, counts=False, seed=0), fit_ridge(*parts))
    ]
    assert errors[0] < 0.8 * errors[1]


def test_landmarks_follow_the_seed(x, monkeypatch):
    monkeypatch.setattr(kernel, "LANDMARKS", 40)
    first, again, other = (KernelMap.fit(x, counts=False, seed=s).landmarks for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_large_counts_empty_rows_and_repeats():
    x = np.zeros((30, 4))
    x[10:20, 0], x[20:, 1] = 5, 900
    y = np.repeat([0.0, 1.0, 1.0], 10)[:, None]
    head = fit_head("kernel", "classification", x, y, x, y, scale=False, seed=0)
    probability = head.predict(np.array([[0.0] * 4, [5.0, 0, 0, 0], [0, 2000.0, 0, 0]]))
    assert probability[0] < 0.1
    assert probability[1:].min() > 0.9
