"""Cells on disk: whole or not at all, found again by everything they depend on."""

from dataclasses import replace

import numpy as np
import pytest

from molvec.errors import UserError
from molvec.evaluate.cells import Cell, CellKey, CellStore

KEY = CellKey(
    dataset="bbbp",
    data_sha256="d",
    split="scaffold_hu",
    split_sha256="s",
    protocol="frozen",
    representation="ECFP4 counts",
    key="k",
    head="forest",
    seed=0,
    settings={"trees": 500},
    software="molvec 0.1.0",
)


def cell(key=KEY):
    return Cell(
        key=key,
        scores={"roc_auc": np.array([0.7, np.nan]), "pr_auc": np.array([0.5, np.nan])},
        valid_score=0.8,
        choice={"strength": 0.1},
        num_labels=12,
        seconds=1.5,
        test=np.array([[0.1, 0.2], [0.3, 0.4]]),
        machine={"commit": "abc"},
    )


def test_what_is_saved_comes_back(tmp_path):
    store = CellStore(tmp_path / "cells")
    assert store.load(KEY) is None
    store.save(cell())
    back = store.load(KEY)
    np.testing.assert_array_equal(back.scores["roc_auc"], [0.7, np.nan])
    np.testing.assert_array_equal(back.test, [[0.1, 0.2], [0.3, 0.4]])
    assert back.machine == {"commit": "abc"}
    assert (back.valid_score, back.choice, back.num_labels) == (0.8, {"strength": 0.1}, 12)
    assert back.mean("roc_auc") == 0.7


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "bace"},
        {"data_sha256": "e"},
        {"split_sha256": "t"},
        {"key": "l"},
        {"head": "linear"},
        {"seed": 1},
        {"fraction": 0.5},
        {"draw": 1},
        {"settings": {"trees": 100}},
        {"protocol": "label-efficiency"},
        {"software": "molvec 0.2.0"},
    ],
)
def test_another_identity_is_another_cell(tmp_path, change):
    store = CellStore(tmp_path)
    store.save(cell())
    assert store.load(replace(KEY, **change)) is None


@pytest.mark.parametrize("suffix", [".json", ".npy"])
def test_half_a_cell_is_no_cell(tmp_path, suffix):
    store = CellStore(tmp_path)
    store.save(cell())
    path = tmp_path / f"{KEY.digest()}{suffix}"
    path.write_bytes(path.read_bytes()[:30])
    assert store.load(KEY) is None
    store.save(cell())
    assert store.load(KEY) is not None
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json", ".npy"]


def test_the_mean_of_nothing_is_nan(tmp_path):
    nothing = replace(cell(), scores={"roc_auc": np.array([np.nan])}, valid_score=float("nan"))
    store = CellStore(tmp_path)
    store.save(nothing)
    back = store.load(KEY)
    assert np.isnan(back.mean("roc_auc"))
    assert np.isnan(back.valid_score)


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "cells").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        CellStore(tmp_path / "cells").save(cell())


def test_shared_cells_are_copied(tmp_path):
    first = CellStore(tmp_path / "first", tmp_path / "shared")
    first.save(cell(), share=True)
    own = replace(KEY, representation="pretrained")
    first.save(cell(own))
    second = CellStore(tmp_path / "second", tmp_path / "shared")
    assert second.load(KEY).machine == {"commit": "abc"}
    assert second.load(own) is None
    assert CellStore(tmp_path / "second").load(KEY) is not None
    assert CellStore(tmp_path / "third").load(KEY) is None


def test_a_shared_folder_that_cannot_be_written_loses_nothing(tmp_path):
    (tmp_path / "shared").write_text("a file")
    store = CellStore(tmp_path / "cells", tmp_path / "shared")
    with pytest.raises(UserError, match="set MOLVEC_CACHE to a folder you own"):
        store.save(cell(), share=True)
    assert store.load(KEY) is not None
