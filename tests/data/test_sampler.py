"""Batches follow from the seed and the step alone, hold alike sizes, and leave no sample out."""

import numpy as np
import pytest

from molvec.data.sampler import POOL, BucketBatches

SIZES = np.random.default_rng(0).integers(5, 60, size=1000)


def flat(batches):
    return [sample for batch in batches for sample in batch]


@pytest.mark.parametrize("batch_size", [1, 7, 8, 64, 1000])
def test_every_sample_once_per_epoch(batch_size):
    sampler = BucketBatches(SIZES, batch_size=batch_size, seed=0)
    for epoch in (0, 1, 5):
        batches = sampler.epoch(epoch)
        assert len(batches) == sampler.per_epoch == 1000 // batch_size
        assert all(len(batch) == batch_size for batch in batches)
        samples = np.concatenate(batches)
        assert len(np.unique(samples)) == len(samples) == 1000 // batch_size * batch_size


def test_what_one_epoch_leaves_out_another_takes():
    sampler = BucketBatches(SIZES, batch_size=300, seed=0)
    seen = {
        int(sample) for epoch in range(10) for batch in sampler.epoch(epoch) for sample in batch
    }
    assert seen == set(range(1000))


def test_epochs_and_seeds_differ():
    def order(seed, epoch):
        return np.concatenate(BucketBatches(SIZES, batch_size=10, seed=seed).epoch(epoch)).tolist()

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}) == 6


def test_batches_hold_alike_sizes():
    """Padding is what a batch costs beyond its atoms; random batches cost several times more."""

    def waste(batches):
        padded = sum(len(batch) * SIZES[batch].max() for batch in batches)
        return padded / SIZES[np.concatenate(batches)].sum() - 1

    bucketed = waste(BucketBatches(SIZES, batch_size=10, seed=0).epoch(0))
    at_random = waste(np.random.default_rng(0).permutation(1000).reshape(-1, 10))
    assert bucketed < 0.05
    assert at_random > 0.5


def test_sizes_come_in_no_order():
    """Within an epoch the batches are shuffled: training never sees all small ones first."""
    batches = BucketBatches(SIZES, batch_size=10, seed=0).epoch(0)
    means = np.array([SIZES[batch].mean() for batch in batches])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_pools_are_cut_from_the_permutation():
    """A sample's batch mates come from its pool, so the order of sizes cannot repeat exactly."""
    sampler = BucketBatches(np.ones(POOL * 4 * 2 + 3, dtype=int), batch_size=4, seed=0)
    batches = sampler.epoch(0)
    assert len(batches) == 2 * POOL
    order = np.random.default_rng((0, 0)).permutation(len(sampler.sizes))
    assert set(flat(batches[:POOL])) == set(order[: POOL * 4].tolist())


@pytest.mark.parametrize("batch_size", [7, 64, 600])
def test_run_is_a_function_of_the_step(batch_size):
    sampler = BucketBatches(SIZES, batch_size=batch_size, seed=3)
    stop = 3 * sampler.per_epoch + 2
    whole = list(sampler.run(0, stop))
    assert len(whole) == stop
    other = BucketBatches(SIZES, batch_size=batch_size, seed=3)
    for start in {0, 1, sampler.per_epoch - 1, sampler.per_epoch, sampler.per_epoch + 1, stop - 1}:
        assert list(other.run(start, stop)) == whole[start:]
        assert list(other.run(start, start + 1)) == whole[start : start + 1]
    assert list(other.run(stop, stop)) == []
    assert [batch[0][0] for batch in whole] == [step // sampler.per_epoch for step in range(stop)]


def test_plain_numbers():
    """Keys travel to workers and into seeds: Python integers."""
    (batch,) = BucketBatches(SIZES, batch_size=2, seed=0).run(0, 1)
    assert all(type(number) is int for key in batch for number in key)


def test_fewer_samples_than_a_batch():
    sampler = BucketBatches(SIZES[:3], batch_size=8, seed=0)
    assert (sampler.batch_size, sampler.per_epoch) == (3, 1)
    assert [sorted(sample for _, sample in batch) for batch in sampler.run(0, 2)] == [[0, 1, 2]] * 2


def test_refused():
    with pytest.raises(ValueError, match="there are no samples"):
        BucketBatches(SIZES[:0], batch_size=8, seed=0)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        BucketBatches(SIZES, batch_size=0, seed=0)
