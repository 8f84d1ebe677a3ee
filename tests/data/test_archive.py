"""Lists of PDB ids: what is a file already, what is downloaded, what cannot be had."""

import gzip
import shutil

import pytest

from molvec.data import archive
from molvec.data.archive import entry_records, fetch_entries, is_list, read_ids
from molvec.data.chains import open_chains
from molvec.errors import UserError
from tests.structures import mmcif


class NotFoundError(Exception):
    """What a server says of an unknown entry."""


@pytest.fixture
def server(tmp_path):
    """An archive with one entry of two chains and one that arrives cut; it counts the requests."""
    whole = gzip.compress(mmcif({"A": 30, "B": 24}).encode())
    files = {"2XYZ": whole, "3CUT": whole[: len(whole) // 2]}
    asked = []

    def download(url, path):
        asked.append(url)
        name = url.removeprefix("https://files.rcsb.org/download/").removesuffix(".cif.gz")
        if name not in files:
            raise NotFoundError(f"404 Client Error: Not Found for url: {url}")
        path.write_bytes(files[name])

    download.asked = asked
    return download


@pytest.fixture
def ids(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text("# my proteins\n2xyz\n3CUT, 9zzz_A\nprotein\n2XYZ_B 2xyz_Q\n\n2xyz\n")
    return path


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_what_is_in_a_list(ids, tmp_path):
    entries = read_ids(ids)
    assert [(e.name, e.id, e.chain) for e in entries] == [
        ("2xyz", "2xyz", ""),
        ("3CUT", "3cut", ""),
        ("9zzz_A", "9zzz", "A"),
        ("protein", "", ""),
        ("2XYZ_B", "2xyz", "B"),
        ("2xyz_Q", "2xyz", "Q"),
    ]
    assert is_list(str(ids))
    assert is_list(ids)
    assert not is_list("1abc.pdb")
    assert not is_list(["ids.txt"])
    (tmp_path / "none.txt").write_text("# nothing\n")
    with pytest.raises(UserError, match=r"none\.txt is empty: expected PDB ids such as 1abc"):
        read_ids(tmp_path / "none.txt")
    with pytest.raises(UserError, match="cannot read the list of ids"):
        read_ids(tmp_path / "missing.txt")


def test_each_entry_is_downloaded_once_and_failures_say_why(ids, server, cache):
    entries = fetch_entries(ids, cache=cache, download=server)
    path = cache / "entries" / "2xyz.cif.gz"
    assert [entry.path for entry in entries] == [path, None, None, None, path, path]
    reasons = [entry.error for entry in entries if entry.path is None]
    assert reasons[0] == "what the archive sent is no whole gzip file"
    assert reasons[1].startswith("404 Client Error: Not Found")
    assert reasons[2] == "not a PDB id such as 1abc or 1abc_A"
    assert sorted(server.asked) == [
        f"https://files.rcsb.org/download/{name}.cif.gz" for name in ("2XYZ", "3CUT", "9ZZZ")
    ]
    assert [p.name for p in (cache / "entries").iterdir()] == ["2xyz.cif.gz"]
    fetch_entries(ids, cache=cache, download=server)
    assert sum("2XYZ" in url for url in server.asked) == 1


def test_rows_of_a_list(ids, server, cache):
    records = [
        record
        for entry in fetch_entries(ids, cache=cache, download=server)
        for record in entry_records(entry)
    ]
    assert [(r.text, r.chain is not None) for r in records] == [
        ("2xyz_A", True),
        ("2xyz_B", True),
        ("3CUT", False),
        ("9zzz_A", False),
        ("protein", False),
        ("2xyz_B", True),
        ("2xyz_Q", False),
    ]
    assert records[-1].error == "no protein chain Q"
    assert [len(r.chain) for r in records if r.chain] == [30, 24, 24]


@pytest.mark.parametrize("folder", ["pdb", "pdb/xy"])
def test_a_mirror_comes_before_the_network(folder, ids, server, cache, tmp_path, monkeypatch):
    mirrored = tmp_path / "mirror" / folder / "2xyz.cif.gz"
    mirrored.parent.mkdir(parents=True)
    server("https://files.rcsb.org/download/2XYZ.cif.gz", mirrored)
    server.asked.clear()
    monkeypatch.setenv("MOLVEC_MIRROR", str(tmp_path / "mirror"))
    entries = fetch_entries(ids, cache=cache, download=server)
    assert entries[0].path == mirrored
    assert not any("2XYZ" in url for url in server.asked)


def test_without_a_network_there_is_a_way_out(ids, cache):
    def offline(url, path):
        raise ConnectionError("unreachable")

    with pytest.raises(UserError) as failure:
        fetch_entries(ids, cache=cache, download=offline)
    assert str(failure.value) == (
        f"{ids}: none of 6 entries can be had (2xyz: no connection). Without a network, set "
        "MOLVEC_MIRROR to a folder that holds pdb/2xyz.cif.gz"
    )


def test_a_store_of_a_list(ids, server, cache, monkeypatch):
    monkeypatch.setattr(archive, "download_quietly", server)
    store = open_chains(ids, cache=cache)
    assert store.info["names"] == ["2xyz_A", "2xyz_B", "2xyz_B"]
    skipped = store.skipped
    assert list(skipped) == ["3CUT", "9zzz_A", "protein", "2xyz_Q"]
    assert store.summary().startswith("skipped 4 of 6 files and 3 chains: ")
    shutil.copy(cache / "entries" / "2xyz.cif.gz", cache / "entries" / "9zzz.cif.gz")
    assert len(open_chains(ids, cache=cache)) == 4  # an entry that came later makes a new store
