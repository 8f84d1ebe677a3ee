"""The random forest heads: one forest per task, on the rows that are labelled for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.evaluate.bins import BINS, Bins
from molvec.evaluate.linear import constant_probability, target_means
from molvec.evaluate.metrics import Floats

# Share of features tried per split of a regression forest: Breiman's recommendation
# (R's randomForest). On the validation parts (scaffold_hu, 2048 counts, mean of 3 seeds) the RMSE
# with sqrt, 0.1, 1/3 and all features is 1.35, 1.25, 1.20, 1.30 on ESOL and 6.16, 5.84, 5.62, 5.50
# on FreeSolv.
REGRESSION_FEATURES = 1 / 3

# Most features tried per split of binned features, for classes and for values. The channels of an
# embedding repeat one another, and trying all that the shares above ask for takes 1.7 and 3 times
# as long. Validation scores of 1,536-value embeddings (scaffold_hu, mean and standard deviation of
# 3 seeds) with the shares and with these limits:
#   ROC-AUC  BBBP 0.955 (0.002), 0.958 (0.004)         BACE 0.742 (0.005), 0.736 (0.005)
#            SIDER 0.594 (0.011), 0.588 (0.006)
#   RMSE     ESOL 1.005 (0.003), 1.005 (0.029)         FreeSolv 4.13 (0.12), 4.15 (0.11)
#            Lipophilicity 0.885 (0.015), 0.894 (0.011)
MOST_TRIED = {"classification": 20, "regression": 150}

# Fingerprint counts have 1-2 % entries that are not 0. As a sparse matrix they give the same trees
# 2.7 times faster.
SPARSE_BELOW = 0.1


@dataclass(frozen=True)
class ForestHead:
    """Forests of a data set; a task with one class (or one value) in training is a constant."""

    forests: tuple[Any | None, ...]  # [num_targets] scikit-learn forests, None for constants
    constant: Floats  # [num_targets], NaN where there is a forest
    bins: Bins | None  # of the features; None for fingerprints
    choice: dict[str, float | int | str]

    def predict(self, x: Floats) -> Floats:
        """Probability of class 1, or the value, ``[num_rows, num_targets]``."""
        result = np.empty((len(x), len(self.forests)))
        single: NDArray[np.float32] = np.asarray(x, dtype=np.float32)
        if self.bins is not None:
            single = self.bins.transform(single)
        for task, forest in enumerate(self.forests):
            if forest is None:
                result[:, task] = self.constant[task]
            elif hasattr(forest, "predict_proba"):
                result[:, task] = forest.predict_proba(single)[:, 1]
            else:
                result[:, task] = forest.predict(single)
        return result


def fit_forest(
    task: str, train_x: Floats, train_y: Floats, *, seed: int, trees: int, jobs: int
) -> ForestHead:
    """Fit one forest per target (Breiman 2001, doi:10.1023/A:1010933404324).

    Fully grown trees, the square root of the number of features tried per split for classes, a
    third for values, but at most ``MOST_TRIED`` of binned features; classes are not weighted
    (weights moved the validation ROC-AUC of BBBP from 0.964 to 0.957 and of BACE from 0.724 to
    0.722). Nothing is chosen on the validation part. Features that are not mostly zeros are binned
    first, see `molvec.evaluate.bins`.

    A forest's seed depends on ``seed`` and its column only, and its trees are added up in order,
    so the numbers do not depend on ``jobs``, the number of threads. 500 trees on 2,000 rows of a
    hard task hold about 15 MB: use fewer trees for hundreds of tasks.

    Args:
        task: ``"classification"`` or ``"regression"``.
        train_x: ``[num_rows, dim]``, finite.
        train_y: ``[num_rows, num_targets]``, NaN = missing.
        seed: of bootstraps and feature draws.
        trees: per forest.
        jobs: threads.
    """
    from sklearn.utils.parallel import Parallel, delayed

    x, bins = _stored(train_x, BINS[task])
    constant = constant_probability(train_y) if task == "classification" else _one_value(train_y)
    if x.shape[1] == 0:
        constant = target_means(train_y, empty=0.5)  # no feature varies: the prior, or the mean
    columns = np.flatnonzero(np.isnan(constant))
    tried = _tried_per_split(task, x.shape[1], binned=bins is not None)
    across = len(columns) >= jobs  # threads over forests, or else over the trees of one
    fitted = Parallel(n_jobs=jobs if across else 1, prefer="threads")(
        delayed(_fit_one)(
            task, x, train_y[:, c], [seed, int(c)], trees, tried, 1 if across else jobs
        )
        for c in columns
    )
    forests: list[Any | None] = [None] * train_y.shape[1]
    for column, forest in zip(columns, fitted, strict=True):
        forests[column] = forest
    choice: dict[str, float | int | str] = {
        "trees": trees,
        "constant_tasks": train_y.shape[1] - len(columns),
    }
    return ForestHead(tuple(forests), constant, bins, choice)


def _tried_per_split(task: str, dim: int, *, binned: bool) -> int:
    share = np.sqrt(dim) if task == "classification" else dim * REGRESSION_FEATURES
    return max(1, min(int(share), MOST_TRIED[task] if binned else dim))


def _fit_one(
    task: str, x: Any, y: Floats, seed: list[int], trees: int, tried: int, jobs: int
) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    rows = ~np.isnan(y)
    state = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if task == "classification":
        forest = RandomForestClassifier(
            trees, max_features=tried, random_state=state, n_jobs=jobs
        ).fit(x[rows], y[rows].astype(np.int64))
    else:
        forest = RandomForestRegressor(
            trees, max_features=tried, random_state=state, n_jobs=jobs
        ).fit(x[rows], y[rows])
    forest.n_jobs = 1  # several threads would add the trees up in any order
    return forest


def _stored(x: Floats, most: int) -> tuple[Any, Bins | None]:
    """Features as float32: sparse columns where they are mostly zeros, or else ``most`` bins."""
    dense: NDArray[np.float32] = np.asarray(x, dtype=np.float32)
    if np.count_nonzero(dense) >= SPARSE_BELOW * dense.size:
        bins = Bins.fit(dense, most)
        return bins.transform(dense), bins
    from scipy.sparse import csc_array

    return csc_array(dense), None


def _one_value(targets: Floats) -> Floats:
    low, high = np.nanmin(targets, axis=0), np.nanmax(targets, axis=0)
    return np.where(low == high, low, np.nan)
