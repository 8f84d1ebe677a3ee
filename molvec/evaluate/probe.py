"""The frozen linear probe: how much of a property a ridge regression reads from an embedding.

The encoder is never trained here. ``fit_probe`` sees the training part only, so no statistic of
the test part can reach a scaler, a coefficient or the choice of the ridge strength.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from molvec.errors import UserError

# Features have unit variance, so the useful strengths scale with the number of training rows:
# this covers from almost no shrinkage to predicting the mean for some 10 to 100,000 rows.
ALPHAS: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-4, 13))
MIN_ROWS = 10
# float32 embeddings carry a relative noise of about 1e-7: a feature that varies less than this
# (relative to its mean) is constant, and dividing by its spread would only amplify noise.
MIN_RELATIVE_STD = 1e-6
TABLE_COLUMNS = ("representation", "property", "r2", "rmse", "mae", "n_train", "n_test")


@dataclass(frozen=True)
class ProbeScore:
    """Result for one target on the test part; ``rmse`` and ``mae`` in the unit of the target.

    ``r2`` is 1 - SSE / SST about the test mean (NaN if the test targets are all equal),
    ``left_out`` counts rows of both parts with a NaN target or embedding, ``alpha`` is the ridge
    strength chosen on the training part.
    """

    r2: float
    rmse: float
    mae: float
    n_train: int
    n_test: int
    left_out: int
    alpha: float


@dataclass(frozen=True)
class LinearProbe:
    """A fitted probe: standardise, multiply, undo the target's scale, clip to the range seen."""

    kept: np.ndarray  # bool [dim]: features that vary in the training part
    feature_mean: np.ndarray  # [num_kept]
    feature_std: np.ndarray  # [num_kept]
    coefficients: np.ndarray  # [num_kept, num_targets]
    target_mean: np.ndarray  # [num_targets]
    target_std: np.ndarray  # [num_targets]
    target_low: np.ndarray  # [num_targets]
    target_high: np.ndarray  # [num_targets]
    alpha: np.ndarray  # [num_targets]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predict targets ``[num_rows, num_targets]`` from embeddings ``[num_rows, dim]``.

        Predictions stay in the range of the training targets: a molecule far from all training
        molecules is otherwise extrapolated wildly, and one such row decides R².
        """
        features = np.asarray(x, dtype=np.float64)[:, self.kept]
        standardised = (features - self.feature_mean) / self.feature_std
        predicted = standardised @ self.coefficients * self.target_std + self.target_mean
        return np.clip(predicted, self.target_low, self.target_high)


def fit_probe(x: np.ndarray, y: np.ndarray, *, alphas: Sequence[float] = ALPHAS) -> LinearProbe:
    """Fit a ridge regression from embeddings to one or several targets.

    The strength is chosen per target by the exact leave-one-out error on these rows; all targets
    share one factorisation of the features.

    Args:
        x: ``[num_rows, dim]``, finite.
        y: ``[num_rows]`` or ``[num_rows, num_targets]``, finite.
        alphas: ridge strengths to choose from, for features and targets of unit variance.
    """
    from sklearn.linear_model import RidgeCV

    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64).reshape(len(x), -1)
    mean, std = x.mean(axis=0), x.std(axis=0)
    kept = std > MIN_RELATIVE_STD * np.abs(mean)
    target_mean, target_std = y.mean(axis=0), y.std(axis=0)
    constant = target_std <= MIN_RELATIVE_STD * np.abs(target_mean)
    target_std = np.where(constant, 1.0, target_std)

    coefficients = np.zeros((int(kept.sum()), y.shape[1]))
    alpha = np.full(y.shape[1], max(alphas))
    if kept.any():
        ridge = RidgeCV(alphas=list(alphas), alpha_per_target=True)
        ridge.fit((x[:, kept] - mean[kept]) / std[kept], (y - target_mean) / target_std)
        coefficients = ridge.coef_.reshape(y.shape[1], -1).T
        alpha = np.atleast_1d(ridge.alpha_)
    return LinearProbe(
        kept=kept,
        feature_mean=mean[kept],
        feature_std=std[kept],
        coefficients=coefficients,
        target_mean=target_mean,
        target_std=target_std,
        target_low=y.min(axis=0),
        target_high=y.max(axis=0),
        alpha=alpha,
    )


def probe(
    train_x: np.ndarray,
    train_y: np.ndarray,
    test_x: np.ndarray,
    test_y: np.ndarray,
    *,
    alphas: Sequence[float] = ALPHAS,
) -> ProbeScore:
    """Fit one target on the training part and score it on the test part.

    Args:
        train_x: embeddings ``[n_train, dim]``; ``test_x`` likewise.
        train_y: target ``[n_train]`` in its own unit; ``test_y`` likewise.
        alphas: ridge strengths to choose from.

    Rows with a NaN (or infinite) target or embedding are left out and counted, never imputed.

    Raises:
        ValueError: arrays whose lengths or widths do not fit.
        UserError: fewer than 10 usable rows in a part.
    """
    train_x, train_y = _check_pair(train_x, train_y, "train")
    test_x, test_y = _check_pair(test_x, test_y, "test")
    if train_x.shape[1] != test_x.shape[1]:
        raise ValueError(
            f"train_x has {train_x.shape[1]} features but test_x has {test_x.shape[1]}."
        )
    train = np.flatnonzero(_finite_rows(train_x) & np.isfinite(train_y))
    test = np.flatnonzero(_finite_rows(test_x) & np.isfinite(test_y))
    for part, used, rows in (("training", train, train_y), ("test", test, test_y)):
        if len(used) < MIN_ROWS:
            raise UserError(
                f"The probe needs at least {MIN_ROWS} rows with a target and an embedding in the "
                f"{part} part; {len(used)} of {len(rows)} are usable. Give more molecules."
            )
    fitted = fit_probe(train_x[train], train_y[train], alphas=alphas)
    r2, rmse, mae = _metrics(test_y[test], fitted.predict(test_x[test])[:, 0])
    left_out = len(train_y) - len(train) + len(test_y) - len(test)
    return ProbeScore(r2, rmse, mae, len(train), len(test), left_out, float(fitted.alpha[0]))


def probe_table(
    embeddings: Mapping[str, np.ndarray],
    targets: pd.DataFrame,
    train: np.ndarray,
    test: np.ndarray,
    *,
    alphas: Sequence[float] = ALPHAS,
) -> pd.DataFrame:
    """Probe every representation for every target on one split.

    Args:
        embeddings: name -> ``[num_rows, dim]``, rows aligned with ``targets``.
        targets: ``[num_rows, num_targets]``, NaN where a target is missing.
        train: row numbers of the training part; ``test`` likewise, without overlap.
        test: row numbers of the test part.
        alphas: ridge strengths to choose from.

    Returns:
        One row per representation and property with columns ``representation``, ``property``,
        ``r2``, ``rmse``, ``mae`` (unit of the property), ``n_train``, ``n_test``. All
        representations are scored on the same rows: those finite in every one of them. A property
        with fewer than 10 usable rows in a part keeps its row, with NaN scores.

    Raises:
        ValueError: lengths that do not fit, row numbers out of range or in both parts.
        UserError: no property has enough usable rows.
    """
    train, test = _check_split(train, test, len(targets))
    arrays = {name: _check_pair(x, targets, name)[0] for name, x in embeddings.items()}
    usable = np.ones(len(targets), dtype=bool)
    for x in arrays.values():
        usable &= _finite_rows(x)
    values = targets.to_numpy(dtype=np.float64)
    finite = np.isfinite(values) & usable[:, None]  # [num_rows, num_targets]

    # Targets that miss the same rows share one fit, and so one factorisation.
    groups: dict[bytes, list[int]] = {}
    for column in range(values.shape[1]):
        groups.setdefault(finite[:, column].tobytes(), []).append(column)

    scores: dict[tuple[str, int], tuple[float | int, ...]] = {}
    enough = False
    for columns in groups.values():
        rows = finite[:, columns[0]]
        fit, held_out = train[rows[train]], test[rows[test]]
        sizes = (len(fit), len(held_out))
        for name, x in arrays.items():
            if min(sizes) < MIN_ROWS:
                scores |= {(name, c): (np.nan, np.nan, np.nan, *sizes) for c in columns}
                continue
            enough = True
            fitted = fit_probe(x[fit], values[np.ix_(fit, columns)], alphas=alphas)
            predicted = fitted.predict(x[held_out])
            for k, c in enumerate(columns):
                scores[name, c] = (*_metrics(values[held_out, c], predicted[:, k]), *sizes)
    if scores and not enough:
        counts = {name: int(_finite_rows(x).sum()) for name, x in arrays.items()}
        raise UserError(
            f"No property has {MIN_ROWS} usable rows in both parts (train {len(train)}, test "
            f"{len(test)}; rows with an embedding: {counts}). Give more molecules."
        )
    return pd.DataFrame(
        [
            (name, str(targets.columns[c]), *scores[name, c])
            for name in arrays
            for c in range(values.shape[1])
        ],
        columns=pd.Index(TABLE_COLUMNS),
    )


def compare(
    table_by_seed: Mapping[int, pd.DataFrame],
    *,
    representation: str = "pretrained",
    baseline: str = "random start",
    metric: str = "r2",
) -> pd.DataFrame:
    """Compare two representations over seeds.

    Args:
        table_by_seed: seed -> a result of ``probe_table``.
        representation: the one to judge.
        baseline: the one to judge it against.
        metric: ``"r2"``, ``"rmse"`` or ``"mae"``.

    Returns:
        One row per property: ``mean`` and ``std`` of the representation, ``baseline_mean`` and
        ``baseline_std``, ``difference`` (mean - baseline_mean, so negative is better for rmse and
        mae), ``num_seeds`` and ``larger_than_spread``: whether the size of the difference is
        above the larger of the two standard deviations (over seeds, ddof=1). With one seed there
        is no spread to be larger than: std is NaN and the answer is False.

    Raises:
        ValueError: no tables, or a table that lacks one of the two.
    """
    if not table_by_seed:
        raise ValueError("compare needs the table of at least one seed.")
    columns: dict[str, list[pd.Series]] = {representation: [], baseline: []}
    for seed, table in table_by_seed.items():
        for name, series in columns.items():
            rows = table[table["representation"] == name]
            if rows.empty:
                raise ValueError(
                    f"The table of seed {seed} has no representation {name!r}; "
                    f"it has {sorted(set(table['representation']))}."
                )
            series.append(rows.set_index("property")[metric].astype(float))
    ours = pd.concat(columns[representation], axis=1)  # [num_properties, num_seeds]
    theirs = pd.concat(columns[baseline], axis=1).reindex(ours.index)
    result = pd.DataFrame(
        {
            "mean": ours.mean(axis=1),
            "std": ours.std(axis=1, ddof=1),
            "baseline_mean": theirs.mean(axis=1),
            "baseline_std": theirs.std(axis=1, ddof=1),
        }
    )
    result["difference"] = result["mean"] - result["baseline_mean"]
    result["num_seeds"] = len(table_by_seed)
    spread = result[["std", "baseline_std"]].max(axis=1, skipna=False)
    result["larger_than_spread"] = result["difference"].abs() > spread  # False where NaN
    return result.rename_axis("property").reset_index()


def _metrics(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float, float]:
    """R², RMSE and MAE of ``[num_rows]`` predictions."""
    error = predicted - truth
    total = float(np.square(truth - truth.mean()).sum())
    r2 = 1.0 - float(np.square(error).sum()) / total if total > 0 else float("nan")
    return r2, float(np.sqrt(np.square(error).mean())), float(np.abs(error).mean())


def _finite_rows(x: np.ndarray) -> np.ndarray:
    finite: np.ndarray = np.isfinite(x).all(axis=1)
    return finite


def _check_pair(
    x: np.ndarray, y: np.ndarray | pd.DataFrame, name: str
) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError(f"{name}: embeddings must be [num_rows, dim], got shape {x.shape}.")
    if len(x) != len(y):
        raise ValueError(f"{name}: {len(x)} embeddings but {len(y)} rows of targets.")
    return x, np.asarray(y, dtype=np.float64)


def _check_split(
    train: np.ndarray, test: np.ndarray, num_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    train, test = np.asarray(train, dtype=np.int64), np.asarray(test, dtype=np.int64)
    both = np.concatenate([train, test])
    if both.size and (both.min() < 0 or both.max() >= num_rows):
        raise ValueError(f"Row numbers of the split must lie in 0..{num_rows - 1}.")
    shared = np.intersect1d(train, test)
    if shared.size:
        raise ValueError(f"{shared.size} rows are in both the training and the test part.")
    return train, test
