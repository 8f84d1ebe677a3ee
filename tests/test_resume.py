"""A run that was stopped, killed or damaged continues bit for bit."""

import shutil
import signal

import pytest
import torch

from molvec.errors import UserError
from molvec.pretraining import pretrain, resume
from tests.runs import assert_same_run, log_of, stop_at

# --- resuming ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "overrides"),
    [
        (signal.SIGTERM, {"objective.grounding_weight": 0.5, "objective.grounding_size": 64}),
        (signal.SIGINT, {"student.kind": "mask_token", "objective.graph_weight": 0.5}),
        (signal.SIGTERM, {"student.dropout": 0.3}),
        (signal.SIGINT, {"precision": "bf16-mixed", "encoder.local": True, "mask.kind": "random"}),
    ],
)
def test_resume_is_exact(number, overrides, make_settings, tmp_path):
    settings = make_settings(overrides)
    one, two = tmp_path / "one", tmp_path / "two"
    pretrain(settings, output=one)
    stopped = pretrain(settings, output=two, report=stop_at(6, number))
    assert stopped.progress.step == 7  # between two logged steps and two checkpoints
    assert stopped.progress.stopped_by == number
    finished = resume(two)
    assert finished.progress.step == settings.steps
    assert finished.progress.stopped_by is None
    assert [line["step"] for line in log_of(two)] == [3, 6, 9, 12, 14]
    assert_same_run(one, two)


def test_a_second_signal_acts_as_usual(make_settings, tmp_path):
    """Ctrl-C once stops after the step; twice stops now."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    seen = []

    def report(progress, values, steps):
        seen.append(progress.step)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        pretrain(make_settings(log_every=1), output=tmp_path / "run", report=report)
    assert seen == [1, 2]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_resume_many_times(straight, make_settings, tmp_path):
    folder = tmp_path / "run"
    pretrain(make_settings(), output=folder, report=stop_at(3, signal.SIGTERM))
    for step in (6, 9, 12):
        resume(folder, report=stop_at(step, signal.SIGINT))
    resume(folder)
    assert_same_run(straight, folder)


def test_resume_from_an_older_checkpoint_drops_later_log_lines(straight, started):
    shutil.rmtree(started / "checkpoints" / "step-00000014")
    with (started / "metrics.jsonl").open("a") as log:
        log.write('{"step": 14, "loss"')  # cut short by a kill
    resume(started)
    assert_same_run(straight, started)


@pytest.mark.parametrize("file", ["tensors.safetensors", "tree.json"])
@pytest.mark.parametrize("share", [0.0, 0.5, None])
def test_damaged_checkpoint(file, share, straight, started):
    path = started / "checkpoints" / "step-00000014" / file
    if share is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    seen = []
    resume(started, report=lambda progress, values, steps: seen.append(progress.step))
    assert seen == [14]  # from step 12, the checkpoint before
    assert_same_run(straight, started)


def test_tensors_of_another_checkpoint(straight, started):
    """A tree whose references lead nowhere is damage, not a KeyError."""
    path = started / "checkpoints" / "step-00000014" / "tree.json"
    path.write_text(path.read_text().replace("/rng/torch", "/rng/other"))
    resume(started)
    assert_same_run(straight, started)


def test_every_checkpoint_damaged(started):
    for path in started.glob("checkpoints/*/tree.json"):
        path.write_text("{")
    with pytest.raises(UserError, match=r"no usable checkpoint in .*step-00000014.*step-00000012"):
        resume(started)


def test_killed_before_the_first_checkpoint(straight, started):
    shutil.rmtree(started / "checkpoints")
    shutil.rmtree(started / "model")
    resume(started)
    assert_same_run(straight, started)


def test_resume_of_a_finished_run_changes_nothing(straight, started):
    shutil.rmtree(started / "model")
    seen = []
    resume(started, report=lambda progress, values, steps: seen.append(progress.step))
    assert seen == []
    assert_same_run(straight, started)


def test_resume_ignores_halves(straight, started):
    half = started / "checkpoints" / ".step-00000016.123.tmp"
    shutil.copytree(started / "checkpoints" / "step-00000014", half)
    shutil.rmtree(started / "checkpoints" / "step-00000014")
    resume(started)
    assert_same_run(straight, started)
    assert not half.exists()  # and clears them away


def test_resume_of_no_run(tmp_path):
    with pytest.raises(UserError, match="not a run folder"):
        resume(tmp_path)


def test_resume_after_an_edit_that_does_not_fit(started):
    path = started / "config.yaml"
    path.write_text(path.read_text().replace("depth: null", "depth: 2"))
    with pytest.raises(UserError, match=r"step-00000014 does not fit .*config\.yaml .*edited"):
        resume(started)


def test_workers_do_not_change_numbers(straight, make_settings, tmp_path):
    pretrain(make_settings({"data.workers": 2}), output=tmp_path / "run")
    assert_same_run(straight, tmp_path / "run")


def test_a_run_follows_from_its_seed(straight, make_settings, tmp_path):
    """A run draws from its seed, whatever was drawn before it."""
    torch.manual_seed(123)
    torch.rand(5)
    pretrain(make_settings(), output=tmp_path / "run")
    assert_same_run(straight, tmp_path / "run")


def test_another_seed_is_another_run(straight, make_settings, tmp_path):
    pretrain(make_settings(seed=1), output=tmp_path / "run")
    assert log_of(straight)[-1]["loss"] != log_of(tmp_path / "run")[-1]["loss"]


def test_resume_notices_that_the_data_has_changed(make_settings, smiles_file, tmp_path):
    data = tmp_path / "mine.smi"
    shutil.copy(smiles_file, data)
    settings = make_settings({"data.source": str(data)})
    pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGTERM))
    data.write_text(data.read_text() + "CCO\n")
    with pytest.raises(UserError, match=r"mine\.smi has changed since .* was started; put the old"):
        resume(tmp_path / "run")
    shutil.copy(smiles_file, data)
    assert resume(tmp_path / "run").progress.step == settings.steps


def test_resume_from_another_folder(make_settings, smiles_file, tmp_path, monkeypatch):
    """A recipe may name its data relative to where the run was started."""
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    shutil.copy(smiles_file, home / "mine.smi")
    monkeypatch.chdir(home)
    (home / "more.smi").write_text("CCO\nCCN\nnot-a-molecule\n")
    settings = make_settings({"data.source": "mine.smi", "data.extra": {"more.smi": 5}})
    pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGTERM))
    monkeypatch.chdir(away)
    run = resume(tmp_path / "run")
    assert run.progress.step == settings.steps
    assert run.rows == len(smiles_file.read_text().splitlines()) + 15
    assert "not valid SMILES" in run.skipped
