"""Folders of structures, a part of them broken, as a data set of graphs."""

import gzip
import pickle

import numpy as np
import pytest

from molvec.data.chains import ChainDataset, ChainStore, open_chains
from molvec.data.loader import load_batches
from molvec.data.sampler import BucketBatches
from molvec.errors import UserError
from molvec.featurize.protein import ProteinFeaturizer
from molvec.graph import validate
from molvec.masking import CoordinateNoise, MaskSampler
from tests.structures import trace


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "structures"
    folder.mkdir()
    for i in range(8):
        (folder / f"good{i}.pdb").write_text(trace(20 + i, residue=("LEU", "GLY")[i % 2]))
    (folder / "two.pdb").write_text(trace(10) + "TER\n" + trace(12, chain="B"))
    (folder / "cut.pdb.gz").write_bytes(gzip.compress(trace(900).encode())[:500])
    (folder / "dna.pdb").write_text(
        "ATOM      1  P    DA A   1       1.000   2.000   3.000  1.00  0.00           P  \n"
    )
    (folder / "one.pdb").write_text(trace(1))
    (folder / "huge.pdb").write_text(trace(3000))
    (folder / "empty.cif").touch()
    return folder


@pytest.fixture
def store(folder, tmp_path):
    return open_chains(folder, cache=tmp_path / "cache", leave_out=["GOOD7_a"])


def test_good_chains_are_kept_and_the_rest_is_named(store):
    assert len(store) == 9
    assert store.lengths.tolist() == [20, 21, 22, 23, 24, 25, 26, 10, 12]
    chain = store[1]
    assert (chain.name, chain.sequence) == ("good1_A", "G" * 21)
    assert chain.numbers[:2] == ("1", "2")
    assert np.isfinite(chain.ca).all()
    assert np.isnan(chain.backbone[:, 0]).all()
    assert store[8].name == "two_B"
    reasons = store.skipped
    assert reasons.pop("cut.pdb.gz").startswith("not a readable structure")
    assert reasons == {
        "dna.pdb": "no protein residue with a CA atom (1 nucleotides)",
        "empty.cif": "no atoms",
        "good7.pdb: good7_A": "left out by name",
        "huge.pdb: huge_A": "3,000 residues, more than the limit of 2,000",
        "one.pdb: one_A": "1 residues, fewer than the limit of 2",
    }
    assert "beside these chains" not in store.summary()
    with pytest.raises(IndexError, match="item 9 of a store with 9"):
        store[9]


def test_what_files_hold_beside_chains_is_counted(tmp_path):
    water = "HETATM 9999  O   HOH A 999       1.000   2.000   3.000  1.00  0.00           O  \n"
    two = "".join(f"MODEL {i:>8}\n{trace(20)}ENDMDL\n" for i in (1, 2))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdb").write_text(trace(20) + "TER\n" + trace(20, chain="B") + water)
    (tmp_path / "in" / "b.pdb").write_text(two)
    store = open_chains(tmp_path / "in", cache=tmp_path / "cache")
    assert len(store) == 3
    assert store.summary() == "beside these chains: 1 waters, 1 models after the first"


def test_a_store_is_built_once_and_again_when_a_file_changes(store, folder, tmp_path, monkeypatch):
    options = {"cache": tmp_path / "cache", "leave_out": ["good7_A"]}
    monkeypatch.setattr("molvec.data.chains._write", None)  # would fail
    assert open_chains(folder, **options).folder == store.folder
    monkeypatch.undo()
    (folder / "good0.pdb").write_text(trace(30))
    changed = open_chains(folder, **options)
    assert changed.folder != store.folder
    assert changed.lengths[0] == 30


def test_a_damaged_store_is_built_again(store, folder, tmp_path):
    (store.folder / "letters.npy").write_bytes(b"")
    with pytest.raises(UserError, match="is not a store of chains"):
        ChainStore(store.folder)
    again = open_chains(folder, cache=tmp_path / "cache", leave_out=["good7_A"])
    assert again[0].sequence == "L" * 20


def test_nothing_that_can_be_used(tmp_path):
    path = tmp_path / "x.pdb"
    path.write_text(trace(1))
    with pytest.raises(UserError, match=r"no protein chain that can be used \(x.pdb: x_A: 1 resi"):
        open_chains(path, cache=tmp_path / "cache")


def test_batches_of_chains_with_balls_and_noise(store):
    dataset = pickle.loads(pickle.dumps(ChainDataset(store, ProteinFeaturizer())))
    assert len(dataset) == 9
    assert dataset.row(3) == 3
    validate(dataset.graph(0))
    batches = BucketBatches(dataset.sizes, batch_size=3, seed=0)
    masks = MaskSampler(kind="ball", ratio=0.5, views=2)
    loaded = list(
        load_batches(
            dataset, masks, batches, start=0, stop=3, workers=0, noise=CoordinateNoise(0.2)
        )
    )
    assert sum(batch.batch.num_graphs for batch in loaded) == 9
    for batch in loaded:
        assert batch.mask.shape == (2, batch.batch.num_nodes)
        off = batch.batch.student_pos - batch.batch.pos
        assert 0.1 < float(off.std()) < 0.3
