import numpy as np
import pandas as pd
import pytest

from molvec.errors import UserError
from molvec.evaluate.probe import ALPHAS, TABLE_COLUMNS, compare, fit_probe, probe, probe_table


@pytest.fixture
def data():
    """400 rows: 20 features, a target that is linear in them with a little noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 20))
    y = 5 + 3 * (x @ rng.normal(size=20) + 0.1 * rng.normal(size=400))
    return x, y


def split(x, y):
    return x[:300], y[:300], x[300:], y[300:]


def test_linear_target_is_found(data):
    score = probe(*split(*data))
    assert score.r2 > 0.99
    # Noise of standard deviation 0.3 has a mean absolute value of 0.24; the rest is clipping.
    assert 0.2 < score.mae < 0.35
    assert score.mae < score.rmse
    assert (score.n_train, score.n_test, score.left_out) == (300, 100, 0)


def test_embedding_that_contains_the_label_scores_one(data):
    _, y = data
    noise = np.random.default_rng(1).normal(size=(400, 50))
    assert probe(*split(np.column_stack([noise, y]), y)).r2 > 0.99


def test_constant_embedding_scores_zero(data):
    _, y = data
    collapsed = np.full((400, 8), 0.3, dtype=np.float32)
    collapsed *= 1 + 1e-7 * np.random.default_rng(1).normal(size=(400, 8)).astype(np.float32)
    score = probe(*split(collapsed, y))
    assert score.r2 == pytest.approx(0, abs=0.05)
    fitted = fit_probe(collapsed[:300], y[:300])
    assert fitted.predict(collapsed[300:])[:, 0] == pytest.approx(y[:300].mean())


def test_shuffled_labels_score_zero_or_less(data):
    x, y = data
    assert probe(*split(x, np.random.default_rng(1).permutation(y))).r2 < 0.05


def test_units_follow_the_target(data):
    x, y = data
    small, large = probe(*split(x, y)), probe(*split(x, 1000 * y))
    assert large.r2 == pytest.approx(small.r2)
    assert large.rmse == pytest.approx(1000 * small.rmse)


def test_scale_and_shift_of_features_change_nothing(data):
    x, y = data
    scale = np.logspace(-4, 4, 20)
    assert probe(*split(x * scale + 7, y)).r2 == pytest.approx(probe(*split(x, y)).r2, abs=1e-6)


def test_test_part_never_reaches_the_fit(data):
    x, y = data
    bad_x, bad_y = x.copy(), y.copy()
    bad_x[350:] = 1e6  # half of the test part
    bad_y[350:] = -1e6
    clean = probe(x[:300], y[:300], x[300:350], y[300:350])
    frame = pd.DataFrame({"y": y})
    train = np.arange(300)
    table = probe_table({"a": bad_x}, pd.DataFrame({"y": bad_y}), train, np.arange(300, 350))
    assert table["r2"].iloc[0] == pytest.approx(clean.r2, abs=1e-12)
    # Predictions of clean test rows do not depend on which other rows are in the test part.
    fitted = fit_probe(x[:300], y[:300])
    alone, beside = fitted.predict(bad_x[300:350]), fitted.predict(bad_x[300:])
    np.testing.assert_allclose(alone, beside[:50], rtol=1e-12)
    # With test_y corrupted and test_x kept, the error grows by exactly the corruption.
    shifted = frame.assign(y=np.where(np.arange(400) < 300, y, y + 100))
    moved = probe_table({"a": x}, shifted, train, np.arange(300, 400))
    truth = y[300:] + 100
    rmse = np.sqrt(np.square(fitted.predict(x[300:])[:, 0] - truth).mean())
    assert moved["rmse"].iloc[0] == pytest.approx(rmse, rel=1e-9)


def test_the_fit_receives_training_rows_only(data, monkeypatch):
    from molvec.evaluate import probe as module

    x, y = data
    seen = []
    real = module.fit_probe
    monkeypatch.setattr(
        module, "fit_probe", lambda a, b, **kw: seen.append((a, b)) or real(a, b, **kw)
    )
    module.probe(*split(x, y))
    module.probe_table({"a": x}, pd.DataFrame({"y": y}), np.arange(300), np.arange(300, 400))
    assert len(seen) == 2
    for fit_x, fit_y in seen:
        np.testing.assert_array_equal(fit_x, x[:300])
        np.testing.assert_array_equal(fit_y.ravel(), y[:300])


def test_predictions_stay_in_the_range_of_training_targets(data):
    x, y = data
    predicted = fit_probe(x, y).predict(x * 1000)
    assert predicted.min() >= y.min()
    assert predicted.max() <= y.max()


def test_many_targets_at_once_equal_one_at_a_time(data):
    x, y = data
    both = np.column_stack([y, np.square(x[:, 0])])
    together = fit_probe(x, both)
    for k in range(2):
        alone = fit_probe(x, both[:, k])
        np.testing.assert_allclose(together.predict(x)[:, k], alone.predict(x)[:, 0], atol=1e-9)
        assert together.alpha[k] == pytest.approx(alone.alpha[0])


@pytest.mark.parametrize("num_rows", [30, 120, 400])
def test_ridge_agrees_with_scikit_learn(num_rows):
    from sklearn.linear_model import RidgeCV

    rng = np.random.default_rng(num_rows)
    x = rng.normal(size=(num_rows, 60)) @ rng.normal(size=(60, 100))
    y = x[:, :3] + [1, 30, 100] * rng.normal(size=(num_rows, 3))
    fitted = fit_probe(x, y)
    reference = RidgeCV(alphas=ALPHAS, alpha_per_target=True)
    reference.fit((x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0))
    np.testing.assert_allclose(fitted.alpha, reference.alpha_)
    np.testing.assert_allclose(fitted.coefficients, reference.coef_.T, atol=1e-8)


def test_more_features_than_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 300))
    x[:, 0] *= 5
    assert np.isfinite(probe(x[:60], x[:60, 0], x[60:], x[60:, 0]).r2)


def test_nan_rows_are_left_out_and_counted(data):
    x, y = (a.copy() for a in data)
    y[:5] = np.nan
    x[5:8, 3] = np.nan
    x[399, 0] = np.inf
    score = probe(*split(x, y))
    assert (score.n_train, score.n_test, score.left_out) == (292, 99, 9)
    assert score.r2 == pytest.approx(probe(x[8:300], y[8:300], x[300:399], y[300:399]).r2)


def test_constant_target_has_no_r2(data):
    x, _ = data
    score = probe(*split(x, np.ones(400)))
    assert np.isnan(score.r2)
    assert score.rmse == pytest.approx(0)


def test_too_few_rows_is_a_user_error(data):
    x, y = data
    with pytest.raises(UserError, match=r"at least 10 rows.*training part; 9 of 9 are usable"):
        probe(x[:9], y[:9], x[300:], y[300:])
    with pytest.raises(UserError, match=r"test part; 3 of 3"):
        probe(x[:300], y[:300], x[300:303], y[300:303])


def test_lengths_and_shapes_that_do_not_fit(data):
    x, y = data
    with pytest.raises(ValueError, match="train: 300 embeddings but 299 rows"):
        probe(x[:300], y[:299], x[300:], y[300:])
    with pytest.raises(ValueError, match="20 features but test_x has 19"):
        probe(x[:300], y[:300], x[300:, :19], y[300:])
    with pytest.raises(ValueError, match=r"\[num_rows, dim\]"):
        probe(x[:300, 0], y[:300], x[300:, 0], y[300:])
    frame = pd.DataFrame({"y": y})
    with pytest.raises(ValueError, match="a: 399 embeddings but 400 rows"):
        probe_table({"a": x[1:]}, frame, np.arange(300), np.arange(300, 400))
    with pytest.raises(ValueError, match="1 rows are in both"):
        probe_table({"a": x}, frame, np.arange(301), np.arange(300, 400))
    with pytest.raises(ValueError, match=r"0\.\.399"):
        probe_table({"a": x}, frame, np.arange(300), np.arange(300, 401))


def test_table_has_one_row_each_and_agrees_with_probe(data):
    x, y = data
    frame = pd.DataFrame({"linear": y, "gappy": np.where(np.arange(400) % 7 == 0, np.nan, y)})
    train, test = np.arange(300), np.arange(300, 400)
    table = probe_table({"a": x, "b": x[:, :3]}, frame, train, test)
    assert tuple(table.columns) == TABLE_COLUMNS
    assert list(zip(table["representation"], table["property"], strict=True)) == [
        ("a", "linear"), ("a", "gappy"), ("b", "linear"), ("b", "gappy"),
    ]  # fmt: skip
    single = probe(*split(x, frame["gappy"].to_numpy()))
    row = table.iloc[1]
    assert (row["n_train"], row["n_test"]) == (single.n_train, single.n_test)
    assert [row["r2"], row["rmse"], row["mae"]] == pytest.approx(
        [single.r2, single.rmse, single.mae]
    )


def test_all_representations_are_scored_on_the_same_rows(data):
    x, y = data
    holes = x.copy()
    holes[[0, 350]] = np.nan
    table = probe_table(
        {"a": x, "b": holes}, pd.DataFrame({"y": y}), np.arange(300), np.arange(300, 400)
    )
    assert table["n_train"].tolist() == [299, 299]
    assert table["n_test"].tolist() == [99, 99]
    assert table["r2"].iloc[0] == pytest.approx(table["r2"].iloc[1])


def test_a_property_without_values_keeps_its_row(data):
    x, y = data
    frame = pd.DataFrame({"empty": np.full(400, np.nan), "y": y})
    table = probe_table({"a": x}, frame, np.arange(300), np.arange(300, 400))
    assert np.isnan(table["r2"].iloc[0])
    assert table["n_train"].tolist() == [0, 300]
    with pytest.raises(UserError, match="No property has 10 usable rows"):
        probe_table({"a": x}, frame[["empty"]], np.arange(300), np.arange(300, 400))


def table_of(ours: dict[str, float], theirs: dict[str, float]) -> pd.DataFrame:
    rows = [("pretrained", p, v) for p, v in ours.items()]
    rows += [("random start", p, v) for p, v in theirs.items()]
    return pd.DataFrame(rows, columns=["representation", "property", "r2"])


def test_compare_over_seeds():
    result = compare(
        {
            0: table_of({"logP": 0.80, "QED": 0.5}, {"logP": 0.50, "QED": 0.4}),
            1: table_of({"logP": 0.82, "QED": 0.3}, {"logP": 0.54, "QED": 0.4}),
        }
    ).set_index("property")
    log_p, qed = result.loc["logP"], result.loc["QED"]
    assert log_p["mean"] == pytest.approx(0.81)
    assert log_p["std"] == pytest.approx(0.01 * np.sqrt(2))  # ddof=1
    assert log_p["baseline_std"] == pytest.approx(0.02 * np.sqrt(2))
    assert log_p["difference"] == pytest.approx(0.29)
    assert result["larger_than_spread"].tolist() == [True, False]
    assert qed["difference"] == pytest.approx(0)
    assert result["num_seeds"].tolist() == [2, 2]


def test_compare_one_seed_claims_nothing():
    result = compare({0: table_of({"logP": 0.9}, {"logP": 0.1})})
    assert np.isnan(result["std"].iloc[0])
    assert not result["larger_than_spread"].iloc[0]


def test_compare_needs_both_representations():
    with pytest.raises(ValueError, match="seed 3 has no representation 'random start'"):
        compare({3: table_of({"logP": 0.9}, {})})
    with pytest.raises(ValueError, match="at least one seed"):
        compare({})
