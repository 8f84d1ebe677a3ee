"""Batches with their masks, made in workers, skipping what cannot be read."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch_geometric.data import Batch, Data

from molvec.data.dataset import GraphDataset
from molvec.data.sampler import BucketBatches

SINGLE = "single node: nothing to mask"
"""Why a graph of one node is of no use in training: with its node hidden, nothing is left."""


class Masks(Protocol):
    """Draws the masks of one graph: bool ``[num_views, num_nodes]``, ``True`` where hidden."""

    def __call__(self, graph: Data, *, epoch: int, sample: int) -> Tensor:
        """Return the masks; a pure function of its arguments."""
        ...


class Noise(Protocol):
    """Changes what the student sees of one graph."""

    def __call__(self, graph: Data, *, epoch: int, sample: int) -> Data:
        """Return a changed copy; a pure function of its arguments."""
        ...


@dataclass(frozen=True)
class Failure:
    """A sample that cannot be learned from: row ``index`` of the data."""

    index: int
    reason: str


@dataclass(frozen=True)
class MaskedBatch:
    """One training batch.

    Shapes:
        - ``mask``: bool ``[num_views, num_nodes]``.

    ``batch`` is ``None`` when fewer than two graphs could be read.
    """

    batch: Batch | None
    mask: Tensor | None
    failures: tuple[Failure, ...]

    def to(self, device: torch.device) -> MaskedBatch:
        """Move the tensors to a device."""
        if self.batch is None or self.mask is None:
            return self
        batch = self.batch.to(device, non_blocking=True)
        return MaskedBatch(batch, self.mask.to(device, non_blocking=True), self.failures)


class _Samples(Dataset[tuple[Data, Tensor] | Failure]):
    def __init__(self, dataset: GraphDataset, masks: Masks, noise: Noise | None) -> None:
        self.dataset = dataset
        self.masks = masks
        self.noise = noise

    def __getitem__(self, key: tuple[int, int]) -> tuple[Data, Tensor] | Failure:
        epoch, index = key
        try:
            graph = self.dataset.graph(index, epoch=epoch)
        except ValueError as error:
            return Failure(self.dataset.row(index), str(error))
        if graph.num_nodes == 1:
            return Failure(self.dataset.row(index), SINGLE)
        masks = self.masks(graph, epoch=epoch, sample=index)
        if self.noise is not None:
            graph = self.noise(graph, epoch=epoch, sample=index)
        return graph, masks


def collate(samples: list[tuple[Data, Tensor] | Failure]) -> MaskedBatch:
    """Join graphs and masks; failures are carried along, never dropped silently."""
    failures = tuple(sample for sample in samples if isinstance(sample, Failure))
    good = [sample for sample in samples if not isinstance(sample, Failure)]
    if len(good) < 2:
        return MaskedBatch(None, None, failures)
    graphs, masks = zip(*good, strict=True)
    return MaskedBatch(Batch.from_data_list(list(graphs)), torch.cat(masks, dim=1), failures)


@dataclass(frozen=True)
class _Keys:
    """A batch sampler over a stretch of an endless sequence."""

    batches: BucketBatches
    start: int
    stop: int

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return self.batches.run(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start


def load_batches(
    dataset: GraphDataset,
    masks: Masks,
    batches: BucketBatches,
    *,
    start: int,
    stop: int,
    workers: int,
    noise: Noise | None = None,
) -> Iterator[MaskedBatch]:
    """Yield training batches number ``start`` to ``stop - 1``.

    What a batch holds does not depend on ``workers``: with 0 this process makes it, otherwise
    processes of their own work ahead.
    """
    loader: DataLoader[Any] = DataLoader(
        _Samples(dataset, masks, noise),
        batch_sampler=_Keys(batches, start, stop),
        collate_fn=collate,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_init_worker,
        generator=torch.Generator(),  # else a draw from the global state, which a resume restores
    )
    yield from loader


def _init_worker(worker: int) -> None:
    """Leave stop signals to the main process, which ends the workers after its checkpoint."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
