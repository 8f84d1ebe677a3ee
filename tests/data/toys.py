"""A data set of three rows, and a downloader that can be told to fail."""

import hashlib

import pytest

from molvec.data.card import DatasetCard, UrlSource
from molvec.data.source import fetch
from molvec.errors import UserError

CONTENT = b"C\nN\nnot-a-molecule\n"
URL = "https://example.org/toy.smi"


def sha(content):
    return hashlib.sha256(content).hexdigest()


def toy(*sources, content=CONTENT, **changes):
    fields = {
        "name": "toy",
        "title": "Toy",
        "description": "Three rows.",
        "licence": "CC0-1.0",
        "citation": "none",
        "rows": 3,
        "failures": 1,
        "file": "toy.smi",
        "sha256": sha(content),
        "mirror_path": "toys/toy.smi",
        "sources": sources or (UrlSource(url=URL),),
    }
    return DatasetCard(**{**fields, **changes})


class Downloads:
    """A downloader that delivers, per URL, bytes or an exception, and counts its calls."""

    def __init__(self, content):
        self.content = content if isinstance(content, dict) else {URL: content}
        self.urls = []

    def __call__(self, url, path):
        self.urls.append(url)
        if isinstance(self.content[url], Exception):
            raise self.content[url]
        path.write_bytes(self.content[url])


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def failure(card, **kwargs):
    with pytest.raises(UserError) as caught:
        fetch(card, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)
