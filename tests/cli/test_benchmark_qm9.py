"""``molvec benchmark qm9``: options, messages, interruption."""

import signal

import pytest

from tests.qm9 import made_up

FAST = ("--seeds", 1, "--jobs", 1, "--fraction", 1)


@pytest.fixture
def small_qm9(monkeypatch, tmp_path):
    monkeypatch.setenv("MOLVEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return made_up(monkeypatch, tmp_path, spread=0.1)


def test_labels_by_name_into_the_usual_folder(cli, small_qm9, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, err = cli("benchmark", "qm9", "mu", "--model", "qm9-3d", *FAST, "--draws", 1)
    assert code == 0
    assert "qm9: 30 / 15 / 15 molecules" in err
    assert "qm9: pretrained, linear, seed 0, 100% of the labels: mu " in err
    assert "mu, D" in out
    assert "extended Hückel" in out
    folder = tmp_path / "runs" / "benchmark-qm9-mu-qm9-3d"
    assert {path.name for path in folder.iterdir()} == {
        *("cells", "results.csv", "results.json", "results.md")
    }
    code, _, err = cli("benchmark", "qm9", "mu", "--model", "qm9-3d", *FAST, "--draws", 1)
    assert code == 0
    assert all(line.endswith("kept)") for line in err.splitlines()[1:])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(cli, small_qm9, tmp_path, monkeypatch, number):
    def interrupt(*args, **options):
        signal.raise_signal(number)

    monkeypatch.setattr("molvec.benchmarking.qm9_jobs.fit_head", interrupt)
    code, out, err = cli("benchmark", "qm9", "-m", "qm9-3d", *FAST, "-o", tmp_path / "out")
    assert (code, out) == (128 + number, "")
    assert err.endswith(f"stopped; the same command continues in {tmp_path / 'out'}\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("qm9",), "molvec benchmark qm9 needs --model, a model of conformers, e.g. qm9-3d"),
        (("qm9", "--model", "zinc-2d"), "zinc-2d is a model of molecules"),
        (("qm9", "gp", "--model", "qm9-3d"), "QM9 has no label 'gp'"),
        (("qm9", "--model", "qm9-3d", "--split", "random"), "--split has no meaning"),
        (("qm9", "--model", "qm9-3d", "--head", "forest"), "--head has no meaning"),
        (("qm9", "--model", "qm9-3d", "--protocol", "label-efficiency"), "has no protocol"),
        (("bbbp", "qm9"), "qm9 is a suite of its own: molvec benchmark qm9"),
    ],
)
def test_what_cannot_be_done(cli, given, message):
    code, out, err = cli("benchmark", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
