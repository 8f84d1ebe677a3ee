"""The script that freezes the splits, and that the frozen files are what it computes."""

import gzip
import hashlib
from pathlib import Path

import pytest

from benchmarks import freeze_splits
from molvec.data.card import cards_folder, list_labelled, load_card
from molvec.data.frozen import read_frozen, split_file
from molvec.data.labelled import read_labelled


@pytest.mark.parametrize("name", list_labelled())
def test_every_frozen_split_fits_its_card(name):
    card = load_card(name)
    part = read_frozen(card, "scaffold_hu")
    counts = [int((part == number).sum()) for number in range(3)]
    molecules = card.rows - card.failures
    assert len(part) == card.rows
    assert sum(counts) == molecules
    # A scaffold is not cut, so the parts miss 80/10/10 by a little.
    for count, share in zip(counts, (0.8, 0.1, 0.1), strict=True):
        assert abs(count - share * molecules) < 3


def test_published_sizes():
    sizes = {"bbbp": 204, "bace": 152}
    for name, test in sizes.items():
        assert int((read_frozen(load_card(name), "scaffold_hu") == 2).sum()) == test


def test_write(tmp_path, monkeypatch):
    card = (cards_folder() / "bbbp.yaml").read_text()
    (tmp_path / "bbbp.yaml").write_text(card)
    freeze_splits.write("bbbp", "00-12", tmp_path)
    path = split_file("bbbp", "scaffold_hu", folder=tmp_path / "splits")
    first = path.read_bytes()
    assert gzip.decompress(first) == b"00-12"
    written = (tmp_path / "bbbp.yaml").read_text()
    assert f'  scaffold_hu: "{hashlib.sha256(b"00-12").hexdigest()}"' in written
    old = load_card("bbbp").splits["scaffold_hu"]
    assert written.replace(hashlib.sha256(b"00-12").hexdigest(), old) == card
    freeze_splits.write("bbbp", "00-12", tmp_path)
    assert path.read_bytes() == first


def test_a_card_without_the_line(tmp_path):
    (tmp_path / "toy.yaml").write_text("name: toy\n")
    with pytest.raises(SystemExit, match="needs one line, under splits"):
        freeze_splits.write("toy", "012", tmp_path)
    assert not Path(tmp_path / "splits").exists()


def test_text_has_a_letter_per_file_row(tmp_path):
    rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNC1", "C1CC1", "c1ccoc1", "c1ccsc1"]
    smiles = ["bad", *("C" * n + rings[n % 7] for n in range(1, 40)), "worse"]
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\n" + "".join(f"{text},{i}\n" for i, text in enumerate(smiles)))
    text = freeze_splits.split_text(read_labelled(path, targets=["y"], task="regression"))
    assert len(text) == 41
    assert [i for i, letter in enumerate(text) if letter == "-"] == [0, 40]
    assert set(text) == set("012-")


def test_compare_says_what_would_change(monkeypatch, capsys, tmp_path):
    rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNC1", "C1CC1", "c1ccoc1", "c1ccsc1"]
    path = tmp_path / "a.csv"
    rows = "".join(f"{'C' * n}{rings[n % 7]},{n}\n" for n in range(40))
    path.write_text("smiles,y\n" + rows)
    data = read_labelled(path, targets=["y"], task="regression")
    text = freeze_splits.split_text(data)
    monkeypatch.setattr(freeze_splits, "load_labelled", lambda name: data)
    monkeypatch.setattr(freeze_splits, "stored_text", lambda name: text)
    assert freeze_splits.main(["bbbp"]) == 0
    assert "as frozen" in capsys.readouterr().out
    monkeypatch.setattr(freeze_splits, "stored_text", lambda name: text[::-1])
    assert freeze_splits.main(["bbbp"]) == 1
    assert "rows differ from what is frozen" in capsys.readouterr().out
