"""Types of entities: who is asked, and that a probe reads what is there."""

import numpy as np

from molvec.evaluate import entity_types
from molvec.evaluate.entity_types import MIN_ENTITIES, score_types, type_task


def types_of(count, seed=0):
    rng = np.random.default_rng(seed)
    held = [[name for name in ("human", "city") if rng.random() < 0.5] for _ in range(count)]
    held[0] = ["rare", "human", "human"]
    held[1] = []
    return held


def test_folds_hold_each_entity_with_types_once():
    types = types_of(400)
    task = type_task(types, seed=3)
    assert task.types == ("city", "human")
    rows = np.concatenate(task.folds)
    told = [i for i, held in enumerate(types) if held]
    assert sorted(rows.tolist()) == told
    assert task.size == len(told)
    assert {len(fold) for fold in task.folds} <= {len(told) // 5, len(told) // 5 + 1}
    assert task.labels[0].tolist() == [0, 1]
    assert rows.tolist() == np.concatenate(type_task(types, seed=3).folds).tolist()
    assert rows.tolist() != np.concatenate(type_task(types, seed=4).folds).tolist()


def test_too_few_to_ask():
    assert type_task([["a"]] * (MIN_ENTITIES - 1) + [["b"]] * 500) is None
    assert type_task([["a"]] * MIN_ENTITIES + [["b"]] * 500) is not None


def test_a_probe_reads_what_is_there():
    types = types_of(600)
    task = type_task(types)
    noise = np.random.default_rng(1).normal(size=(600, 6)).astype(np.float32)
    told = noise.copy()
    told[:, :2] += 2 * task.labels
    assert score_types(told, task)["test"]["roc_auc"] > 0.85
    blind = score_types(noise, task)["test"]
    assert 0.3 < blind["roc_auc"] < 0.7
    assert blind["pr_auc"] < score_types(told, task)["test"]["pr_auc"] - 0.1


def test_no_fold_is_scored_by_what_taught_or_chose(monkeypatch):
    """Labels that are noise: whoever saw them would know them."""
    rng = np.random.default_rng(0)
    types = [[name for name in ("a", "b") if rng.random() < 0.5] for _ in range(300)]
    task = type_task(types)
    assert 0.4 < score_types(np.eye(300, dtype=np.float32), task)["test"]["roc_auc"] < 0.6
    seen = []
    fit = entity_types.fit_head

    def watched(*arguments, **options):
        seen.append((arguments[2], arguments[4]))
        return fit(*arguments, **options)

    monkeypatch.setattr(entity_types, "fit_head", watched)
    score_types(np.arange(300, dtype=np.float32)[:, None], task)
    for turn, (train, valid) in enumerate(seen):
        rows = np.concatenate([train, valid])[:, 0].astype(int).tolist()
        assert sorted(rows + task.folds[turn].tolist()) == sorted(np.concatenate(task.folds))
    assert len(seen) == 5


def test_the_validation_fold_chooses_between_the_whole_and_its_end():
    types = types_of(400)
    task = type_task(types)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(400, 200)).astype(np.float32)
    told = (rng.normal(size=(400, 2)) + task.labels).astype(np.float32)
    drowned, alone = np.hstack([noise, told]), np.hstack([told, noise])
    whole, end = score_types(drowned, task), score_types(told, task)
    assert end["test"]["pr_auc"] > whole["test"]["pr_auc"] + 0.03
    assert score_types(drowned, task, output=2) == end
    assert score_types(alone, task, output=200) == score_types(alone, task)
    assert score_types(told, task, output=2) == end
