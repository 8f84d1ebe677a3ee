"""Files below a folder: all of them, or a word about why not."""

import os

import pytest

from molvec.errors import UserError
from molvec.records.folder import files_below


def test_files_of_a_kind_sorted_by_path(tmp_path):
    for name in ("b.xyz", "a/c.xyz", "a/c.txt", "a.xyz/d.xyz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = files_below(tmp_path, lambda path: path.suffix == ".xyz")
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "a/c.xyz",
        "a.xyz/d.xyz",
        "b.xyz",
    ]


def test_a_folder_that_cannot_be_read_is_no_empty_folder(tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refusing(path):  # root may read everything, so the system is asked nothing
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(UserError, match=r"cannot read .*locked: Permission denied"):
        files_below(tmp_path, lambda path: True)
