"""What result files say of their origin."""

import re
import subprocess

import molvec
from molvec import provenance


def test_describe():
    facts = provenance.describe()
    assert facts["molvec"] == molvec.__version__
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?|none", facts["commit"])
    assert facts["torch"][0].isdigit()
    assert int(facts["cores"]) >= 1


def test_no_commit_outside_of_a_repository(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "site" / "molvec" / "p.py"))
    assert provenance.commit() == "none"


def test_no_git(monkeypatch):
    def missing(*args, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert provenance.commit() == "none"
