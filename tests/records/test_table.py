"""CSV and TSV: cells stay text, rows stay aligned, and the column is found or asked for."""

import pandas as pd
import pytest

from molvec.errors import UserError
from molvec.records import Record, read_records


def read(path, content, **kwargs):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_records(path, **kwargs))


def smiles_of(path, content, **kwargs):
    return [record.smiles for record in read(path, content, **kwargs)]


def failure(path, content, **kwargs):
    with pytest.raises(UserError) as caught:
        read(path, content, **kwargs)
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.csv"


def test_words_that_pandas_takes_for_missing(path):
    words = ["N", "NA", "nan", "NaN", "null", "None", "1", "1.0", "C"]
    assert smiles_of(path, "smiles,y\n" + "".join(f"{w},1\n" for w in words)) == words


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('smiles,name\n"C","a, b"\nN,"say ""hi"""\n', ["C", "N"]),
        ('name,smiles\n"a, b",C\n"two\nlines",N\n', ["C", "N"]),
        (b"\xef\xbb\xbfsmiles,y\nC,1\n", ["C"]),
        (b'\xef\xbb\xbf"smiles",y\nC,1\n', ["C"]),
        ("smiles,y\r\nC,1\r\nN,2\r\n", ["C", "N"]),
        ("y,smiles\n1,\n2,N\n", [None, "N"]),  # an empty cell is missing
        ('smiles\n""\nN\n', [None, "N"]),  # how pandas writes a missing value
        ("smiles\nC\n\nN\n\n", ["C", "N"]),  # blank lines are no rows, as in pandas
        ("\n\nsmiles\nC\n", ["C"]),
        ("y,smiles\n1\n2,N\n", [None, "N"]),  # a short row
        ("smiles,y\nC,1,\n", ["C"]),  # a trailing comma
        ("smiles;ic50\nC;1,5\nN;2,5\n", ["C", "N"]),  # a spreadsheet of continental Europe
        ("smiles\nC", ["C"]),
    ],
)
def test_dialects(path, content, expected):
    records = read(path, content)
    assert [record.smiles for record in records] == expected
    assert [record.index for record in records] == list(range(len(expected)))
    assert all(record.error is None for record in records)


def test_rows_align_with_pandas(path):
    table = pd.DataFrame({"id": range(4), "smiles": ["C", None, "N", 'C "x", y']})
    table.to_csv(path, index=False)
    again = pd.read_csv(path)
    assert len(again) == len(list(read_records(path))) == 4
    assert [record.smiles for record in read_records(path)] == ["C", None, "N", 'C "x", y']


def test_a_row_with_too_many_cells_is_a_bad_row(path):
    assert read(path, "name,smiles\na,b,C\nd,N\n") == [
        Record(0, error="3 cells, but the header has 2"),
        Record(1, "N"),
    ]


def test_tsv(tmp_path):
    content = "id\tsmiles\n1,2\tC name\n3\tN\n"
    assert smiles_of(tmp_path / "a.tsv", content) == ["C name", "N"]


@pytest.mark.parametrize(
    "header", ["smiles", "SMILES", " Smiles ", "canonical_smiles", "Can_SMILES", "Structure"]
)
def test_usual_names(path, header):
    assert smiles_of(path, f"id,{header}\n1,C\n") == ["C"]


def test_the_only_column(path):
    assert smiles_of(path, "ligand\nC\nN\n") == ["C", "N"]


def test_named_column(path):
    assert smiles_of(path, "smiles,product\nC,N\n", smiles_column="product") == ["N"]


def test_wrong_column(path):
    message = failure(path, "smiles,products\nC,N\n", smiles_column="product")
    expected = "has no column 'product'. Did you mean 'products'? It has 'smiles', 'products'"
    assert message == f"{path} {expected}"


def test_wrong_case_is_suggested(path):
    message = failure(path, "SMILES,Y\nC,1\n", smiles_column="smiles")
    assert "Did you mean 'SMILES'?" in message


def test_no_usual_column(path):
    message = failure(path, "id,ligand\n1,C\n")
    assert "pass --smiles-column (smiles_column=) with one of 'id', 'ligand'" in message


def test_many_columns_are_not_all_listed(path):
    header = ",".join(f"d{i}" for i in range(2000))
    message = failure(path, f"{header}\n")
    assert "'d19' and 1980 more" in message
    assert len(message) < 500


def test_ambiguous_columns(path):
    message = failure(path, "smiles,canonical_smiles\nC,C\n")
    assert "'smiles', 'canonical_smiles' could all be the SMILES" in message


@pytest.mark.parametrize("column", [None, "smiles"])
def test_duplicate_smiles_column(path, column):
    message = failure(path, "smiles,y,smiles\nC,1,N\n", smiles_column=column)
    assert message == f"{path} has 2 columns 'smiles': rename one"


def test_other_duplicates_do_not_matter(path):
    assert smiles_of(path, "y,smiles,y\n1,C,2\n") == ["C"]


def test_missing_header_does_not_eat_a_molecule(path):
    message = failure(path, "CCO\nCCN\n")
    assert "the header 'CCO' is itself a SMILES" in message
    assert smiles_of(path, "CCO\nCCN\n", smiles_column="CCO") == ["CCN"]


@pytest.mark.parametrize("content", ["smiles,y\n", "smiles,y", "smiles,y\n\n\n"])
def test_header_only(path, content):
    assert failure(path, content) == f"{path} has a header but no rows"


def test_blank_file(path):
    assert failure(path, "\n\n") == f"{path} is empty"


def test_undecodable_bytes_name_the_line(path):
    message = failure(path, b"smiles,name\nC,a\nN,caf\xe9\n")
    assert message.startswith(f"{path}, line 3: not UTF-8 text")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('smiles,y\nC,1\n"N,2\nO,3\n', 4),
        ('smiles,y\nC,1\n"N"x,2\nO,3\n', 3),
        ("smiles,y\nC,1\rN,2\n", 2),
    ],
)
def test_broken_quotes_name_the_line(path, content, line):
    assert failure(path, content).startswith(f"{path}, line {line}: ")
