import pickle

import pytest

from molvec.data.dataset import MoleculeDataset
from molvec.data.mixture import Mixture
from molvec.data.store import build_store
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.records import Record


@pytest.fixture
def stores(tmp_path):
    texts = {"a": ["CCO", "C"], "b": ["N"], "c": ["OO", "bad", "CCCC"]}
    return [
        build_store(
            [Record(i, smiles=text) for i, text in enumerate(rows)],
            tmp_path / name,
            info={"source_sha256": name},
        )
        for name, rows in texts.items()
    ]


def test_rows_one_after_another(stores):
    mixture = Mixture(stores)
    assert len(mixture) == 6
    assert [mixture[i] for i in range(6)] == ["CCO", "C", "N", "OO", "bad", "CCCC"]
    assert mixture.lengths.tolist() == [3, 1, 1, 2, 3, 4]
    assert mixture.rows([1, 3, 2]).tolist() == [0, 1, 2, 2, 2, 3, 4, 5, 3, 4, 5]
    for index in (-1, 6):
        with pytest.raises(IndexError, match=f"row {index} of stores with 6 rows"):
            mixture[index]


def test_known_by_all_its_sources(stores):
    keys = {Mixture(some).info["source_sha256"] for some in (stores, stores[::-1], stores[:2])}
    assert len(keys) == 3
    assert Mixture(stores).info == Mixture(stores).info


def test_an_epoch_of_a_mixture(stores):
    mixture = Mixture(stores)
    dataset = MoleculeDataset(mixture, MoleculeFeaturizer(), rows=mixture.rows([1, 3, 1]))
    copy = pickle.loads(pickle.dumps(dataset))
    assert len(copy) == 8
    assert copy.sizes.tolist() == [3, 1, 1, 1, 1, 2, 3, 4]
    assert [copy.graph(i).num_nodes for i in (0, 1, 2, 3, 4, 5, 7)] == [3, 1, 1, 1, 1, 2, 4]
    with pytest.raises(ValueError, match="not valid SMILES"):
        copy.graph(6)
    assert copy.row(6) == 4
