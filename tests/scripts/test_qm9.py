"""QM9's labels, split and probe on molecules made up here."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import qm9
from molvec.data import qm9_labelled
from molvec.data.qm9 import COLUMNS, HARTREE
from molvec.data.qm9_labelled import load_qm9, qm9_split
from molvec.errors import UserError
from molvec.records import Conformer


@pytest.fixture
def small_qm9(monkeypatch, tmp_path):
    """Sixty molecules of 2 to 7 hydrogens in QM9's table; every label is a function of the size."""
    sizes = 2 + np.arange(60) % 6
    table = pd.DataFrame({"SMILES": [f"C{'C' * int(n)}" for n in sizes]})
    for name, (column, _, _) in COLUMNS.items():
        table[column] = sizes * (1.0 if name != "u0" else -0.6)
    path = tmp_path / "qm9.csv"
    table.to_csv(path, index=False)
    store = [
        Conformer(f"m{i}", np.ones(n, np.uint8), np.arange(3 * n, dtype=np.float32).reshape(n, 3))
        for i, n in enumerate(sizes)
    ]
    monkeypatch.setattr(qm9_labelled, "fetch", lambda card: path)
    monkeypatch.setattr(qm9_labelled, "open_conformers", lambda name: store)
    monkeypatch.setattr(qm9_labelled, "TRAIN", 30)
    monkeypatch.setattr(qm9_labelled, "VALID", 15)
    return sizes


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
    fewer = qm9.smaller(split, 10, 6, "test")
    assert set(fewer.train) < set(split.train)
    assert set(fewer.valid) < set(split.valid)
    assert fewer.test is split.test
    chosen = qm9.smaller(split, 10, 6, "valid")
    assert set(chosen.valid) | set(chosen.test) == set(split.valid)
    assert not set(chosen.valid) & set(chosen.test)


def test_probe_finds_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5))
    y = np.tile(x @ rng.normal(size=(5, 1)), (1, len(qm9.TARGETS)))
    (learn,) = qm9.drawn(200, 0.5, 1)
    assert len(set(learn)) == 100
    found = qm9.probe(x, y, (200, 300), learn)
    assert max(found.values()) < 0.02
    nothing = qm9.probe(rng.normal(size=(400, 5)), y, (200, 300), learn)
    spread = np.abs(y[300:, 0] - y[learn, 0].mean()).mean()
    assert min(nothing.values()) > 0.9 * spread


def test_tables_and_json(tmp_path, capsys):
    draws = [dict.fromkeys(qm9.TARGETS, value) for value in (0.1, 0.3)]
    document = {"scores": {"5% of the labels": {"pretrained": draws, "counts": draws[:1]}}}
    qm9.write(tmp_path, "qm9-probe", document)
    assert json.loads((tmp_path / "qm9-probe.json").read_text()) == document
    lines = (tmp_path / "qm9-probe.md").read_text().splitlines()
    assert lines[0].startswith("| MAE, 5% of the labels | homo, eV |")
    assert lines[2].startswith("| pretrained | 0.200 ± 0.141 |")
    assert lines[3].startswith("| counts | 0.100 |")
    assert capsys.readouterr().out.startswith(lines[0])
