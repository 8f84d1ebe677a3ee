"""File in, file out: a row for a row, all or nothing, and the user's own files untouched."""

import errno
import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molvec.embed import embedder as embedder_module
from molvec.embed import file as file_module
from molvec.embed.file import embed_file
from molvec.errors import UserError


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Several chunks in files of a few dozen rows."""
    monkeypatch.setattr(embedder_module, "CHUNK", 16)
    monkeypatch.setattr(file_module, "CHUNK", 16)


@pytest.fixture
def table(smiles, tmp_path):
    """100 rows, three of them garbage, one missing, one too large; smiles is one of the columns."""
    texts = (smiles * 3)[:100]
    texts[7], texts[33], texts[99], texts[50] = "garbage", "C1CC", "C(C)(C)(C)(C)C", ""
    texts[60] = "C" * 60
    path = tmp_path / "in.csv"
    rows = [f'{i},"{text}",x' for i, text in enumerate(texts)]
    path.write_text("\n".join(["id,smiles,note", *rows]) + "\n")
    return path, texts


def outputs(folder):
    return sorted(path.name for path in folder.iterdir() if path.name not in {"in.csv", "in.smi"})


def test_parquet(table, embedder, tmp_path):
    path, texts = table
    seen = []
    done = embed_file(embedder, path, tmp_path / "out.parquet", max_atoms=50, progress=seen.append)
    assert done.rows == 100
    assert len(done.skipped) == 5
    assert seen == [16, 32, 48, 64, 80, 96, 100]
    result = pq.read_table(done.path)
    assert result.column_names == ["row", "smiles", "error", "embedding"]
    assert result.schema.field("embedding").type == pa.list_(pa.float32(), 64)
    assert result["row"].to_pylist() == list(range(100))
    assert result["smiles"].to_pylist() == [text or None for text in texts]
    errors = {i: text for i, text in enumerate(result["error"].to_pylist()) if text is not None}
    assert errors.pop(99).startswith("Explicit valence for atom # 0 C, 5")
    assert errors == {
        7: "not valid SMILES",
        33: "not valid SMILES",
        50: "missing value",
        60: "60 atoms, more than the limit of 50",
    }
    vectors = result["embedding"].to_pylist()
    assert [i for i, vector in enumerate(vectors) if vector is None] == [7, 33, 50, 60, 99]
    expected = embedder.embed(texts, max_atoms=50)
    good = [i for i, vector in enumerate(vectors) if vector is not None]
    found = np.array([vectors[i] for i in good], dtype=np.float32)
    np.testing.assert_allclose(found, expected[good], rtol=0, atol=1e-5)
    assert outputs(tmp_path) == ["out.parquet"]


def test_csv(table, embedder, tmp_path):
    path, texts = table
    embed_file(embedder, path, tmp_path / "out.csv", max_atoms=50)
    frame = pd.read_csv(tmp_path / "out.csv")
    assert list(frame.columns) == ["row", "smiles", "error", *(f"e{i}" for i in range(64))]
    assert frame["row"].tolist() == list(range(100))
    assert [text if isinstance(text, str) else "" for text in frame["smiles"]] == texts
    bad = frame["error"].notna().to_numpy()
    assert np.flatnonzero(bad).tolist() == [7, 33, 50, 60, 99]
    vectors = frame.iloc[:, 3:].to_numpy()
    assert np.array_equal(np.isnan(vectors).all(1), bad)
    assert np.array_equal(np.isnan(vectors).any(1), bad)
    expected = embedder.embed(texts, max_atoms=50)
    np.testing.assert_allclose(vectors[~bad], expected[~bad], rtol=1e-6, atol=1e-5)
    # A failed row's numbers are empty cells, not the word "nan".
    assert (tmp_path / "out.csv").read_text().splitlines()[8].endswith("," * 64)


def test_node_level(table, embedder, tmp_path):
    path, texts = table
    embed_file(embedder, path, tmp_path / "out.parquet", level="node")
    result = pq.read_table(tmp_path / "out.parquet")
    assert result.schema.field("embedding").type == pa.list_(pa.list_(pa.float32(), 64))
    nodes = result["embedding"].to_pylist()
    assert nodes[7] is None
    assert len(nodes[60]) == 60
    expected = embedder.embed(texts, level="node")
    for i in (0, 1, 98):
        assert len(nodes[i]) == Chem.MolFromSmiles(texts[i]).GetNumAtoms()
        np.testing.assert_allclose(np.array(nodes[i]), expected[i], rtol=0, atol=1e-5)


def test_only_bad_rows(embedder, tmp_path):
    (tmp_path / "in.smi").write_text("garbage\n\nC1CC\n")
    for name in ("out.parquet", "out.csv"):
        done = embed_file(embedder, tmp_path / "in.smi", tmp_path / name)
        assert (done.rows, len(done.skipped)) == (3, 3)
    assert pq.read_table(tmp_path / "out.parquet")["embedding"].null_count == 3
    assert pd.read_csv(tmp_path / "out.csv")["e0"].isna().all()


def test_texts_that_csv_must_quote(embedder, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('smiles\n"CCO ""strong"", pure"\n"C,C"\n"CC\nO"\n')
    embed_file(embedder, path, tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")
    assert frame["smiles"].tolist() == ['CCO "strong", pure', "C,C", "CC\nO"]


def test_gzip_and_sdf(embedder, smiles, tmp_path):
    with gzip.open(tmp_path / "a.smi.gz", "wt") as file:
        file.write("\n".join(smiles))
    assert embed_file(embedder, tmp_path / "a.smi.gz", tmp_path / "a.parquet").rows == len(smiles)
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(text)) for text in smiles[:3]]
    (tmp_path / "b.sdf").write_text("$$$$\n".join([*blocks, "broken\n", ""]))
    assert embed_file(embedder, tmp_path / "b.sdf", tmp_path / "b.parquet").rows == 4
    result = pq.read_table(tmp_path / "b.parquet")
    assert result["error"].to_pylist() == [None, None, None, "not a valid SDF block"]


# --- all or nothing ---------------------------------------------------------------------------


class Full(Exception):
    """Stands for the end of the process at the wrong moment."""


@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
@pytest.mark.parametrize("old", [None, b"yesterday's result"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), Full()]
)
def test_failure_midway(name, old, error, table, embedder, tmp_path, monkeypatch):
    path, _ = table
    output = tmp_path / name
    if old is not None:
        output.write_bytes(old)
    kind = pq.ParquetWriter if name.endswith("parquet") else pyarrow.csv.CSVWriter
    written = []

    class Writer:
        def __init__(self, *arguments):
            self.inner = kind(*arguments)

        def __enter__(self):
            return self

        def __exit__(self, *failure):
            self.inner.close()

        def write_table(self, table):
            if written:
                raise error
            self.inner.write_table(table)
            written.append(len(table))
            assert len(outputs(tmp_path)) == 1 + (old is not None)  # under another name

    monkeypatch.setattr(file_module, "_writer", lambda p, s, parquet: Writer(p, s))
    expected = UserError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        embed_file(embedder, path, output)
    assert written == [16]
    if expected is UserError:
        assert str(caught.value) == f"cannot write {output}: No space left on device"
    assert outputs(tmp_path) == ([name] if old else [])
    if old:
        assert output.read_bytes() == old


@pytest.mark.parametrize("name", ["out.parquet", "out.csv"])
def test_input_that_breaks_off(name, smiles, embedder, tmp_path):
    whole = gzip.compress("\n".join(smiles * 200).encode())
    (tmp_path / "in.smi.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / name).write_bytes(b"old")
    with pytest.raises(UserError, match=r"in\.smi\.gz is truncated.* after [\d,]+ rows"):
        embed_file(embedder, tmp_path / "in.smi.gz", tmp_path / name)
    assert outputs(tmp_path) == ["in.smi.gz", name]
    assert (tmp_path / name).read_bytes() == b"old"


def test_over_an_older_result(table, embedder, tmp_path):
    path, _ = table
    (tmp_path / "out.csv").write_bytes(b"old")
    with (tmp_path / "out.csv").open("rb") as reader:
        embed_file(embedder, path, tmp_path / "out.csv")
        assert reader.read() == b"old"  # put in its place, not written over it
    assert len(pd.read_csv(tmp_path / "out.csv")) == 100


def test_never_over_the_input(table, embedder, tmp_path, monkeypatch):
    path, _ = table
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.csv").symlink_to(path)
    for output in (path, tmp_path / "." / "in.csv", tmp_path / "link.csv"):
        with pytest.raises(UserError, match="is the input itself; choose another name"):
            embed_file(embedder, path, output)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", r"cannot write out\.txt: the output must end in \.parquet or \.csv"),
        ("out", "must end in"),
        ("folder.csv", r"folder\.csv is a folder; give a file name, e\.g\. .*out\.parquet"),
        ("none/out.csv", r"cannot write .*none.out\.csv: there is no folder .*none$"),
        ("in.csv/out.csv", r"cannot write .*out\.csv: there is no folder .*in\.csv$"),
    ],
)
def test_output_refused(name, message, table, embedder, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match=message):
        embed_file(embedder, table[0], tmp_path / name)
    assert outputs(tmp_path) == ["folder.csv"]


def test_output_where_no_file_can_be(table, embedder):
    from pathlib import Path

    if not Path("/proc/self").exists():
        pytest.skip("no /proc")
    for name in ("/proc/out.parquet", "/proc/out.csv"):
        with pytest.raises(UserError, match=f"^cannot write {name}: No such file or directory$"):
            embed_file(embedder, table[0], Path(name))


def test_nodes_do_not_fit_a_csv(table, embedder, tmp_path):
    with pytest.raises(UserError, match=r"write \.parquet instead"):
        embed_file(embedder, table[0], tmp_path / "out.csv", level="node")
