"""Whole files or none."""

import pytest

from molvec.atomic import atomic_write, new_folder
from molvec.errors import UserError


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "new" / "file.txt"
    for text in ("one", "two"):
        atomic_write(path, lambda p, text=text: p.write_text(text))
        assert path.read_text() == text
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_changes_nothing(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def half(temporary):
        temporary.write_text("ha")
        raise error

    with pytest.raises((UserError, KeyboardInterrupt)) as caught:
        atomic_write(path, half, mend="free some space")
    if isinstance(error, OSError):
        assert str(caught.value).endswith("No space left on device; free some space")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "folder").touch()
    with pytest.raises(UserError, match=r"cannot write .*file\.txt: "):
        atomic_write(tmp_path / "folder" / "file.txt", lambda p: p.write_text("x"))


def test_a_new_folder_appears_whole(tmp_path):
    folder = tmp_path / "new" / "folder"

    def write(scratch):
        (scratch / "file.txt").write_text("one")
        assert not folder.exists()

    new_folder(folder, write)
    assert (folder / "file.txt").read_text() == "one"
    new_folder(folder, lambda scratch: (scratch / "file.txt").write_text("two"))
    assert (folder / "file.txt").read_text() == "one"  # whoever was first
    assert [p.name for p in folder.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_folder_that_fails_leaves_nothing(tmp_path, error):
    def half(scratch):
        (scratch / "file.txt").write_text("ha")
        raise error

    with pytest.raises((UserError, KeyboardInterrupt)) as caught:
        new_folder(tmp_path / "folder", half, mend="free some space")
    if isinstance(error, OSError):
        assert str(caught.value) == (
            f"cannot write to {tmp_path} (No space left on device); free some space"
        )
    assert list(tmp_path.iterdir()) == []
