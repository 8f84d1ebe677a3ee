"""``molvec doctor``: sound here, and a finding rather than a crash elsewhere."""

import pytest

from molvec import diagnosis


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")


def test_all_is_well(cli):
    code, out, err = cli("doctor")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert {words[0] for words in lines} == {"ok"}
    assert [words[1] for words in lines if words[1] in ("self-test", "cache", "device")] == [
        "device",
        "cache",
        "self-test",
    ]
    assert "embedded ethanol alone and in a batch" in out


def test_a_cache_that_cannot_be_written(cli, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "file" / "cache"))
    code, out, _ = cli("doctor")
    assert code == 1
    (problem,) = [line for line in out.splitlines() if line.split()[0] == "problem"]
    assert problem.split()[1] == "cache"
    assert "NotADirectoryError" in problem


def test_a_mirror_that_is_no_folder(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("MOLVEC_MIRROR", str(tmp_path / "none"))
    code, out, _ = cli("doctor")
    assert code == 1
    assert "which is no folder" in out


def test_a_check_that_crashes_is_a_finding(cli, monkeypatch):
    def crash():
        raise KeyError("[/odd]")

    monkeypatch.setattr(diagnosis, "_device", crash)
    code, out, _ = cli("doctor")
    assert code == 1
    assert "KeyError: '[/odd]'" in out


def test_an_embedding_that_depends_on_the_batch(monkeypatch):
    """The self-test would notice."""
    from molvec.nn.readout import READOUTS, Readout, last_end

    class Leaky(Readout):
        def __call__(self, encoded, batch):
            return encoded.output.mean(0).expand(len(batch.ptr) - 1, -1)

    monkeypatch.setitem(READOUTS, "mean", Leaky(last_end, ("mean",)))
    (finding,) = [f for f in diagnosis.diagnose() if f.name == "self-test"]
    assert not finding.ok
    assert "ethanol's embedding changed by" in finding.text
