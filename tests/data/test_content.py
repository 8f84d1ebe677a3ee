"""The sha256 is that of the content: which gzip wrote the file does not matter."""

import gzip

import pytest

from molvec.data.source import content_sha256, fetch, sha256_of, verify
from molvec.errors import UserError
from tests.data.toys import CONTENT, URL, Downloads, failure, files_in, sha, toy


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("MOLVEC_CACHE", str(folder))
    monkeypatch.delenv("MOLVEC_MIRROR", raising=False)
    return folder


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    (folder / "toys").mkdir(parents=True)
    monkeypatch.setenv("MOLVEC_MIRROR", str(folder))
    return folder


def zipped(level, mtime):
    return gzip.compress(CONTENT, compresslevel=level, mtime=mtime)


def test_the_sha256_is_of_the_content_not_of_the_gzip(tmp_path):
    for name, content in (("a", CONTENT), ("b.gz", zipped(9, 0)), ("c.GZ", zipped(1, 5))):
        (tmp_path / name).write_bytes(content)
        assert content_sha256(tmp_path / name) == sha(CONTENT)
    assert sha256_of(tmp_path / "b.gz") != sha256_of(tmp_path / "c.GZ")


def test_a_large_gzip_file(tmp_path):
    content = bytes(range(256)) * 20_000  # more than one block
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    assert content_sha256(tmp_path / "a.gz") == sha(content)


def test_a_gzipped_mirror_of_a_plain_file(mirror, cache):
    card = toy(mirror_path="toys/toy.smi.gz")
    (mirror / "toys" / "toy.smi.gz").write_bytes(zipped(9, 0))
    assert fetch(card) == mirror / "toys" / "toy.smi.gz"
    assert verify(card).startswith("toy: 3 rows, sha256 fits (mirror")
    (mirror / "toys" / "toy.smi.gz").unlink()
    path = fetch(card, download=Downloads(CONTENT))
    assert path == cache / "datasets" / "toy" / "toy.smi"  # the canonical file's own name


def test_a_download_that_another_gzip_wrote(cache):
    card = toy(file="toy.smi.gz")
    path = fetch(card, download=Downloads(zipped(1, 7)))
    assert path.read_bytes() == zipped(1, 7)
    assert "3 rows, 1 of them no molecules" in verify(card, parse_all=True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(9, 0)[:-9], "truncated: the compressed data ends early (30 bytes)"),
        (zipped(9, 0)[:-1], "truncated: the compressed data ends early (38 bytes)"),
        (CONTENT, "not a sound gzip file: Not a gzipped file"),  # the server unpacked it
        (zipped(9, 0)[:-5] + b"\0" * 5, "not a sound gzip file: "),
        (zipped(9, 0)[:10] + b"\xff" * 29, "not a sound gzip file: "),  # no such block type
        (gzip.compress(b"other"), f"sha256 {sha(b'other')[:12]}... is not "),
    ],
)
def test_a_gzip_file_that_is_not_sound(cache, mirror, content, reason):
    card = toy(file="toy.smi.gz", mirror_path="toys/toy.smi.gz")
    (mirror / "toys" / "toy.smi.gz").write_bytes(content)
    message = failure(card, download=Downloads(content))
    assert f"mirror {mirror}/toys/toy.smi.gz: {reason}" in message
    assert f"{URL}: {reason}" in message
    assert files_in(cache / "datasets" / "toy") == []


def test_verify_looks_for_the_label_columns(mirror):
    content = b"smiles,y\nC,1\nN,0\nbad,1\n"
    labels = {"smiles_column": "smiles", "task": "regression", "targets": (1, 1), "num_targets": 1}
    card = toy(content=content, file="toy.csv", mirror_path="toys/toy.csv", **labels)
    (mirror / "toys" / "toy.csv").write_bytes(content)
    assert verify(card).startswith("toy: 3 rows, sha256 fits")
    wide = card.model_copy(update={"targets": (1, 2), "num_targets": 2})
    with pytest.raises(UserError, match="has 2 columns: there are no label columns at positions 1"):
        verify(wide)
