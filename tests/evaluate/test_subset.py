"""Shares of the training labels."""

import numpy as np
import pandas as pd
import pytest

from molvec.evaluate.subset import stratified_draw


def table(**columns):
    return pd.DataFrame(columns, dtype=float)


def test_classes_keep_their_proportion():
    targets = table(y=[1.0] * 40 + [0.0] * 360)
    rows = stratified_draw(targets, "classification", 0.25, seed=0)
    assert (rows < 40).sum() == 10
    assert len(rows) == 100
    assert (np.diff(rows) > 0).all()


def test_a_rare_class_is_not_lost():
    targets = table(y=[1.0] + [0.0] * 199)
    rows = stratified_draw(targets, "classification", 0.05, seed=3)
    assert 0 in rows
    assert len(rows) == 1 + round(0.05 * 199)


def test_several_targets_are_stratified_by_any_positive():
    a = [1.0] * 10 + [0.0] * 90
    b = [0.0] * 10 + [1.0] * 10 + [np.nan] * 80
    rows = stratified_draw(table(a=a, b=b), "classification", 0.1, seed=0)
    assert (rows < 20).sum() == 2
    assert len(rows) == 10


def test_regression_covers_the_range():
    y = np.arange(1000.0)
    rows = stratified_draw(table(y=y), "regression", 0.1, seed=0)
    assert np.bincount(rows // 100, minlength=10).tolist() == [10] * 10


def test_rows_without_labels_are_a_stratum_of_their_own():
    targets = table(y=[1.0] * 20 + [0.0] * 20 + [np.nan] * 40)
    rows = stratified_draw(targets, "classification", 0.5, seed=0)
    assert (rows >= 40).sum() == 20


def test_everything_is_everything():
    assert stratified_draw(table(y=[0, 1, 1]), "classification", 1, seed=9).tolist() == [0, 1, 2]


def test_the_seed_decides():
    targets = table(y=[0.0, 1.0] * 100)
    first, again, other = (
        stratified_draw(targets, "classification", 0.1, seed=seed).tolist() for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5])
def test_a_share_is_a_share(fraction):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        stratified_draw(table(y=[0, 1]), "classification", fraction, seed=0)
