import numpy as np
import pytest

from molvec.evaluate.bins import Bins


def column(values):
    return np.asarray(values, dtype=np.float32)[:, None]


def test_few_values_are_all_kept_apart():
    x = column(np.random.default_rng(0).permutation(np.repeat([-1.5, 0.0, 0.25, 7.0], 5)))
    binned = Bins.fit(x, 64).transform(x)
    np.testing.assert_array_equal(np.unique(binned), [0, 1, 2, 3])
    np.testing.assert_array_equal(binned[x == 0.25], 2)


def test_neighbouring_floats_are_kept_apart():
    one = np.float32(1)
    x = column([one, np.nextafter(one, np.float32(2)), np.nextafter(one, np.float32(0))])
    np.testing.assert_array_equal(Bins.fit(x, 64).transform(x).ravel(), [1, 2, 0])


def test_bins_keep_the_order_and_are_about_equally_full():
    x = column(np.random.default_rng(0).lognormal(size=6400))
    binned = Bins.fit(x, 64).transform(x)
    assert (np.diff(binned[np.argsort(x[:, 0]), 0]) >= 0).all()
    counts = np.unique(binned, return_counts=True)[1]
    assert len(counts) == 64
    assert counts.min() >= 99
    assert counts.max() <= 101


def test_the_tail_of_a_feature_that_is_mostly_zero_is_not_lost():
    tail = np.linspace(1, 2, 100)  # 1 % of the rows: quantiles would put it into one bin
    x = column(np.concatenate([np.zeros(9900), tail]))
    binned = Bins.fit(x, 64).transform(x)
    assert len(np.unique(binned[9900:])) > 20
    assert (binned[:9900] == 0).all()
    assert (binned[9900:] > 0).all()


def test_unseen_values_go_to_the_nearest_bin():
    bins = Bins.fit(column([0, 1, 2]), 64)
    np.testing.assert_array_equal(bins.transform(column([-9, 0.4, 0.6, 9])).ravel(), [0, 0, 1, 2])


@pytest.mark.parametrize("dim", [0, 3])
def test_every_feature_has_bins_of_its_own(dim):
    x = np.random.default_rng(1).normal(size=(500, dim)).astype(np.float32)
    binned = Bins.fit(x, 64).transform(x)
    assert binned.shape == (500, dim)
    for k in range(dim):
        alone = x[:, [k]]
        np.testing.assert_array_equal(binned[:, [k]], Bins.fit(alone, 64).transform(alone))
