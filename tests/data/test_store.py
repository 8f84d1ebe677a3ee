"""The store: every row comes back, from other processes too, and never from a stale cache."""

import json
import multiprocessing
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, RDConfig

from molvec.data import store as store_module
from molvec.data.store import SmilesStore, build_store, open_store
from molvec.errors import UserError
from molvec.records import Record, read_records


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MOLVEC_CACHE", str(folder))
    monkeypatch.delenv("MOLVEC_MIRROR", raising=False)
    return folder


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,smiles,other\n1,CCO ethanol,N\n2,,C\n3,not-a-molecule,\n4, N ,CC\n")
    return path


def stores(cache):
    return sorted((cache / "stores").iterdir())


def test_rows(table):
    store = open_store(table)
    assert len(store) == 4
    assert list(store) == ["CCO", "", "not-a-molecule", "N"]
    assert store[-1] == "N"
    assert store[np.int64(2)] == "not-a-molecule"
    assert store.lengths.tolist() == [3, 0, 14, 1]
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"row {index} of a store with 4 rows"):
            store[index]
    with pytest.raises(TypeError):
        store[1.5]


def test_every_row_of_nci():
    store = open_store("nci")
    path = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"
    expected = [line.split()[0] for line in path.read_text().splitlines()]
    assert len(store) == 4999
    assert list(store) == expected
    assert store.lengths.tolist() == [len(smiles) for smiles in expected]


def test_more_rows_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_BLOCK_ROWS", 7)
    texts = ["C" * (index % 5) for index in range(100)]
    store = build_store((Record(i, smiles=s) for i, s in enumerate(texts)), tmp_path / "store")
    assert list(store) == texts
    exact = build_store((Record(i, smiles="C") for i in range(14)), tmp_path / "exact")
    assert list(exact) == ["C"] * 14


def test_only_missing_rows(tmp_path):
    store = build_store([Record(0), Record(1, error="broken")], tmp_path / "store")
    assert list(store) == ["", ""]
    assert list(pickle.loads(pickle.dumps(store))) == ["", ""]


def test_molecules_are_written_as_smiles(tmp_path):
    good = Chem.MolToMolBlock(Chem.MolFromSmiles("OCC"))
    path = tmp_path / "a.sdf"
    path.write_text(f"{good}$$$$\nbroken\n$$$$\n{good}$$$$\n")
    assert list(open_store(path)) == ["CCO", "", "CCO"]
    assert list(build_store([Record(0, mol=Chem.Mol())], tmp_path / "s")) == [""]


def test_text_beyond_ascii_survives(tmp_path):
    store = build_store(
        [Record(0, "C\u00e9"), Record(1, "C\ud800"), Record(2, "N")], tmp_path / "s"
    )
    assert list(store) == ["C\u00e9", "C?", "N"]


def test_description_on_disk(table, cache):
    open_store(table, smiles_column="other")
    [folder] = stores(cache)
    assert sorted(path.name for path in folder.iterdir()) == [
        "offsets.npy",
        "smiles.bin",
        "store.json",
    ]
    info = json.loads((folder / "store.json").read_text())
    assert info["format"] == "molvec.smiles/1"
    assert (info["rows"], info["smiles_column"], info["source"]) == (4, "other", "a.csv")
    assert len(info["source_sha256"]) == 64


def test_built_once(table, monkeypatch):
    first = open_store(table)

    def refuse(*args, **kwargs):
        raise AssertionError("built again")

    monkeypatch.setattr(store_module, "build_store", refuse)
    assert open_store(table).folder == first.folder


def test_edited_file_gets_a_new_store(table):
    old = open_store(table)
    table.write_text(table.read_text().replace("CCO", "CCN"))
    assert open_store(table)[0] == "CCN"
    assert old[0] == "CCO"


def test_other_column_gets_another_store(table):
    assert list(open_store(table, smiles_column="other")) == ["N", "C", "", "CC"]
    assert open_store(table)[0] == "CCO"


def test_same_bytes_in_another_format(tmp_path):
    for name in ("a.smi", "a.csv"):
        (tmp_path / name).write_text("smiles\nC\n")
    assert list(open_store(tmp_path / "a.smi")) == ["smiles", "C"]
    assert list(open_store(tmp_path / "a.csv")) == ["C"]


@pytest.mark.parametrize("name", ["offsets.npy", "smiles.bin", "store.json"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_damaged_store_is_refused_and_built_again(table, name, damage):
    folder = open_store(table).folder
    damage(folder / name)
    with pytest.raises(UserError, match="is not a"):
        SmilesStore(folder)
    assert open_store(table)[0] == "CCO"


@pytest.mark.parametrize("info", [{}, {"format": "molvec.smiles/1"}, {"rows": 4}])
def test_store_without_its_description(table, info):
    folder = open_store(table).folder
    (folder / "store.json").write_text(json.dumps(info))
    with pytest.raises(UserError, match="is not a whole SMILES store"):
        SmilesStore(folder)


def test_store_of_another_format(table):
    folder = open_store(table).folder
    info = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps({**info, "format": "molvec.smiles/0"}))
    with pytest.raises(UserError, match=r"is not a whole SMILES store of format molvec\.smiles/1"):
        SmilesStore(folder)


def test_failed_build_leaves_nothing(tmp_path, cache):
    path = tmp_path / "a.csv"
    path.write_bytes(b"smiles\nC\nN\xff\n")
    with pytest.raises(UserError, match="line 3: not UTF-8"):
        open_store(path)
    assert stores(cache) == []


def test_file_edited_while_it_is_read(table, monkeypatch, cache):
    def edit(path, **kwargs):
        yield from read_records(path, **kwargs)
        path.write_text("smiles\nC\n")

    monkeypatch.setattr(store_module, "read_records", edit)
    with pytest.raises(UserError, match=r"a\.csv changed while it was being read"):
        open_store(table)
    assert stores(cache) == []


def test_two_builders_at_once(tmp_path):
    folder = tmp_path / "stores" / "one"

    def slow():
        yield Record(0, "C")
        build_store([Record(0, "C"), Record(1, "N")], folder)  # the other one finishes first
        yield Record(1, "N")

    assert list(build_store(slow(), folder)) == ["C", "N"]
    assert [path.name for path in folder.parent.iterdir()] == ["one"]


def test_cache_that_cannot_be_written(table, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"cannot write to .*stores \(.*; set MOLVEC_CACHE"):
        open_store(table)


def test_cache_argument(table, tmp_path, cache):
    store = open_store(table, cache=tmp_path / "other")
    assert store.folder.parent == tmp_path / "other" / "stores"
    assert not cache.exists()


def test_pickled_by_path(table):
    store = open_store(table)
    data = pickle.dumps(store)
    assert len(data) < 1000
    assert list(pickle.loads(data)) == list(store)
    shutil.rmtree(store.folder)
    with pytest.raises(UserError, match="is not a SMILES store"):
        pickle.loads(data)
    assert store[0] == "CCO"  # mapped pages outlive their names


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_it(table, method):
    store = open_store(table)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(store.__getitem__, [0, 3]) == ["CCO", "N"]


def test_names_and_paths(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in (table, str(table), f"file:{table}", "a.csv", "file:a.csv"):
        assert open_store(source)[0] == "CCO"
    (tmp_path / "nci").write_text("not what the name means")
    assert len(open_store("nci")) == 4999
    with pytest.raises(UserError, match="the file name must end in one of"):
        open_store("file:nci")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "zink",
            r"'zink' is neither a data set \(bace, .*zinc\) nor a file\. Did you mean 'zinc'\?",
        ),
        ("no.csv", r"there is no file no\.csv"),
        ("file:no.csv", r"there is no file no\.csv"),
        (Path("no.csv"), r"there is no file no\.csv"),
        ("./no", "the file name must end in"),
    ],
)
def test_unknown_sources(source, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        open_store(source)


def test_folder(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        open_store(tmp_path)


def test_wrong_column(table):
    with pytest.raises(UserError, match=r"has no column 'smile'\. Did you mean 'smiles'"):
        open_store(table, smiles_column="smile")
