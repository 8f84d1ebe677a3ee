"""Cards: every shipped one is valid, a wrong one says which field."""

import hashlib
from pathlib import Path

import pytest
import yaml

from molvec.data import card as card_module
from molvec.data.card import (
    DatasetCard,
    PypiSource,
    RdkitSource,
    UrlSource,
    cards_folder,
    list_cards,
    load_card,
    read_card,
)
from molvec.errors import UserError

FIELDS = {
    "name": "toy",
    "title": "Toy",
    "description": "Two molecules.",
    "licence": "CC0-1.0",
    "citation": "none",
    "rows": 2,
    "failures": 0,
    "file": "toy.smi",
    "sha256": hashlib.sha256(b"C\nN\n").hexdigest(),
    "mirror_path": "toy/toy.smi",
    "sources": [{"kind": "url", "url": "https://example.org/toy.smi"}],
}


def read(tmp_path, **changes):
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump({**FIELDS, **changes}))
    return read_card(path)


def test_every_shipped_card_is_valid():
    names = list_cards()
    assert {"nci", "zinc"} <= set(names)
    for name in names:
        assert load_card(name).name == name


def test_zinc_card():
    card = load_card("zinc")
    assert (card.rows, card.failures, card.smiles_column) == (1_584_663, 0, "SMILES")
    assert [type(source) for source in card.sources] == [UrlSource, PypiSource]
    assert str(card.sources[1]) == "PyPI molsets==0.3.1"


def test_nci_card():
    card = load_card("nci")
    assert (card.rows, card.failures, card.smiles_column) == (4999, 8, None)
    assert [type(source) for source in card.sources] == [RdkitSource]


def test_unknown_name():
    with pytest.raises(UserError, match=r"no data set 'zink'\. Did you mean 'zinc'\? Known: nci, "):
        load_card("zink")


def test_name_cannot_leave_the_folder():
    with pytest.raises(UserError, match="there is no data set"):
        load_card("../datasets/nci")


def test_installed_cards_come_first(tmp_path, monkeypatch):
    assert cards_folder().name == "datasets"
    package = tmp_path / "molvec"
    monkeypatch.setattr(card_module, "__file__", str(package / "data" / "card.py"))
    assert cards_folder() == tmp_path / "datasets"
    (package / "_datasets").mkdir(parents=True)
    assert cards_folder() == package / "_datasets"


def test_valid_card(tmp_path):
    assert read(tmp_path) == DatasetCard.model_validate(FIELDS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": 3}, r"row: Extra inputs are not permitted\. Did you mean 'rows'\?"),
        ({"rows": 0}, "rows: Input should be greater than 0"),
        ({"sha256": "abc"}, "sha256: String should match"),
        ({"sources": []}, "sources: Tuple should have at least 1 item"),
        ({"sources": [{"kind": "ftp"}]}, "sources.0: Input tag 'ftp'"),
        ({"sources": [{"kind": "url", "url": "http://a.b"}]}, "sources.0.url.url: String should"),
        ({"sources": [{"kind": "rdkit", "path": "../x"}]}, "sources.0.rdkit.path: .*relative path"),
        ({"mirror_path": "/etc/passwd"}, "mirror_path: .*must be a relative path"),
        ({"mirror_path": "a\\b"}, "mirror_path: .*must be a relative path"),
        ({"file": "a/b"}, "file: String should match"),
        ({"name": "other"}, "name is 'other' but the file is named 'toy'"),
    ],
)
def test_invalid_card(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, **changes)


@pytest.mark.parametrize("text", ["", "- a list\n", "just text"])
def test_not_a_mapping(tmp_path, text):
    path = tmp_path / "toy.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="the card: Input should be a valid dictionary"):
        read_card(path)


def test_not_yaml(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text("name: [")
    with pytest.raises(UserError, match="is not valid YAML"):
        read_card(path)


def test_the_readme_names_the_mirror_paths():
    readme = (Path(card_module.__file__).parents[2] / "datasets" / "README.md").read_text()
    assert load_card("zinc").mirror_path in readme
