"""QM9's labels and split, on molecules made up here."""

import numpy as np
import pytest

from molvec.data.qm9 import HARTREE
from molvec.data.qm9_labelled import load_qm9, qm9_split
from molvec.errors import UserError
from tests.qm9 import made_up


@pytest.fixture
def small_qm9(monkeypatch, tmp_path):
    return made_up(monkeypatch, tmp_path)


def test_labels_in_units_and_geometries_by_row(small_qm9):
    data = load_qm9(("homo", "mu", "u0"))
    assert list(data.targets.columns) == ["homo", "mu", "u0"]
    np.testing.assert_allclose(data.targets["homo"], small_qm9 * HARTREE)
    np.testing.assert_allclose(data.targets["mu"], small_qm9)
    bound = small_qm9 * (-0.6 + 0.500273) * HARTREE
    np.testing.assert_allclose(data.targets["u0"], bound)
    assert len(data.conformers[7]) == small_qm9[7]
    with pytest.raises(UserError, match="QM9 has no label 'g'"):
        load_qm9(("g",))


def test_split_is_disjoint_complete_and_seeded(small_qm9):
    data = load_qm9(("homo",))
    split = qm9_split(data)
    parts = [split.train, split.valid, split.test]
    assert [len(part) for part in parts] == [30, 15, 15]
    assert sorted(np.concatenate(parts)) == list(range(60))
    assert qm9_split(data).sha256 == split.sha256 != qm9_split(data, seed=1).sha256
