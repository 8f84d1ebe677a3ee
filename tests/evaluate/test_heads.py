import inspect
import json

import numpy as np
import pytest

from molvec.errors import UserError
from molvec.evaluate.heads import HEADS, fit_head
from molvec.evaluate.metrics import score
from molvec.evaluate.scaler import Scaler

TRAIN, VALID, TEST = slice(0, 600), slice(600, 800), slice(800, 1000)


def predict_test(kind, task, x, y, **settings):
    options = {"scale": True, "seed": 0, "trees": 50} | settings
    head = fit_head(kind, task, x[TRAIN], y[TRAIN], x[VALID], y[VALID], **options)
    json.dumps(head.choice)
    return head.predict(x[TEST])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = (rng.random((1000, 1)) < 0.4).astype(float)
    return rng.normal(size=(1000, 16)), y


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("scale", [True, False])
def test_constant_features_score_exactly_one_half(kind, scale, data):
    _, y = data
    collapsed = np.full((1000, 8), 0.3)
    predicted = predict_test(kind, "classification", collapsed, y, scale=scale)
    assert score("roc_auc", y[TEST], predicted).mean == 0.5
    noisy = collapsed * (1 + 1e-7 * np.random.default_rng(1).normal(size=(1000, 8)))
    predicted = predict_test(kind, "classification", noisy, y, scale=scale)
    assert score("roc_auc", y[TEST], predicted).mean == 0.5
    values = predict_test(kind, "regression", collapsed, y * 7, scale=scale)
    assert values == pytest.approx(np.full((200, 1), 7 * y[TRAIN].mean()))


@pytest.mark.parametrize("kind", HEADS)
def test_shuffled_labels_score_about_one_half(kind, data):
    x, y = data
    predicted = predict_test(kind, "classification", x, y)
    assert 0.4 < score("roc_auc", y[TEST], predicted).mean < 0.6


@pytest.mark.parametrize("kind", HEADS)
def test_features_that_contain_the_label_score_one(kind, data):
    x, y = data
    told = np.column_stack([x, y])
    assert score("roc_auc", y[TEST], predict_test(kind, "classification", told, y)).mean >= 0.99
    value = 3 * x[:, :1] + 100
    error = score("rmse", value[TEST], predict_test(kind, "regression", x, value)).mean
    assert error < 0.5 * value.std()


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_same_numbers_twice_and_row_by_row(kind, task, data):
    x, y = data
    first = predict_test(kind, task, x, y)
    np.testing.assert_array_equal(first, predict_test(kind, task, x, y, jobs=2))
    head = fit_head(
        kind, task, x[TRAIN], y[TRAIN], x[VALID], y[VALID], scale=True, seed=0, trees=50
    )
    np.testing.assert_allclose(head.predict(x[800:801]), first[:1], rtol=1e-5, atol=1e-6)


def test_no_test_data_can_be_given():
    names = list(inspect.signature(fit_head).parameters)
    assert names == [
        "kind", "task", "train_x", "train_y", "valid_x", "valid_y", "scale", "seed",
        "trees", "jobs",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", HEADS)
def test_scaler_sees_training_rows_only(kind, data):
    x, y = data
    fitted = fit_head(
        kind, "classification", x[TRAIN], y[TRAIN], x[VALID] + 1e9, y[VALID],
        scale=True, seed=0, trees=5,
    )  # fmt: skip
    expected = Scaler.fit(x[TRAIN], scale=True)
    for name in ("kept", "median", "mean", "std"):
        np.testing.assert_array_equal(getattr(fitted.scaler, name), getattr(expected, name))


def test_validation_rows_never_reach_a_forest(data):
    x, y = data
    first = fit_head(
        "forest", "classification", x[TRAIN], y[TRAIN], x[VALID], y[VALID],
        scale=True, seed=0, trees=5,
    )  # fmt: skip
    second = fit_head(
        "forest", "classification", x[TRAIN], y[TRAIN], x[VALID] + 1e9, 1 - y[VALID],
        scale=True, seed=0, trees=5,
    )  # fmt: skip
    np.testing.assert_array_equal(first.predict(x), second.predict(x))


def test_missing_features_take_the_training_median_and_extremes_are_limited():
    train = np.array([[1.0, 5.0], [2.0, np.nan], [9.0, 6.0], [4.0, np.inf], [3.0, 9.0]])
    scaler = Scaler.fit(train, scale=True)
    np.testing.assert_array_equal(scaler.median, [3.0, 6.0])
    filled = np.array([[1.0, 5.0], [2.0, 6.0], [9.0, 6.0], [4.0, 6.0], [3.0, 9.0]])
    expected = (filled - filled.mean(axis=0)) / filled.std(axis=0)
    np.testing.assert_allclose(scaler.transform(train), expected)
    out = scaler.transform(np.array([[np.nan, 1e30], [-1e30, 6.0]]))
    np.testing.assert_allclose(out[0], [(3.0 - 3.8) / filled[:, 0].std(), 10.0])
    assert out[1, 0] == -10.0


def test_without_scale_features_are_used_as_they_are():
    train = np.array([[1.0, 5.0, 2.0], [4.0, 5.0, 0.0]])
    scaler = Scaler.fit(train, scale=False)
    np.testing.assert_array_equal(scaler.transform(train), train[:, [0, 2]])
    with pytest.raises(ValueError, match=r"1 rows have features that are not finite.*scale=True"):
        scaler.transform(np.array([[1.0, np.nan, 2.0]]))


@pytest.mark.parametrize("kind", HEADS)
def test_descriptors_with_holes(kind, data):
    x, y = data
    holes = np.column_stack([x, y])
    holes[np.random.default_rng(1).random(holes.shape) < 0.02] = np.nan
    holes[:, 3] = np.nan  # a descriptor that always fails
    predicted = predict_test(kind, "classification", holes, y)
    assert score("roc_auc", y[TEST], predicted).mean > 0.95


@pytest.mark.parametrize("kind", HEADS)
def test_one_class_in_training_is_predicted(kind, data):
    x, y = data
    both = np.column_stack([y, y])
    both[TRAIN, 1] = 0.0
    assert (predict_test(kind, "classification", x, both)[:, 1] == 0.0).all()


def test_messages(data):
    x, y = data

    def fit(kind="linear", task="classification", tx=x[TRAIN], ty=y[TRAIN], vy=y[VALID]):
        return fit_head(kind, task, tx, ty, x[VALID], vy, scale=True, seed=0)

    with pytest.raises(UserError, match=r"no head 'forrest'.*Did you mean 'forest'"):
        fit(kind="forrest")
    with pytest.raises(ValueError, match=r"training part has 600 rows.*\(599, 1\)"):
        fit(ty=y[:599])
    with pytest.raises(ValueError, match="training labels of a classification must be 0, 1 or NaN"):
        fit(ty=y[TRAIN] * 2)
    with pytest.raises(ValueError, match="1 training targets but 2 validation targets"):
        fit(vy=np.column_stack([y, y])[VALID])
    with pytest.raises(UserError, match="1 of 1 targets have no value in the training part"):
        fit(task="regression", ty=np.full((600, 1), np.nan))
    empty = x[TRAIN].copy()
    empty[5] = np.nan
    with pytest.raises(ValueError, match="1 rows have no finite feature"):
        fit(tx=empty)
    with pytest.raises(ValueError, match="fitted to 16 features, got 15"):
        fit().predict(x[:, :15])
