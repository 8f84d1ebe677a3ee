"""One step of the loop is what it says: a gradient step, then a step of the teacher."""

import time

import pytest
import torch

from molvec.config import load_settings
from molvec.data.dataset import MoleculeDataset
from molvec.data.loader import MaskedBatch, load_batches
from molvec.data.sampler import BucketBatches
from molvec.data.store import build_store
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.masking import MaskSampler
from molvec.objective.collapse import CollapsedError
from molvec.pretraining import _fabric, build_model, pretrain
from molvec.records import Record
from molvec.train.history import Checkpoints
from molvec.train.log import MetricsLog, read_lines
from molvec.train.loop import LoopSettings, _Clock, train
from molvec.train.optimizer import build_optimizer
from molvec.train.state import Progress

LOOP = {
    "steps": 3,
    "lr": 1e-3,
    "warmup": 0,
    "clip": 1.0,
    "ema_start": 0.5,
    "ema_end": 0.5,
    "ema_ramp": 0,
    "log_every": 1,
    "checkpoint_every": 100,
}


@pytest.fixture
def start(make_settings, smiles, tmp_path):
    """Train a fresh model on given batches; return it and its parameters before and after."""

    def go(batches=None, **loop):
        settings = make_settings()
        featurizer = MoleculeFeaturizer()
        torch.manual_seed(0)
        model = build_model(settings, featurizer)
        optimizer = build_optimizer(model, lr=1.0, weight_decay=0.0, betas=(0.9, 0.98))
        before = {name: value.clone() for name, value in model.state_dict().items()}
        store = build_store(
            (Record(i, smiles=text) for i, text in enumerate(smiles)), tmp_path / "store"
        )
        dataset = MoleculeDataset(store, featurizer)
        sampler = BucketBatches(dataset.sizes, batch_size=8, seed=0)

        def loaded(start, stop):
            masks = MaskSampler(views=2)
            return load_batches(dataset, masks, sampler, start=start, stop=stop, workers=0)

        with MetricsLog(tmp_path) as log:
            progress = train(
                model,
                optimizer,
                fabric=_fabric(settings),
                batches=batches or loaded,
                settings=LoopSettings(**(LOOP | loop)),
                progress=Progress(),
                checkpoints=Checkpoints(tmp_path / "checkpoints", keep=1),
                log=log,
                report=lambda progress, values, steps: None,
            )
        return model, before, progress

    return go


def test_the_teacher_follows_exactly(start):
    model, before, progress = start(steps=1)
    assert (progress.step, progress.molecules, progress.views) == (1, 8, 16)
    after = model.state_dict()
    moved = 0
    for name, old in before.items():
        if name.startswith("teacher."):
            student = after["student.encoder." + name.removeprefix("teacher.")]
            assert torch.allclose(after[name], 0.5 * old + 0.5 * student, atol=1e-7), name
            moved += not torch.equal(after[name], old)
    assert moved > 20


def test_a_teacher_that_never_moves(start):
    model, before, _ = start(ema_start=1.0, ema_end=1.0)
    after = model.state_dict()
    assert all(torch.equal(after[n], before[n]) for n in before if n.startswith("teacher."))
    assert not all(torch.equal(after[n], before[n]) for n in before if n.startswith("student."))


def test_the_schedule_is_applied(start, tmp_path):
    start(steps=4, warmup=2, lr=1e-3)
    rates = [line["lr"] for line in read_lines(tmp_path / "metrics.jsonl")]
    assert rates[:3] == pytest.approx([0.5e-3, 1e-3, 1e-3])
    assert rates[3] == pytest.approx(1e-3 * (0.01 + 0.99 / 2))


def test_a_clip_of_nothing_stops_everything(start):
    """The gradient's norm is bounded before the step (AdamW undoes a scale, not a zero)."""
    model, before, _ = start(clip=1e-30)
    after = model.state_dict()
    assert all(torch.allclose(after[n], before[n], atol=1e-6) for n in before)


def test_batches_that_cannot_be_read_are_steps_without_learning(start):
    empty = MaskedBatch(None, None, ())
    with pytest.raises(ValueError, match="nothing to learn from"):
        start(batches=lambda start, stop: [empty] * (stop - start))


def test_a_loss_that_is_not_finite_stops_the_run(start, tmp_path):
    with pytest.raises(CollapsedError, match=r"the loss is nan at step \d+; lower the learning"):
        start(lr=float("nan"), steps=5)
    assert not (tmp_path / "checkpoints").exists()


def test_memorizable(make_settings, tmp_path):
    """A few molecules, many steps: the loss must fall far below its start."""
    source = tmp_path / "few.smi"
    source.write_text(
        "CC(=O)Oc1ccccc1C(=O)O\nCN1C=NC2=C1C(=O)N(C)C(=O)N2C\nCCN(CC)CCOC(=O)c1ccc(N)cc1\n"
    )
    settings = make_settings(
        {"data.source": str(source), "optimizer.lr": 3e-3, "ema.start": 0.99, "ema.end": 1.0},
        steps=120,
        batch_size=3,
        log_every=10,
        checkpoint_every=1000,
    )
    run = pretrain(settings, output=tmp_path / "run")
    losses = [line["loss"] for line in read_lines(run.folder / "metrics.jsonl")]
    assert losses[-1] < 0.35 * losses[0]
    assert load_settings(run.folder / "config.yaml") == settings


def test_waiting_for_data_is_told():
    def slow():
        for number in range(3):
            time.sleep(0.2)
            yield number

    clock = _Clock(Progress())
    shares = []
    for _ in clock.watched(slow()):
        shares.append(clock.wait_share())
        time.sleep(0.1)
    assert shares[0] == 0  # the first batch does not count: workers have to start
    assert 0 < shares[1] < shares[2] < 1
    assert clock.waited == pytest.approx(0.4, abs=0.15)
