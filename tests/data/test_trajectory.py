"""Trajectories: frames, published parts, and what is wrong with a file."""

import numpy as np
import pytest
import yaml

from molvec.data import trajectory_card
from molvec.data.card import list_cards
from molvec.data.network_card import list_networks
from molvec.data.source import sha256_of
from molvec.data.trajectory import load_trajectory, read_trajectory, verify_trajectories
from molvec.data.trajectory_card import list_trajectories, load_trajectory_card
from molvec.errors import UserError

FRAMES = 60


def arrays():
    rng = np.random.default_rng(0)
    held = {
        "z": np.array([8, 1, 1], np.int8),
        "R": rng.normal(size=(FRAMES, 3, 3)).astype(np.float32),
        "E": rng.normal(size=FRAMES) - 2000.0,
        "F": rng.normal(size=(FRAMES, 3, 3)).astype(np.float32),
    }
    for pair in range(1, 6):
        order = rng.permutation(FRAMES).astype(np.int32)
        held[f"train_{pair:02}"], held[f"test_{pair:02}"] = order[:20], order[20:50]
    return held


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "water.npz", **arrays())
    return tmp_path / "water.npz"


@pytest.fixture
def card(file, tmp_path, monkeypatch):
    folder = tmp_path / "cards"
    folder.mkdir()
    tree = yaml.safe_load((trajectory_card.trajectories_folder() / "rmd17.yaml").read_text())
    tree |= {"frames": FRAMES, "name": "toy"}
    about = {"file": "water.npz", "mirror_path": "water.npz", "converted_from": "nowhere"}
    tree["files"] = {"water": about | {"sha256": sha256_of(file)}}
    (folder / "toy.yaml").write_text(yaml.safe_dump(tree))
    monkeypatch.setattr(trajectory_card, "trajectories_folder", lambda: folder)
    monkeypatch.setenv("MOLVEC_MIRROR", str(tmp_path))
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    return folder / "toy.yaml"


def test_shipped_card():
    assert list_trajectories() == ["rmd17"]
    assert not {"rmd17"} & {*list_cards(), *list_networks()}  # a name tells its kind
    shipped = load_trajectory_card("rmd17")
    assert shipped.frames == 9633
    assert set(shipped.files) == {"aspirin", "ethanol"}
    assert all(sentence.endswith(".") for sentence in shipped.quirks)
    with pytest.raises(UserError, match=r"no trajectories 'rmd71'. Did you mean 'rmd17'"):
        load_trajectory_card("rmd71")


def test_frames_with_energies_and_forces(card, file):
    held, found = arrays(), load_trajectory("toy", "water")
    assert (found.name, len(found)) == ("toy-water", FRAMES)
    np.testing.assert_array_equal(found.positions, held["R"])
    np.testing.assert_array_equal(found.energies, held["E"])
    np.testing.assert_array_equal(found.forces, held["F"])
    assert found.elements.tolist() == [8, 1, 1]
    labelled = found.labelled()
    assert labelled.unit == "eV"
    np.testing.assert_array_equal(labelled.targets["energy"], held["E"])
    np.testing.assert_array_equal(labelled.conformers[7].positions, held["R"][7])
    assert verify_trajectories("toy") == "toy: 60 frames of water, sha256 fits (mirror)"
    with pytest.raises(UserError, match=r"toy has no molecule 'wter'. Did you mean 'water'"):
        load_trajectory("toy", "wter")


def test_published_parts_stay_apart(file):
    trajectory = read_trajectory(file, name="water")
    for pair in range(5):
        split = trajectory.split(pair, valid=4)
        learn, test = arrays()[f"train_{pair + 1:02}"], arrays()[f"test_{pair + 1:02}"]
        assert (len(split.train), len(split.valid)) == (16, 4)
        assert sorted([*split.train, *split.valid]) == sorted(learn)
        assert sorted(split.test) == sorted(test)
    assert trajectory.split(0, valid=4, seed=1).sha256 != trajectory.split(0, valid=4).sha256
    for wrong in ({"pair": 5}, {"valid": 20}, {"valid": 0}):
        with pytest.raises(ValueError, match="must be"):
            trajectory.split(**wrong)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"F": None}, "is no trajectory of rMD17's form"),
        ({"R": np.zeros((FRAMES, 2, 3))}, r"R has shape \(60, 2, 3\), expected \(60, 3, 3\)"),
        ({"E": np.full(FRAMES, np.nan)}, "E has numbers that are not finite"),
        ({"test_03": arrays()["train_03"]}, "train_03 and test_03 repeat a frame"),
        ({"test_03": np.array([FRAMES])}, "train_03 and test_03 repeat a frame, or name one"),
    ],
)
def test_files_that_do_not_fit(changes, message, tmp_path):
    held = {key: value for key, value in (arrays() | changes).items() if value is not None}
    np.savez(tmp_path / "x.npz", **held)
    with pytest.raises(UserError, match=message):
        read_trajectory(tmp_path / "x.npz", name="x")


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_files_that_are_none(content, tmp_path):
    if content is not None:
        (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match="is no trajectory of rMD17's form"):
        read_trajectory(tmp_path / "x.npz", name="x")


def test_a_card_that_does_not_fit_its_file(card, file):
    card.write_text(card.read_text().replace("frames: 60", "frames: 61"))
    with pytest.raises(UserError, match="toy-water: 60 frames, the card says 61"):
        load_trajectory("toy", "water")
    np.savez(file, **(arrays() | {"z": np.array([8, 1, 9], np.int8)}))
    with pytest.raises(UserError, match="Nobody serves this form of it: set MOLVEC_MIRROR"):
        load_trajectory("toy", "water")
