"""Labelled molecules: rows stay aligned, labels are numbers, and what is odd is said."""

import gzip

import numpy as np
import pandas as pd
import pytest

from molvec.data import labelled as labelled_module
from molvec.data.card import DatasetCard
from molvec.data.labelled import first_of_same, load_labelled, read_labelled
from molvec.errors import UserError

CHAINS = ["C" * n for n in range(1, 13)]
NAN = float("nan")


def write(path, rows, header="smiles,y"):
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def alternating(smiles=CHAINS):
    return [[text, i % 2] for i, text in enumerate(smiles)]


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "mols.csv", alternating())


def read(path, task="classification", targets=("y",), **kwargs):
    return read_labelled(path, targets=targets, task=task, **kwargs)


def failure(path, rows=None, **kwargs):
    if rows is not None:
        write(path, rows)
    with pytest.raises(UserError) as caught:
        read(path, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_and_labels_stay_aligned(path):
    rows = [["CO name", 1], ["not a molecule", "text"], *alternating(), ["", 1], ["c1ccccc1", ""]]
    data = read(write(path, rows))
    assert data.smiles == ("CO", *CHAINS, "c1ccccc1")  # bare, as written
    assert data.rows.tolist() == [0, *range(2, 14), 15]
    expected = [1, *(i % 2 for i in range(12)), NAN]
    np.testing.assert_array_equal(data.targets["y"], expected)
    assert data.targets.dtypes.tolist() == [np.float64]
    assert (len(data), data.num_rows, data.name, data.card) == (14, 16, "mols", None)
    assert dict(data.skipped.counts) == {"not valid SMILES": 1, "missing value": 1}


@pytest.mark.parametrize("text", ["", "nan", "NaN", "NA", " na "])
def test_missing_labels_stay_missing(path, text):
    data = read(write(path, [*alternating(), ["CO", text]]))
    assert np.isnan(data.targets["y"].iloc[-1])
    assert data.targets["y"].notna().sum() == 12


@pytest.mark.parametrize(("zero", "one"), [("0", "1"), ("0.0", "1.0"), ("-0", "1e0")])
def test_ways_to_write_a_class(path, zero, one):
    data = read(write(path, [[text, (zero, one)[i % 2]] for i, text in enumerate(CHAINS)]))
    assert data.sha256 == read(write(path, alternating())).sha256


def test_several_targets_in_the_order_asked_for(tmp_path):
    rows = [[0.5 * i, "CCO"[: 1 + i % 3] + "N" * i, -i] for i in range(12)]
    path = write(tmp_path / "a.csv.gz", rows, "b,structure,a")
    data = read(path, "regression", ["a", "b"], name="mine")
    assert list(data.targets.columns) == ["a", "b"]
    assert data.targets["b"].tolist() == [0.5 * i for i in range(12)]
    assert data.targets["a"].tolist() == [-i for i in range(12)]
    assert data.name == "mine"


def test_parquet_gives_the_same(path, tmp_path):
    other = tmp_path / "mols.parquet"
    pd.read_csv(path).astype({"y": bool}).to_parquet(other)
    assert read(other).sha256 == read(path).sha256


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("active", "'active' is text: encode classes as 0 and 1"),
        (">10", "'>10' is text"),
        ("1_0", "'1_0' is text"),
        ("inf", "'inf' is not finite"),
        ("-Infinity", "'-Infinity' is not finite"),
        ("1e999", "'1e999' is not finite"),
    ],
)
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_labels_must_be_numbers(path, text, reason, task):
    message = failure(path, [*alternating(), ["CO", text]], task=task)
    assert message.startswith(f"{path}: labels must be numbers; data row 13, column 'y': {reason}")


def test_the_right_column_is_named(tmp_path):
    path = write(tmp_path / "a.csv", [["C", 1, 0, "x"]], "smiles,a,b,c")
    with pytest.raises(UserError, match="data row 1, column 'c': 'x' is text"):
        read(path, targets=["a", "c", "b"])


def test_classes_must_be_0_and_1(path):
    message = failure(path, [[text, i] for i, text in enumerate(CHAINS)])
    assert "column 'y' holds 0, 1, 2, 3 and 8 other values" in message
    assert message.endswith("--task regression")
    assert "holds -1, 1. For" in failure(path, [[t, (-1, 1)[i % 2]] for i, t in enumerate(CHAINS)])


@pytest.mark.parametrize(
    ("task", "message"),
    [("classification", "holds only the class 1"), ("regression", "holds only the value 1")],
)
def test_one_class_only(path, task, message):
    assert message in failure(path, [[text, 1] for text in CHAINS], task=task)


def test_a_class_that_only_bad_rows_have(path):
    rows = [[text, 1] for text in CHAINS] + [["bad smiles(", 0]]
    assert "holds only the class 1" in failure(path, rows)


def test_no_labels_at_all(path):
    assert "all labels of column 'y' are missing" in failure(path, [[text, ""] for text in CHAINS])


def test_too_few_molecules(path):
    assert "9 of 9 rows are molecules, at least 10 are needed" in failure(path, alternating()[:9])
    assert len(read(write(path, alternating()[:10]))) == 10
    message = failure(path, [["bad", 1]] * 12)
    assert "0 of 12 rows are molecules, at least 10 are needed (skipped 12 of 12 rows: " in message


def test_column_errors_come_through(path):
    assert "has no column 'Y'. Did you mean 'y'?" in failure(path, targets=["Y"])
    assert "holds the SMILES" in failure(path, targets=["smiles"])


def test_repeats_and_contradictions(path):
    rows = [*alternating(), ["OC", 1], ["CO", 1], ["C(O)", ""], ["NC", 0], ["CN", 1]]
    rows += [["[H]N([H])C", 0], ["C[C@H](N)O", 0], ["C[C@@H](N)O", 1]]
    data = read(write(path, rows))
    assert (data.duplicates, data.contradictions) == (4, 1)
    assert first_of_same(data.smiles).tolist() == [*range(12), 12, 12, 12, 15, 15, 15, 18, 19]


def test_deduplicated_classes(tmp_path):
    rows = [[text, i % 2, i % 2] for i, text in enumerate(CHAINS)]
    rows += [["CO", "", 1], ["OC", 1, 0], ["C(O)", 1, ""]]
    data = read(write(tmp_path / "a.csv", rows, "smiles,a,b"), targets=["a", "b"])
    once = data.deduplicated()
    assert once.smiles == (*CHAINS, "CO")
    assert once.rows.tolist() == list(range(13))
    assert once.targets.iloc[-1].tolist()[0] == 1  # filled from a later row
    assert np.isnan(once.targets["b"].iloc[-1])  # contradicted
    pd.testing.assert_frame_equal(once.targets[:12], data.targets[:12])
    assert (once.duplicates, once.contradictions, once.num_rows) == (0, 0, 15)
    assert once.sha256 != data.sha256
    assert once.deduplicated().sha256 == once.sha256
    assert data.targets.shape == (15, 2)  # unchanged


def test_deduplicated_values_are_averaged(path):
    rows = [["CO", 1.0], *alternating(), ["OC", 4.0], ["CO", ""]]
    once = read(write(path, rows), "regression").deduplicated()
    assert once.targets["y"].tolist() == [2.5, *(float(i % 2) for i in range(12))]
    assert list(once.targets.columns) == ["y"]


def test_the_sha256_is_of_what_was_loaded(path, tmp_path):
    base = read(path).sha256
    assert read(write(tmp_path / "other.csv", alternating())).sha256 == base
    assert read(path, "regression").sha256 != base
    changed = alternating()
    changed[3][1] = ""
    assert read(write(path, changed)).sha256 != base
    assert read(write(path, alternating()[:-1])).sha256 != base
    assert read(write(path, [["bad", 0], *alternating()])).sha256 != base  # other rows
    assert read(write(path, alternating(["C(C)", *CHAINS[1:]]))).sha256 != base
    write(path, alternating(), "smiles,z")
    assert read(path, targets=["z"]).sha256 != base


def test_summary(path):
    rows = [*alternating(), ["CO", 1], ["OC", 0], ["bad", 1], ["CN", ""]]
    assert read(write(path, rows)).summary() == [
        "mols: 15 molecules from 16 rows, 1 classification target",
        "skipped 1 of 16 rows: 1 not valid SMILES (row 14)",
        "1 of the molecules repeat an earlier one; labels contradict each other for 1",
        "labels: 93.3% present, 50.0% of them positive",
    ]
    assert read(path, "regression").summary()[-1] == (
        "labels: 93.3% present, from 0 to 1, mean 0.5"
    )


@pytest.fixture
def card(tmp_path, monkeypatch):
    """A card whose header repeats a name, whose last target has one class only."""
    rows = [[text, i % 2, 1 - i % 2, 1] for i, text in enumerate(CHAINS)]
    path = write(tmp_path / "toy.csv", rows, "smiles,y,y,z")
    fields = {
        "name": "toy",
        "title": "Toy",
        "description": "Chains.",
        "licence": "CC0-1.0",
        "citation": "none",
        "rows": 12,
        "failures": 0,
        "smiles_column": "smiles",
        "task": "classification",
        "targets": (1, 3),
        "num_targets": 3,
        "file": "toy.csv",
        "sha256": "0" * 64,
        "mirror_path": "toy.csv",
        "sources": [{"kind": "url", "url": "https://example.org/toy.csv"}],
    }
    card = DatasetCard.model_validate(fields)
    monkeypatch.setattr(labelled_module, "load_card", lambda name: card)
    monkeypatch.setattr(labelled_module, "fetch", lambda card: path)
    return card


def test_load_by_card(card):
    data = load_labelled("toy")
    assert list(data.targets.columns) == ["y", "y.1", "z"]
    assert data.targets["y.1"].tolist() == [1 - i % 2 for i in range(12)]
    assert (data.name, data.card, data.task) == ("toy", "toy", "classification")


def test_a_card_without_labels():
    with pytest.raises(UserError, match=r"nci has no labels\. Data sets with labels: bace, bbbp"):
        load_labelled("nci")
    with pytest.raises(UserError, match=r"no data set 'bbpb'\. Did you mean 'bbbp'\?"):
        load_labelled("bbpb")
