"""Cards of networks: the shipped ones are valid, every file is checked, an archive is read once."""

import io
import tarfile
import zipfile

import pytest
import yaml

from molvec.data import network_card as module
from molvec.data.card import list_cards
from molvec.data.network_card import (
    NetworkCard,
    fetch_network,
    find_card,
    list_networks,
    load_network_card,
    place_of,
    read_network_card,
)
from molvec.data.network_source import open_network, verify_network
from molvec.errors import UserError
from tests.data.network_toys import SETS, TRIPLES, URL, fields, networks  # noqa: F401

SHIPPED = {
    "pcg": (3233, 37351, 15),
    "humloc": (3106, 15978, 14),
    "eukloc": (7766, 11321, 22),
    "homo-sapiens": (3890, 37845, 50),
    "yeast": (2617, 11855, 12),
    "menche": (13460, 138427, 299),
    "shs27k": (1690, 7624, 7),
    "graphsage-ppi": (56944, 818716, 121),
    "fb15k-237": (14505, 270490, 0),
    "wn18rr": (40559, 86828, 0),
    "codex-s": (2034, 32888, 0),
    "codex-m": (17050, 185584, 0),
    "umls": (135, 5216, 0),
    "kinship": (104, 8544, 0),
    "nations": (14, 1592, 0),
    "hetionet-lite": (26757, 113719, 0),
}


def test_shipped_cards():
    assert set(list_networks()) == set(SHIPPED)
    assert not set(list_networks()) & set(list_cards())  # a name tells its kind
    for name, counts in SHIPPED.items():
        card = load_network_card(name)
        assert (card.nodes, card.edges, card.labels) == counts
        assert all(sentence.endswith(".") for sentence in card.quirks)
    unverified = [name for name in SHIPPED if load_network_card(name).unverified]
    assert unverified == ["graphsage-ppi"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"form": "tables"}, "form tables needs files edges, features, labels, splits"),
        ({"form": "nets"}, "form: Input should be"),
        ({"triples": None}, "triples and unseen are for form triples"),
        ({"labels": 3, "labelled": 2}, "labels and labelled are for all forms but triples"),
        ({"target": "r"}, "files valid and test, or a target"),
        ({"node": 3}, r"node: Extra inputs are not permitted\. Did you mean 'nodes'\?"),
        ({"sha256": None}, "give sha256, or unverified"),
        ({"sources": []}, "give sources, or converted_from"),
        ({"file": "valid.txt"}, "two files have the same name"),
    ],
)
def test_invalid_card(tmp_path, changes, message):
    tree = fields("toy", *SETS["triples"])
    for name, value in changes.items():
        (tree["files"]["train"] if name in ("sha256", "sources", "file") else tree)[name] = value
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(UserError, match=message):
        read_network_card(path)


def test_unknown_names():
    with pytest.raises(UserError, match=r"no network 'pgc'\. Did you mean 'pcg'\?"):
        load_network_card("pgc")
    with pytest.raises(UserError, match="bace is a data set of molecules"):
        load_network_card("bace")
    with pytest.raises(UserError, match=r"no data set 'zink'\. Did you mean 'zinc'\?"):
        find_card("zink")


@pytest.mark.parametrize("name", SETS)
def test_what_is_loaded_has_the_counts_of_the_card(networks, name):  # noqa: F811
    assert verify_network(load_network_card(name)).startswith(f"{name}: ")
    assert len(open_network(name)[0]) == load_network_card(name).nodes


def test_counts_that_differ_are_told(networks):  # noqa: F811
    path = networks / "triples.yaml"
    path.write_text(path.read_text().replace("edges: 2", "edges: 5"))
    with pytest.raises(UserError, match="triples: edges 2, the card says 5"):
        verify_network(load_network_card("triples"))


def test_damage(networks):  # noqa: F811
    card = load_network_card("triples")
    file = networks.parent / "mirror" / "triples" / "valid.txt"
    assert place_of(card) == "mirror"
    file.write_text("else")
    assert place_of(card) == "damaged"
    with pytest.raises(UserError, match="is damaged; run: molvec data get triples"):
        verify_network(card)
    file.unlink()
    assert place_of(card) == "not downloaded"


def archive(kind, files):
    held = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(held, "w") as zipped:
            for name, text in files.items():
                zipped.writestr(name, text)
    else:
        with tarfile.open(fileobj=held, mode="w:gz") as tar:
            for name, text in files.items():
                about = tarfile.TarInfo(name)
                about.size = len(text)
                tar.addfile(about, io.BytesIO(text.encode()))
    return held.getvalue()


@pytest.fixture
def in_archive(monkeypatch):
    monkeypatch.delenv("MOLVEC_MIRROR", raising=False)
    tree = fields("toy", *SETS["triples"])
    for held in tree["files"].values():
        held["sources"] = [{"kind": "archive", "url": URL + "toy", "member": held["file"]}]
    return NetworkCard.model_validate(tree)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_is_downloaded_once(in_archive, tmp_path, kind):
    content = archive(kind, {f"./toy/{name}": text for name, text in TRIPLES.items()})
    urls = []

    def download(url, path):
        urls.append(url)
        path.write_bytes(content)

    paths = fetch_network(in_archive, cache=tmp_path, download=download)
    assert urls == [URL + "toy"]
    assert {role: path.read_bytes().decode() for role, path in paths.items()} == {
        name.split(".")[0]: text for name, text in TRIPLES.items()
    }
    assert fetch_network(in_archive, cache=tmp_path, download=download) == paths
    assert len(urls) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive", "the archive cannot be read"),
        (archive("tar", {"other.txt": "x"}), "0 members are named train.txt"),
        (archive("zip", {"train.txt": "x"}), "sha256 2d711642b726... is not"),
        (archive("tar", {f"{i}{n}": t for n, t in TRIPLES.items() for i in "ab"}), "0 members"),
    ],
)
def test_an_archive_that_does_not_serve(in_archive, tmp_path, content, reason):
    with pytest.raises(UserError, match=reason):
        fetch_network(
            in_archive, cache=tmp_path, download=lambda _, path: path.write_bytes(content)
        )
    assert not list(tmp_path.rglob("*.txt"))


def test_a_form_that_nobody_serves(tmp_path, monkeypatch):
    monkeypatch.delenv("MOLVEC_MIRROR", raising=False)
    tree = fields("toy", *SETS["triples"])
    del tree["files"]["train"]["sources"]
    tree["files"]["train"]["converted_from"] = "a pickle"
    with pytest.raises(UserError, match="Nobody serves this form of it: set MOLVEC_MIRROR"):
        fetch_network(NetworkCard.model_validate(tree), cache=tmp_path)


def test_the_readme_has_a_row_for_each():
    text = (module.cards_folder() / "README.md").read_text()
    for name in list_networks():
        assert f"\n| `{name}` |" in text
