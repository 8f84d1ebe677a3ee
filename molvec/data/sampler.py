"""Which samples make up batch number ``step``: a pure function of the seed, so a run can resume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

POOL = 64
"""Batches per pool; within a pool samples are sorted by size, so that a batch wastes no padding."""


class BucketBatches:
    """An endless sequence of batches of similar size, every sample once per epoch.

    Each epoch is a fresh permutation, cut into pools of ``POOL`` batches; a pool is sorted by
    size, cut into batches, and its batches are shuffled. The last incomplete batch of an epoch is
    left out, unless it is the only one.

    Args:
        sizes: ``[num_samples]``, anything that grows with a graph's size.
        batch_size: graphs per batch.
        seed: with the epoch's number, the only source of randomness.
    """

    def __init__(self, sizes: NDArray[np.integer], *, batch_size: int, seed: int) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if len(sizes) == 0:
            raise ValueError("there are no samples")
        self.sizes = sizes
        self.batch_size = min(batch_size, len(sizes))
        self.seed = seed
        self.per_epoch = len(sizes) // self.batch_size

    def epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the batches of one epoch, each int64 ``[batch_size]`` of sample numbers."""
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.sizes))[: self.per_epoch * self.batch_size]
        batches: list[NDArray[np.int64]] = []
        for pool in np.split(
            order, range(POOL * self.batch_size, len(order), POOL * self.batch_size)
        ):
            by_size = pool[np.argsort(self.sizes[pool], kind="stable")]
            pooled = by_size.reshape(-1, self.batch_size)
            batches.extend(pooled[rng.permutation(len(pooled))])
        return batches

    def run(self, start: int, stop: int) -> Iterator[list[tuple[int, int]]]:
        """Yield batches number ``start`` to ``stop - 1`` as lists of (epoch, sample number)."""
        for epoch in range(start // self.per_epoch, -(-stop // self.per_epoch)):
            first = epoch * self.per_epoch
            batches = self.epoch(epoch)
            for step in range(max(start, first), min(stop, first + self.per_epoch)):
                yield [(epoch, int(sample)) for sample in batches[step - first]]
