import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from molvec.errors import UserError
from molvec.evaluate.linear import fit_logistic, fit_ridge
from molvec.evaluate.logistic import logistic_path


@pytest.fixture
def classes():
    """400 rows of 30 correlated features, 5 tasks of very different balance, 30 % missing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 30)) @ rng.normal(size=(30, 30)) / 5 + 3
    logits = (x - 3) @ rng.normal(size=(30, 5)) / 2 - [0, 1, 2, 3, -2]
    y = (logits + rng.logistic(size=(400, 5)) > 0).astype(float)
    y[rng.random((400, 5)) < 0.3] = np.nan
    return x, y


@pytest.mark.parametrize("num_rows", [400, 60])
def test_logistic_path_equals_scikit_learn(classes, num_rows):
    x, y = (a[:num_rows] for a in classes)
    strengths = (0.1, 1.0, 100.0, 1e4)
    fits = list(logistic_path(torch.from_numpy(x), torch.from_numpy(y), strengths, tolerance=1e-9))
    assert [f.strength for f in fits] == [1e4, 100.0, 1.0, 0.1]
    for fit in fits:
        assert bool(fit.converged.all())
        for task in range(5):
            rows = ~np.isnan(y[:, task])
            reference = LogisticRegression(
                C=1 / fit.strength, solver="newton-cholesky", tol=1e-10, max_iter=1000
            ).fit(x[rows], y[rows, task])
            coefficients = fit.coefficients[:, task].numpy()
            np.testing.assert_allclose(coefficients, reference.coef_[0], atol=1e-4)
            logits = x @ coefficients + fit.intercept[task].item()
            expected = reference.predict_proba(x)[:, 1]
            np.testing.assert_allclose(1 / (1 + np.exp(-logits)), expected, atol=1e-4)


def test_more_features_than_rows_equals_scikit_learn():
    rng = np.random.default_rng(1)
    x = rng.poisson(0.1, size=(60, 200)).astype(float)
    y = (x[:, :3].sum(axis=1, keepdims=True) + rng.normal(size=(60, 1)) > 0.3).astype(float)
    (fit,) = logistic_path(torch.from_numpy(x), torch.from_numpy(y), [0.5], tolerance=1e-9)
    reference = LogisticRegression(C=2.0, tol=1e-10, max_iter=10000).fit(x, y[:, 0])
    np.testing.assert_allclose(fit.coefficients[:, 0].numpy(), reference.coef_[0], atol=1e-4)
    assert fit.intercept.item() == pytest.approx(reference.intercept_[0], abs=1e-4)


def test_tasks_do_not_see_each_other(classes):
    x, y = (torch.from_numpy(a) for a in classes)
    (together,) = logistic_path(x, y, [1.0], tolerance=1e-9)
    (alone,) = logistic_path(x, y[:, 2:3], [1.0], tolerance=1e-9)
    torch.testing.assert_close(together.coefficients[:, 2:3], alone.coefficients, atol=1e-4, rtol=0)


def test_strength_is_the_one_with_the_best_validation_auc(classes):
    x, y = classes
    strengths = (0.1, 1.0, 10.0, 100.0, 1000.0)
    head = fit_logistic(x[:200], y[:200], x[200:], y[200:], strengths=strengths)

    def auc(strength):
        fit = fit_logistic(x[:200], y[:200], x[200:], y[200:], strengths=[strength])
        values = []
        for task in range(5):
            rows = ~np.isnan(y[200:, task])
            values.append(roc_auc_score(y[200:][rows, task], fit.predict(x[200:])[rows, task]))
        return np.mean(values)

    assert head.choice["strength"] == max(strengths, key=auc)
    assert head.choice["unconverged_tasks"] == 0
    only = fit_logistic(x[:200], y[:200], x[200:], y[200:], strengths=[1.0, 10.0])
    assert only.choice["end_of_range"] == 1


def test_the_path_stops_one_strength_after_the_best(classes, monkeypatch):
    from molvec.evaluate import linear

    merits = iter([(0.6, 0.0), (0.7, 0.0), (0.7, 0.0), (0.9, 0.0)])
    monkeypatch.setattr(linear, "validation_merit", lambda *_: next(merits))
    x, y = classes
    head = fit_logistic(x, y, x, y, strengths=(0.01, 0.1, 1.0, 10.0, 100.0))
    assert head.choice["strength"] == 10.0  # an equal one that is weaker does not replace it
    assert next(merits) == (0.9, 0.0)  # the weakest was never tried


def test_validation_rows_choose_but_do_not_fit(classes):
    x, y = classes
    one = fit_logistic(x[:200], y[:200], x[200:], y[200:], strengths=[1.0])
    other = fit_logistic(x[:200], y[:200], x[200:] * 1e6, 1 - y[200:], strengths=[1.0])
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
    np.testing.assert_array_equal(one.intercept, other.intercept)


def test_tasks_with_one_class_predict_it(classes):
    x, y = classes
    y = y.copy()
    y[:200, 1], y[:200, 3], y[:200, 4] = 0.0, 1.0, np.nan
    head = fit_logistic(x[:200], y[:200], x[200:], y[200:])
    predicted = head.predict(x[200:])
    assert set(predicted[:, 1]) == {0.0}
    assert set(predicted[:, 3]) == {1.0}
    assert set(predicted[:, 4]) == {0.5}
    assert len(set(predicted[:, 0])) == 200
    assert head.choice["constant_tasks"] == 3
    y[:200] = 1.0
    assert (fit_logistic(x[:200], y[:200], x[200:], y[200:]).predict(x) == 1.0).all()


def test_without_validation_auc_the_log_loss_chooses(classes):
    x, y = classes
    rare = fit_logistic(x[:200], y[:200, :1], x[200:], np.ones((200, 1)))
    # Everything is class 1 there: the loss falls with the probability of it.
    strongest = fit_logistic(x[:200], y[:200, :1], x[200:], np.ones((200, 1)), strengths=[1e5])
    assert rare.predict(x[200:]).mean() >= strongest.predict(x[200:]).mean()
    with pytest.raises(UserError, match="validation part has no labels"):
        fit_logistic(x[:200], y[:200], x[200:], np.full((200, 5), np.nan))


@pytest.mark.parametrize("num_rows", [300, 25])
def test_ridge_equals_scikit_learn_with_missing_targets(num_rows):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(num_rows, 40)) + 5
    y = x[:, :3] * [1, 100, 0.01] + rng.normal(size=(num_rows, 3)) * [1, 30, 0.005] + 7
    y[rng.random((num_rows, 3)) < 0.3] = np.nan
    head = fit_ridge(x, y, x, y, strengths=[3.0])
    for task in range(3):
        rows = ~np.isnan(y[:, task])
        expected = Ridge(alpha=3.0).fit(x[rows], y[rows, task]).predict(x)
        low, high = y[rows, task].min(), y[rows, task].max()
        scale = y[rows, task].std()
        difference = head.predict(x)[:, task] - np.clip(expected, low, high)
        assert np.abs(difference).max() < 1e-8 * scale


def test_ridge_strength_has_the_best_validation_rmse():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 50))
    y = x[:, :1] + 2 * rng.normal(size=(120, 1))
    parts = (x[:80], y[:80], x[80:], y[80:])
    head = fit_ridge(*parts)

    def rmse(strength):
        single = fit_ridge(*parts, strengths=[strength])
        return np.sqrt(np.square(single.predict(x[80:]) - y[80:]).mean())

    from molvec.evaluate.linear import RIDGE_STRENGTHS

    assert head.choice == {"strength": min(RIDGE_STRENGTHS, key=rmse), "end_of_range": 0}
    assert head.predict(100 * x).max() <= y[:80].max()
    assert head.predict(100 * x).min() >= y[:80].min()


def test_ridge_without_features_or_spread_predicts_the_mean():
    y = np.array([[1.0, 4.0], [3.0, 4.0]])
    head = fit_ridge(np.zeros((2, 0)), y, np.zeros((2, 0)), y)
    np.testing.assert_allclose(head.predict(np.zeros((3, 0))), [[2.0, 4.0]] * 3)
