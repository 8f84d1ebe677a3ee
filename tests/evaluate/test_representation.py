"""Features once computed are kept, and only for what they belong to."""

from dataclasses import replace

import numpy as np
import pytest

from molvec.errors import UserError
from molvec.evaluate.representation import Representation, ecfp, features, rdkit_descriptors
from tests.evaluate.test_frozen import labelled

DATA = labelled(np.zeros(600))


def counting(key="k", keep=True):
    calls = []

    def compute(smiles):
        calls.append(len(smiles))
        return np.full((len(smiles), 2), len(calls), dtype=np.float32)

    return Representation("toy", key, compute, keep=keep), calls


def test_computed_once(tmp_path):
    representation, calls = counting()
    first = features(representation, DATA, tmp_path)
    np.testing.assert_array_equal(features(representation, DATA, tmp_path), first)
    assert calls == [600]


def test_other_data_or_another_model_is_computed(tmp_path):
    representation, calls = counting()
    features(representation, DATA, tmp_path)
    features(representation, replace(DATA, sha256="e"), tmp_path)
    features(replace(representation, key="l"), DATA, tmp_path)
    assert calls == [600, 600, 600]


def test_a_damaged_file_is_computed_again(tmp_path):
    representation, calls = counting()
    features(representation, DATA, tmp_path)
    (path,) = (tmp_path / "k").iterdir()
    for kept, number in ((100, 2), (0, 3)):
        path.write_bytes(path.read_bytes()[:kept])
        assert features(representation, DATA, tmp_path)[0, 0] == number
    assert features(representation, DATA, tmp_path)[0, 0] == 3
    assert calls == [600, 600, 600]


def test_not_worth_keeping(tmp_path):
    representation, _ = counting(keep=False)
    features(representation, DATA, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "k").touch()
    with pytest.raises(UserError, match="set MOLVEC_CACHE to a folder you own"):
        features(counting()[0], DATA, tmp_path)


def test_baselines():
    counts = ecfp().compute(["CCO", "CCCO"])
    assert counts.shape == (2, 2048)
    assert counts[1].sum() > counts[0].sum()
    assert not ecfp().scale
    one, two = (rdkit_descriptors(jobs).compute(["CCO", "c1ccccc1"]) for jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert one.shape[1] > 200
