"""Means over seeds, intervals on the same molecules, curves over draws."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from molvec.data.split import Split
from molvec.evaluate.aggregate import CHOSEN, Context, efficiency_frame, results_frame
from molvec.evaluate.cells import CellKey
from molvec.evaluate.frozen import scored
from tests.evaluate.test_frozen import ROWS, labelled

GENERATOR = np.random.default_rng(0)
Y = np.stack([GENERATOR.random(ROWS) < 0.5, GENERATOR.random(ROWS) < 0.3], axis=1).astype(float)


def split(sha256="s", seed=None):
    order = np.random.default_rng(seed or 7).permutation(ROWS)
    parts = [np.sort(part) for part in np.split(order, [300, 400])]
    return Split("random", seed, *parts, sha256=sha256)


def cell(representation, head, seed=0, *, skill=1.0, parts=None, **changes):
    parts = parts or split()
    data = labelled(Y)
    noise = np.random.default_rng([seed, len(representation), len(head)])
    predicted = noise.normal(size=Y.shape) + skill * Y
    key = CellKey("toy", "d", "random", parts.sha256, "frozen", representation, "k", head, seed)
    return scored(
        replace(key, **changes),
        data,
        parts,
        valid=predicted[parts.valid],
        test=predicted[parts.test],
        choice={},
        seconds=1.0,
    )


def contexts(*parts):
    return {("toy", p.sha256): Context(labelled(Y), p) for p in parts or (split(),)}


def test_mean_and_spread_over_seeds_of_the_mean_over_targets():
    cells = [cell("pretrained", "forest", seed) for seed in range(3)]
    frame = results_frame(cells, contexts(), draws=10)
    row = frame[frame["metric"] == "roc_auc"].iloc[0]
    truth = Y[split().test]
    by_hand = [np.mean([roc_auc_score(truth[:, t], c.test[:, t]) for t in range(2)]) for c in cells]
    assert row["mean"] == pytest.approx(np.mean(by_hand))
    assert row["std"] == pytest.approx(np.std(by_hand, ddof=1))
    assert (row["num_seeds"], row["num_tasks"], row["num_tasks_defined"]) == (3, 2, 2)
    assert row["tasks"] == "y0;y1"
    assert (row["n_train"], row["n_valid"], row["n_test"]) == (300, 100, 200)


def test_interval_against_the_fingerprint():
    base = [cell("ECFP4 counts", "forest", seed, skill=0.5) for seed in range(3)]
    good = cell("pretrained", "linear", skill=2.0)
    bad = cell("random start", "linear", skill=0.0)
    frame = results_frame([*base, good, bad], contexts(), draws=200)
    rows = frame[frame["metric"] == "roc_auc"].set_index("representation")
    assert np.isnan(rows.loc["ECFP4 counts", "low"])
    assert 0 < rows.loc["pretrained", "low"] < rows.loc["pretrained", "high"]
    assert rows.loc["random start", "low"] < rows.loc["random start", "high"] < 0
    for name in ("pretrained", "random start"):
        expected = rows.loc[name, "mean"] - rows.loc["ECFP4 counts", "mean"]
        assert rows.loc[name, "difference"] == pytest.approx(expected)


def test_equal_predictions_differ_by_nothing():
    base = cell("ECFP4 counts", "forest")
    same = replace(base, key=replace(base.key, representation="pretrained", head="linear"))
    frame = results_frame([base, same], contexts(), draws=50)
    rows = frame[frame["representation"] == "pretrained"]
    assert (rows[["difference", "low", "high"]] == 0).all(axis=None)


def test_the_head_that_is_best_on_the_validation_part_has_a_row():
    base = cell("ECFP4 counts", "forest")
    # Better where it is chosen, worse where it is scored.
    lucky = replace(cell("pretrained", "linear", skill=0.2), valid_score=0.99)
    other = replace(cell("pretrained", "forest", skill=3.0), valid_score=0.80)
    frame = results_frame([base, lucky, other], contexts(), draws=50)
    frame = frame[frame["metric"] == "roc_auc"].set_index(["representation", "head"])
    assert list(frame.index) == [
        *(("ECFP4 counts", "forest"), ("pretrained", "linear"), ("pretrained", "forest")),
        ("pretrained", CHOSEN),  # not for a representation with one head
    ]
    values = ["mean", "difference", "low", "high", "valid"]
    chosen, linear = frame.loc["pretrained", CHOSEN], frame.loc["pretrained", "linear"]
    assert chosen[values].tolist() == linear[values].tolist()


def test_other_splits_are_not_compared():
    """Seeds with splits of their own have no molecules in common to resample."""
    parts = [split("a", 1), split("b", 2)]
    cells = [
        cell(name, "forest", seed, parts=p)
        for name in ("ECFP4 counts", "pretrained")
        for seed, p in enumerate(parts)
    ]
    frame = results_frame(cells, contexts(*parts), draws=10)
    assert frame["difference"].isna().all()
    assert set(frame["split_sha256"]) == {"a;b"}


def test_undefined_targets_are_named_by_their_absence():
    data = labelled(np.where(np.arange(ROWS)[:, None] % 2 == 0, Y, [[0.0, 1.0]]))
    constant = data.targets.copy()
    constant.iloc[split().test, 1] = 0.0
    data = replace(data, targets=constant)
    known = cell("pretrained", "forest")
    again = scored(
        known.key, data, split(), valid=Y[split().valid], test=known.test, choice={}, seconds=1
    )
    frame = results_frame([again], {("toy", "s"): Context(data, split())}, draws=10)
    assert frame["tasks"].tolist() == ["y0", "y0"]
    assert frame["num_tasks_defined"].tolist() == [1, 1]


def test_curves():
    cells = [
        cell("pretrained", "linear", draw, skill=2 * fraction, protocol="label-efficiency",
             fraction=fraction, draw=draw)
        for fraction in (0.1, 0.5)
        for draw in range(3)
    ]  # fmt: skip
    assert results_frame(cells, contexts()).empty
    curve = efficiency_frame(cells)
    assert curve["fraction"].tolist() == [0.1, 0.5]
    assert curve["num_draws"].tolist() == [3, 3]
    assert curve["num_labels"].tolist() == pytest.approx([60, 300], abs=3)
    assert curve["mean"].iloc[0] == pytest.approx(np.mean([c.mean("roc_auc") for c in cells[:3]]))
    assert curve["mean"].is_monotonic_increasing
    assert efficiency_frame([]).empty
