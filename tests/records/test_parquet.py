"""Parquet: one text column, nulls are missing, damage is reported."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molvec.errors import UserError
from molvec.records import read_records


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.parquet"


def failure(path, **kwargs):
    with pytest.raises(UserError) as caught:
        list(read_records(path, **kwargs))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_columns(path, kind):
    column = pa.array(["C", None, "N", "NA", ""]).cast(kind)
    pq.write_table(pa.table({"y": [1, 2, 3, 4, 5], "smiles": column}), path)
    records = list(read_records(path))
    assert [record.smiles for record in records] == ["C", None, "N", "NA", None]
    assert [record.index for record in records] == [0, 1, 2, 3, 4]


def test_rows_keep_counting_over_row_groups(path):
    pq.write_table(pa.table({"smiles": ["C"] * 70_000}), path, row_group_size=1000)
    assert [record.index for record in read_records(path)] == list(range(70_000))


def test_all_missing(path):
    pq.write_table(pa.table({"smiles": pa.nulls(2)}), path)
    assert [record.smiles for record in read_records(path)] == [None, None]


def test_a_dot_in_the_name(path):
    pq.write_table(pa.table({"a.b": ["C"], "c": [1]}), path)
    assert [record.smiles for record in read_records(path, smiles_column="a.b")] == ["C"]


def test_wrong_column(path):
    pq.write_table(pa.table({"smiles": ["C"], "y": [1]}), path)
    message = failure(path, smiles_column="smile")
    assert "has no column 'smile'. Did you mean 'smiles'? It has 'smiles', 'y'" in message


def test_duplicate_column(path):
    table = pa.Table.from_arrays([pa.array(["C"]), pa.array(["N"])], names=["smiles", "smiles"])
    pq.write_table(table, path)
    assert "has 2 columns 'smiles'" in failure(path)


def test_not_text(path):
    pq.write_table(pa.table({"smiles": [1, 2]}), path)
    assert failure(path) == f"{path}: column 'smiles' holds int64, not text"


def test_no_rows(path):
    pq.write_table(pa.table({"smiles": pa.array([], pa.string())}), path)
    assert failure(path) == f"{path} has a header but no rows"


def test_not_parquet(path):
    path.write_text("smiles\nC\n")
    assert "is truncated or not a Parquet file" in failure(path)


def test_truncated(path):
    pq.write_table(pa.table({"smiles": ["C"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "is truncated or not a Parquet file" in failure(path)


def test_damaged_data(path):
    pq.write_table(pa.table({"smiles": [f"C{i}" for i in range(5000)]}), path, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    assert "is truncated or not a Parquet file" in failure(path)


def test_text_that_is_not_utf8(path):
    raw = pa.array([b"C", b"\xff"], pa.binary())
    column = pa.StringArray.from_buffers(2, raw.buffers()[1], raw.buffers()[2])
    pq.write_table(pa.table({"smiles": column}), path)
    assert "not UTF-8" in failure(path)
