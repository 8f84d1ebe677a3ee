"""A model folder as a representation, and the same network at random start."""

import shutil

import numpy as np
import pytest

from molvec.benchmarking.encoders import ModelFolder
from molvec.errors import UserError


def test_a_model_that_changes_meanwhile(run, tmp_path):
    copy = shutil.copytree(run.model, tmp_path / "model")
    folder = ModelFolder(copy)
    key = folder.key
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert folder.key == key
    with pytest.raises(UserError, match="changed while the suite ran"):
        folder.check_unchanged()
    assert ModelFolder(copy).key != key


def test_random_starts_follow_their_seed(run):
    folder = ModelFolder(run.model, device="cpu")
    one, again, other = (folder.random_start(seed).compute(["CCO"]) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    assert not np.allclose(one, folder.representation().compute(["CCO"]))
