"""Splits: disjoint, complete, the same for the same seed, and frozen where a card says so."""

import gzip
import hashlib

import numpy as np
import pandas as pd
import pytest

from molvec.data import split as split_module
from molvec.data.card import DatasetCard
from molvec.data.frozen import frozen_text, read_frozen, split_file
from molvec.data.labelled import Labelled
from molvec.data.split import SPLITS, make_split
from molvec.errors import UserError
from molvec.records import SkipCount

# 12 molecules without a ring, and 48 of many small scaffolds.
MIXED = [
    "C" * (1 + i) if i % 5 == 0 else "C" * (i // 8) + f"C1{'C' * (i % 30)}N1" for i in range(60)
]


def labelled(smiles, rows=None, card=None, **changes):
    fields = {
        "name": "toy",
        "task": "regression",
        "smiles": tuple(smiles),
        "rows": np.arange(len(smiles)) if rows is None else np.asarray(rows),
        "targets": pd.DataFrame({"y": np.arange(float(len(smiles)))}),
        "num_rows": len(smiles),
        "skipped": SkipCount(),
        "duplicates": 0,
        "contradictions": 0,
        "sha256": "0" * 64,
        "card": card,
    }
    return Labelled(**{**fields, **changes})


def parts(split):
    return [split.train.tolist(), split.valid.tolist(), split.test.tolist()]


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_disjoint_complete_ascending(name, seed):
    split = make_split(labelled(MIXED), name, seed=seed)
    together = np.concatenate([split.train, split.valid, split.test])
    assert sorted(together.tolist()) == list(range(60))
    assert parts(split) == [sorted(part) for part in parts(split)]
    assert {part.dtype for part in (split.train, split.valid, split.test)} == {np.dtype(np.int64)}
    assert len(split.train) <= 48
    assert (split.name, split.added) == (name, 0)


@pytest.mark.parametrize("name", SPLITS)
def test_deterministic_by_seed(name):
    data = labelled(MIXED)
    first, again, other = (make_split(data, name, seed=seed) for seed in (1, 1, 2))
    assert (parts(first), first.sha256) == (parts(again), again.sha256)
    if name == "scaffold_hu":
        assert (parts(first), first.sha256, first.seed) == (parts(other), other.sha256, None)
    else:
        assert (first.seed, other.seed) == (1, 2)
        assert parts(first) != parts(other)
        assert first.sha256 != other.sha256


def test_random_sizes():
    assert [len(part) for part in parts(make_split(labelled(MIXED), "random"))] == [48, 6, 6]
    few = labelled(["C" * n for n in range(1, 11)])
    assert [len(part) for part in parts(make_split(few, "random"))] == [8, 1, 1]


def test_the_sha256_is_over_file_rows():
    base = make_split(labelled(MIXED), "random")
    moved = make_split(labelled(MIXED, rows=np.arange(60) + 1), "random")
    assert parts(moved) == parts(base)
    assert moved.sha256 != base.sha256
    assert make_split(labelled(["N" + text for text in MIXED]), "random").sha256 == base.sha256
    assert make_split(labelled(MIXED[:-1]), "random").sha256 != base.sha256


def test_unknown_split():
    with pytest.raises(UserError, match=r"no split 'scafold_hu'\. Did you mean 'scaffold_hu'\? K"):
        make_split(labelled(MIXED), "scafold_hu")


@pytest.mark.parametrize("name", ["scaffold_hu", "scaffold_balanced"])
def test_one_giant_scaffold(name):
    data = labelled(["C" * n for n in range(1, 30)])
    with pytest.raises(UserError, match=r"the train part empty .*; use --split random"):
        make_split(data, name)
    make_split(data, "random")


def test_too_few_molecules():
    with pytest.raises(UserError, match=r"the validation part empty .*; give more molecules"):
        make_split(labelled(["C", "CC", "CCC"]), "random")


LETTERS = "0" * 15 + "-" + "1" * 2 + "2" * 2  # row 15 was no molecule when it was frozen


@pytest.fixture
def card(tmp_path, monkeypatch):
    fields = {
        "name": "toy",
        "title": "Toy",
        "description": "Chains.",
        "licence": "CC0-1.0",
        "citation": "none",
        "rows": len(LETTERS),
        "failures": 1,
        "smiles_column": "smiles",
        "task": "regression",
        "targets": (1, 1),
        "num_targets": 1,
        "file": "toy.csv",
        "sha256": "0" * 64,
        "mirror_path": "toy.csv",
        "sources": [{"kind": "url", "url": "https://example.org/toy.csv"}],
        "splits": {"scaffold_hu": hashlib.sha256(LETTERS.encode()).hexdigest()},
    }
    card = DatasetCard.model_validate(fields)
    split_file("toy", "scaffold_hu", folder=tmp_path).write_bytes(gzip.compress(LETTERS.encode()))
    monkeypatch.setattr("molvec.data.frozen.splits_folder", lambda: tmp_path)
    monkeypatch.setattr(split_module, "load_card", lambda name: card)
    return card


def test_frozen_split_is_used(card):
    rows = [row for row in range(20) if row not in (0, 15)]  # row 0 does not parse here
    data = labelled(["C" * (1 + row) for row in rows], rows=rows, card="toy")
    split = make_split(data, "scaffold_hu", seed=5)
    assert [data.rows[part].tolist() for part in (split.train, split.valid, split.test)] == [
        list(range(1, 15)),
        [16, 17],
        [18, 19],
    ]
    assert (split.seed, split.added) == (None, 0)


def test_a_molecule_that_was_none_goes_to_train(card):
    data = labelled(["C" * n for n in range(1, 21)], card="toy")
    split = make_split(data, "scaffold_hu")
    assert split.added == 1
    assert 15 in split.train
    assert parts(split)[1:] == [[16, 17], [18, 19]]


def test_frozen_split_is_not_used_for_other_splits_or_files(card):
    data = labelled(MIXED[:20], card="toy")
    without = labelled(MIXED[:20])
    for name in ("random", "scaffold_balanced"):
        assert parts(make_split(data, name)) == parts(make_split(without, name))
    assert parts(make_split(data, "scaffold_hu")) != parts(make_split(without, "scaffold_hu"))


def test_a_deduplicated_set_keeps_the_parts(card):
    smiles = ["C" * (1 + row % 12) for row in range(20)]
    once = labelled(smiles, card="toy").deduplicated()
    split = make_split(labelled(smiles, card="toy"), "scaffold_hu")
    with pytest.raises(UserError, match="the validation part empty"):
        make_split(once, "scaffold_hu")  # here all of it repeats what is in train
    assert len(split.test) == 2


def test_damaged_frozen_file(card, tmp_path):
    path = split_file("toy", "scaffold_hu", folder=tmp_path)
    path.write_bytes(gzip.compress(LETTERS.replace("-", "0").encode()))
    with pytest.raises(UserError, match=r"is damaged: sha256 .*; reinstall molvec"):
        read_frozen(card, "scaffold_hu")
    path.write_bytes(b"no gzip")
    with pytest.raises(UserError, match="cannot read the frozen split"):
        read_frozen(card, "scaffold_hu")
    path.unlink()
    with pytest.raises(UserError, match="cannot read the frozen split"):
        read_frozen(card, "scaffold_hu")


def test_no_frozen_split(card):
    assert read_frozen(card, "random") is None


def test_frozen_text_round_trip(card):
    rows = [np.arange(15), np.array([17, 16]), np.array([18, 19])]
    assert frozen_text(rows, 20) == LETTERS
    expected = [*[0] * 15, -1, 1, 1, 2, 2]
    assert read_frozen(card, "scaffold_hu").tolist() == expected
