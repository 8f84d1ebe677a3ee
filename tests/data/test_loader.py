"""Batches with masks: the same from any number of workers, and from any start."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from molvec.data.dataset import MoleculeDataset
from molvec.data.loader import SINGLE, Failure, collate, load_batches
from molvec.data.sampler import BucketBatches
from molvec.data.store import build_store
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.graph import validate
from molvec.masking import MaskSampler
from molvec.records import Record


@pytest.fixture(scope="module")
def dataset(smiles, tmp_path_factory):
    texts = list(smiles)
    texts[5], texts[11], texts[17] = "garbage", "C", "[Na+]"
    records = [Record(i, smiles=text) for i, text in enumerate(texts)]
    store = build_store(records, tmp_path_factory.mktemp("store") / "s")
    return MoleculeDataset(store, MoleculeFeaturizer())


@pytest.fixture
def batches(dataset):
    def load(start, stop, workers=0, dataset=dataset, batch_size=8, seed=0):
        sampler = BucketBatches(dataset.sizes, batch_size=batch_size, seed=seed)
        masks = MaskSampler(views=3, seed=seed)
        return list(load_batches(dataset, masks, sampler, start=start, stop=stop, workers=workers))

    return load


def assert_same(one, two):
    assert len(one) == len(two) > 0
    for a, b in zip(one, two, strict=True):
        assert a.failures == b.failures
        assert torch.equal(a.mask, b.mask)
        for field in ("x", "edge_index", "edge_attr", "batch", "ptr"):
            assert torch.equal(a.batch[field], b.batch[field]), field


def test_shapes(batches):
    for loaded in batches(0, 6):
        graphs = loaded.batch.num_graphs
        assert graphs + len(loaded.failures) == 8
        assert loaded.mask.shape == (3, loaded.batch.num_nodes)
        assert loaded.mask.dtype == torch.bool
        validate(loaded.batch)
        for view in loaded.mask:  # every graph shows some nodes and hides others, in every view
            hidden = torch.zeros(graphs).index_add_(0, loaded.batch.batch, view.float())
            assert (hidden > 0).all()
            assert (hidden < loaded.batch.ptr.diff()).all()


def test_an_epoch_holds_every_row(batches):
    epoch = batches(0, 6)
    failed = sorted((f.index, f.reason) for loaded in epoch for f in loaded.failures)
    assert failed == [(5, "not valid SMILES"), (11, SINGLE), (17, SINGLE)]
    assert sum(loaded.batch.num_graphs for loaded in epoch) == 45


@pytest.mark.parametrize("workers", [0, 2])
def test_slices_agree(workers, batches):
    """What a resumed run draws is what the uninterrupted one would have drawn."""
    whole = batches(0, 14)
    assert_same(batches(5, 14, workers), whole[5:])
    assert_same(batches(13, 14, workers), whole[13:])
    assert batches(14, 14, workers) == []


def test_workers_do_not_matter(batches):
    assert_same(batches(0, 8, workers=0), batches(0, 8, workers=2))


def test_masks_change_from_epoch_to_epoch(dataset):
    graph = dataset.graph(0)
    masks = MaskSampler(views=3, seed=0)
    drawn = [masks(graph, epoch=epoch, sample=0) for epoch in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("workers", [0, 1])
def test_global_randomness_is_neither_used_nor_spent(workers, batches):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    state = torch.get_rng_state()
    one = batches(0, 3, workers)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    assert_same(one, batches(0, 3, workers))


def test_rows_of_the_data_not_of_the_sample(dataset, batches):
    some = MoleculeDataset(dataset.store, dataset.featurizer, rows=np.array([3, 4, 5, 17]))
    (loaded,) = batches(0, 1, dataset=some, batch_size=4)
    assert sorted(failure.index for failure in loaded.failures) == [5, 17]
    assert loaded.batch.num_graphs == 2


def sample(num_nodes):
    graph = Data(
        x=torch.zeros(num_nodes, 2, dtype=torch.int64),
        edge_index=torch.zeros(2, 0, dtype=torch.int64),
        edge_attr=torch.zeros(0, 1, dtype=torch.int64),
    )
    return graph, torch.ones(3, num_nodes, dtype=torch.bool)


def test_collate_keeps_failures():
    bad = Failure(7, "no")
    loaded = collate([sample(2), bad, sample(3)])
    assert (loaded.batch.num_graphs, loaded.mask.shape) == (2, (3, 5))
    assert loaded.failures == (bad,)


@pytest.mark.parametrize("samples", [[], [sample(4)]])
def test_too_few_for_a_batch(samples):
    """Statistics over one graph mean nothing; what failed is told all the same."""
    bad = Failure(7, "no")
    loaded = collate([bad, *samples])
    assert (loaded.batch, loaded.mask, loaded.failures) == (None, None, (bad,))
    assert loaded.to(torch.device("cpu")) is loaded


def test_to(batches):
    (loaded,) = batches(0, 1)
    moved = loaded.to(torch.device("meta"))
    assert moved.batch.x.device.type == moved.mask.device.type == "meta"
    assert moved.failures == loaded.failures
