"""Cards: every shipped one is valid, a wrong one says which field."""

import hashlib
import tomllib
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
    list_labelled,
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


LABELS = {
    "smiles_column": "smiles",
    "task": "regression",
    "targets": [1, 2],
    "num_targets": 2,
    "unit": "kcal/mol",
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


MOLECULENET = {  # rows, rows that are no molecules, targets
    "bbbp": (2050, 11, 1),
    "bace": (1513, 0, 1),
    "clintox": (1484, 4, 2),
    "tox21": (7831, 8, 12),
    "toxcast": (8597, 18, 617),
    "sider": (1427, 0, 27),
    "hiv": (41127, 7, 1),
    "muv": (93087, 0, 17),
    "esol": (1128, 0, 1),
    "freesolv": (642, 0, 1),
    "lipophilicity": (4200, 0, 1),
    "qm7": (6830, 0, 1),
    "qm8": (21786, 0, 16),
}


def test_the_labelled_sets_are_those_of_moleculenet():
    assert list_labelled() == sorted(MOLECULENET)


@pytest.mark.parametrize("name", MOLECULENET)
def test_moleculenet_card(name):
    card = load_card(name)
    assert (card.rows, card.failures, card.num_targets) == MOLECULENET[name]
    assert card.quirks
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in card.quirks)
    assert "doi:10.1039/C7SC02664A" in card.citation
    assert (card.unit is not None) == (card.task == "regression")
    assert card.mirror_path == f"moleculenet/{card.file.removesuffix('.gz')}.gz"
    assert card.sources[0].url.endswith(f"/{card.file}")
    assert set(card.splits) == {"scaffold_hu"}
    if card.failures:  # a count that differs from the published one is explained
        assert any("parse" in sentence for sentence in card.quirks)


def test_what_could_not_be_compared_is_said():
    assert "could not be compared" in " ".join(load_card("muv").quirks)
    assert "only 12 of the 16 labels differ" in " ".join(load_card("qm8").quirks)


def test_label_columns(tmp_path):
    card = read(tmp_path, **LABELS)
    assert list(card.target_range) == [1, 2]
    assert read(tmp_path).target_range is None


def test_unknown_name():
    with pytest.raises(
        UserError, match=r"no data set 'zink'\. Did you mean 'zinc'\? Known: bace, "
    ):
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
        ({**LABELS, "num_targets": 3}, r"targets \(first and last column\) does not fit"),
        ({**LABELS, "targets": [2, 1]}, r"targets \(first and last column\) does not fit"),
        ({**LABELS, "targets": [-1, 0]}, "targets.0: Input should be greater than or equal to 0"),
        ({**LABELS, "task": "classification"}, "unit is for regression only"),
        ({**LABELS, "task": "ranking"}, "task: Input should be 'classification' or 'regression'"),
        ({**LABELS, "task": None}, "labels need task, targets, num_targets and smiles_column"),
        ({**LABELS, "smiles_column": None}, "labels need task, targets, num_targets and smiles_c"),
        ({"unit": "K"}, "unit and splits are for sets with task"),
        ({"splits": {"scaffold_hu": "0" * 64}}, "unit and splits are for sets with task"),
        ({**LABELS, "splits": {"scaffold_hu": "abc"}}, "splits.scaffold_hu: String should match"),
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
    for name in {*list_labelled(), "zinc"}:
        assert f"    {load_card(name).mirror_path}\n" in readme


def test_the_wheel_ships_the_folder_of_the_cards():
    """With what is in it: the frozen splits too."""
    root = Path(card_module.__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["datasets"] == "molvec/_datasets"
