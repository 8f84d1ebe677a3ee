"""Label cells: as text, in the order asked for, beside the SMILES of their row."""

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molvec.errors import UserError
from molvec.records import Record, column_names, read_records

TABLE = "id,smiles,y,z,y\na,C,1,,0\nb,,2.5,x,0\nc,N\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(TABLE)
    return path


def failure(path, labels, **kwargs):
    with pytest.raises(UserError) as caught:
        list(read_records(path, labels=labels, **kwargs))
    return str(caught.value)


def test_without_labels(path):
    assert [record.labels for record in read_records(path)] == [None, None, None]


def test_cells_are_text_and_empty_ones_none(path):
    assert list(read_records(path, labels=["z", "id"])) == [
        Record(0, "C", labels=(None, "a")),
        Record(1, None, labels=("x", "b")),
        Record(2, "N", labels=(None, "c")),  # a short row is filled
    ]


def test_one_label(path):
    assert [record.labels for record in read_records(path, labels=["z"])] == [
        (None,),
        ("x",),
        (None,),
    ]


def test_positions_reach_repeated_names(path):
    records = list(read_records(path, labels=range(2, 5)))
    assert [record.labels for record in records] == [
        ("1", None, "0"),
        ("2.5", "x", "0"),
        (None, None, None),
    ]


def test_a_row_that_cannot_be_told_apart_has_no_labels(path):
    path.write_text("smiles,y\nC,1\na,b,N,1\n")
    records = list(read_records(path, labels=["y"]))
    assert records[1] == Record(1, error="4 cells, but the header has 2")


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv", "a.tsv.gz"])
def test_other_text_tables(tmp_path, name):
    text = "smiles,y\nC,1\n".replace(",", "\t" if ".tsv" in name else ",").encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert list(read_records(tmp_path / name, labels=["y"])) == [Record(0, "C", labels=("1",))]
    assert column_names(tmp_path / name) == ["smiles", "y"]


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    table = {
        "active": [True, False, None],
        "count": pd.array([3, None, 4], dtype="Int64"),
        "text": ["1", "", None],
        "smiles": ["C", None, "N"],
        "value": [0.1, float("nan"), 2.0],
    }
    pd.DataFrame(table).to_parquet(path)
    labels = ["value", "active", "count", "text"]
    assert [record.labels for record in read_records(path, labels=labels)] == [
        ("0.1", "1", "3", "1"),
        (None, "0", None, None),  # pandas writes NaN as null
        ("2.0", None, "4", None),
    ]
    assert [record.smiles for record in read_records(path, labels=range(1))] == ["C", None, "N"]
    assert column_names(path) == list(table)


def test_parquet_with_a_repeated_column(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([["C"], [1], [2]], names=["smiles", "y", "y"]), path)
    assert "label column 'y' is duplicated" in failure(path, ["y"])
    assert "label column 'y' is duplicated" in failure(path, range(1, 3))


def test_missing_column(path):
    message = failure(path, ["Z"])
    assert message == (
        f"{path} has no column 'Z'. Did you mean 'z'? It has 'id', 'smiles', 'y', 'z', 'y'"
    )


def test_repeated_column(path):
    assert "label column 'y' is duplicated (2 times in the header)" in failure(path, ["z", "y"])


def test_asked_for_twice(path):
    assert failure(path, ["z", "id", "z"]) == "label column 'z' is asked for twice: name it once"


@pytest.mark.parametrize("labels", [["smiles"], ["z", "smiles"], range(1, 3)])
def test_the_smiles_are_no_labels(path, labels):
    assert "column 'smiles' holds the SMILES, so it cannot hold labels" in failure(path, labels)
    assert "'z' holds the SMILES" in failure(path, ["z"], smiles_column="z")


@pytest.mark.parametrize("labels", [range(3, 6), range(5, 6), range(-1, 2), range(2, 2)])
def test_positions_outside_the_header(path, labels):
    assert "there are no label columns at positions" in failure(path, labels)


def test_no_labels_named(path):
    assert "name at least one label column; it has 'id', " in failure(path, [])


@pytest.mark.parametrize("name", ["a.smi", "a.txt", "a.sdf"])
def test_files_without_columns(tmp_path, name):
    path = tmp_path / name
    path.write_text("C 1\n")
    expected = f"{path} has no columns, so no labels: use a .csv, .tsv or .parquet file"
    assert failure(path, ["y"]) == expected
    with pytest.raises(UserError, match=r"has no columns: use a \.csv, \.tsv, \.parquet file"):
        column_names(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b'"a"b,c\n', "check the quotes"),
        ("a.csv.gz", b"no gzip", "is not a sound gzip file"),
        ("a.parquet", b"no parquet", "is truncated or not a Parquet file"),
        ("a.parquet", b"", "is empty"),
    ],
)
def test_column_names_of_broken_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        column_names(tmp_path / name)


def test_column_names_of_no_file(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        column_names(tmp_path / "a.csv")
    with pytest.raises(UserError, match="is a folder"):
        column_names(tmp_path)
