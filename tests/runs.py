"""What tests of whole runs share: stopping one, reading it, comparing two."""

import signal

import torch

from molvec.train.history import Checkpoints
from molvec.train.log import read_lines

TIMED = ("molecules_per_second", "data_wait")  # may differ between equal runs; no other may


def stop_at(step, number):
    """A report that raises a signal at a logged step; the run ends with the step after it."""

    def report(progress, values, steps):
        if progress.step == step:
            signal.raise_signal(number)

    return report


def final_state(folder):
    step, tree = Checkpoints(folder / "checkpoints", keep=1).load_latest()
    assert step == tree["progress"]["step"]
    tree["progress"].pop("seconds")
    return tree


def log_of(folder):
    return [
        {key: value for key, value in line.items() if key not in TIMED}
        for line in read_lines(folder / "metrics.jsonl")
    ]


def assert_equal(one, two, path=""):
    assert type(one) is type(two), path
    if isinstance(one, torch.Tensor):
        assert one.dtype == two.dtype, path
        assert torch.equal(one, two), path
    elif isinstance(one, dict):
        assert one.keys() == two.keys(), path
        for key in one:
            assert_equal(one[key], two[key], f"{path}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(two), path
        for i, (a, b) in enumerate(zip(one, two, strict=True)):
            assert_equal(a, b, f"{path}/{i}")
    else:
        assert one == two, path


def assert_same_run(one, two):
    assert_equal(final_state(one), final_state(two))
    assert log_of(one) == log_of(two)
    weights = "model/model.safetensors"
    assert (one / weights).read_bytes() == (two / weights).read_bytes()


def write_smiles(path, rows):
    path.write_text("".join(f"{row}\n" for row in rows))
    return path
