"""F1 with the number of labels told, and heads whose strength it chooses."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from molvec.evaluate.multilabel import micro_macro_f1, top_labels
from molvec.evaluate.multilabel_head import fit_multilabel, mean_f1, mean_precision


def test_top_labels():
    scores = np.array([[0.1, 0.9, 0.5], [0.3, 0.3, 0.3], [0.2, 0.1, 0.0]])
    given = top_labels(scores, np.array([2, 1, 0]))
    assert given.astype(int).tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]


def test_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = (rng.random((60, 5)) < 0.3).astype(float)
    scores = rng.random((60, 5)) + 0.5 * truth
    given = top_labels(scores, truth.sum(axis=1).astype(int))
    expected = [f1_score(truth, given, average=kind) for kind in ("micro", "macro")]
    assert micro_macro_f1(truth, scores) == pytest.approx(expected)


def test_macro_leaves_out_labels_that_nobody_has():
    truth = np.array([[1.0, 0, 0], [0, 1, 0]])
    assert micro_macro_f1(truth, truth) == (1.0, 1.0)


def problem(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 10))
    weights = np.random.default_rng(9).normal(size=(10, 4))
    y = (x @ weights + rng.normal(size=(rows, 4)) > 1).astype(float)
    return x, y


def test_each_score_has_the_strength_that_is_best_for_it():
    x, y = problem()
    train, valid, test = slice(0, 150), slice(150, 220), slice(220, 300)
    heads = fit_multilabel(x[train], y[train], x[valid], y[valid])
    assert set(heads) == {"f1", "pr_auc"}
    for strength in (0.01, 1.0, 1e5):
        one = fit_multilabel(x[train], y[train], x[valid], y[valid], strengths=[strength])
        for name, merit in (("f1", mean_f1), ("pr_auc", mean_precision)):
            best, other = heads[name].predict(x[valid]), one[name].predict(x[valid])
            assert merit(y[valid], best) >= merit(y[valid], other)
    assert mean_f1(y[test], heads["f1"].predict(x[test])) > 0.6
    predicted = heads["pr_auc"].predict(x[test])
    expected = average_precision_score(y[test], predicted, average="macro")
    assert mean_precision(y[test], predicted) == pytest.approx(expected)


def test_a_label_of_one_class_is_predicted_as_it():
    x, y = problem()
    y[:150, 2] = 0
    head = fit_multilabel(x[:150], y[:150], x[150:], y[150:])["f1"]
    assert (head.predict(x[150:])[:, 2] == 0).all()
    assert head.choice["constant_labels"] == 1
