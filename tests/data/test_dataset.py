"""Molecules on demand from a store, by the row's own number."""

import pickle

import numpy as np
import pytest

from molvec.data.dataset import MoleculeDataset
from molvec.data.store import build_store
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.records import Record

TEXTS = ["CCO", "garbage", "c1ccccc1O", "", "C" * 30, "[Na+]"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    records = [Record(i, smiles=text or None) for i, text in enumerate(TEXTS)]
    return build_store(records, tmp_path_factory.mktemp("store") / "s")


@pytest.fixture(scope="module")
def featurizer():
    return MoleculeFeaturizer()


def test_all_rows(store, featurizer):
    dataset = MoleculeDataset(store, featurizer)
    assert len(dataset) == 6
    assert dataset.sizes.tolist() == [len(text) for text in TEXTS]
    assert dataset.graph(0).num_nodes == 3
    assert dataset.graph(5).num_nodes == 1
    assert dataset.row(4) == 4


def test_some_rows(store, featurizer):
    dataset = MoleculeDataset(store, featurizer, rows=np.array([4, 0, 2]))
    assert len(dataset) == 3
    assert dataset.sizes.tolist() == [30, 3, 9]
    assert [dataset.graph(i).num_nodes for i in range(3)] == [30, 3, 7]
    assert [dataset.row(i) for i in range(3)] == [4, 0, 2]
    assert type(dataset.row(0)) is int


def test_what_is_no_graph(store, featurizer):
    dataset = MoleculeDataset(store, featurizer, max_atoms=20)
    for row, reason in [
        (1, "not valid SMILES"),
        (3, "empty SMILES"),
        (4, "30 atoms, more than the limit of 20"),
    ]:
        with pytest.raises(ValueError, match=f"^{reason}$"):
            dataset.graph(row)
    assert MoleculeDataset(store, featurizer, max_atoms=30).graph(4).num_nodes == 30


def test_travels_to_a_worker(store, featurizer):
    dataset = MoleculeDataset(store, featurizer, rows=np.array([2, 0]))
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.graph(0).x.equal(dataset.graph(0).x)
    assert copy.graph(0).edge_index.equal(dataset.graph(0).edge_index)
