"""Which checkpoints stay, and which is resumed from."""

import pytest

from molvec.errors import UserError
from molvec.train.history import Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints", keep=2)


def test_the_newest_are_kept(checkpoints):
    assert checkpoints.steps() == []
    for step in (5, 10, 100, 1000):
        checkpoints.save(step, {"step": step})
    assert checkpoints.steps() == [100, 1000]
    assert checkpoints.load_latest() == (1000, {"step": 1000})


def test_the_old_one_goes_only_after_the_new_one_is_there(checkpoints, monkeypatch):
    checkpoints.keep = 1
    checkpoints.save(5, {"step": 5})
    with pytest.raises(TypeError):
        checkpoints.save(10, {"step": object()})
    assert checkpoints.load_latest() == (5, {"step": 5})


def test_other_things_in_the_folder(checkpoints):
    checkpoints.save(5, {"step": 5})
    (checkpoints.folder / "step-5").mkdir()
    (checkpoints.folder / "notes.txt").touch()
    (checkpoints.folder / ".step-00000010.1.tmp").mkdir()
    assert checkpoints.steps() == [5]
    checkpoints.save(10, {"step": 10})
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == [
        "notes.txt",
        "step-00000005",
        "step-00000010",
        "step-5",
    ]


def test_a_damaged_one_is_passed_over(checkpoints):
    checkpoints.save(5, {"step": 5})
    checkpoints.save(10, {"step": 10})
    (checkpoints.path(10) / "tree.json").write_text("{")
    assert checkpoints.load_latest() == (5, {"step": 5})
    (checkpoints.path(5) / "tree.json").unlink()
    with pytest.raises(UserError, match=r"no usable checkpoint in .*00010.*damaged.*00005 has no"):
        checkpoints.load_latest()


def test_none(checkpoints):
    with pytest.raises(UserError, match=r"no usable checkpoint in .*: the folder holds none"):
        checkpoints.load_latest()


def test_keep_one_at_least(tmp_path):
    with pytest.raises(ValueError, match="keep must be at least 1, got 0"):
        Checkpoints(tmp_path, keep=0)
