"""Whole files or none."""

import pytest

from molvec.atomic import atomic_write
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
