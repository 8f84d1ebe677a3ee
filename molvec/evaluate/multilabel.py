"""F1 of several labels a row, when the number of labels of each row is told.

A row with ``k`` labels is given the ``k`` labels that score best. This is how DeepWalk (Perozzi et
al. 2014, arXiv 1403.6652) and node2vec are scored; no threshold has to be chosen, and a class of
several that exclude each other is the case ``k = 1``, where micro-F1 is the accuracy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from molvec.evaluate.metrics import Floats


def top_labels(scores: Floats, counts: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Choose the ``counts[i]`` best labels of row ``i``; of equal scores the first label.

    Shapes:
        - scores: ``[num_rows, num_labels]``; counts: ``[num_rows]``; output: bool, as ``scores``.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(scores.shape[1])[None, :], axis=1)
    return place < np.asarray(counts)[:, None]


def micro_macro_f1(truth: Floats, scores: Floats) -> tuple[float, float]:
    r"""Return micro-F1 and macro-F1 of the best labels.

    .. math:: F_1 = \frac{2\,TP}{2\,TP + FP + FN}

    Micro: of all decisions together. Macro: of each label, then the mean over the labels that some
    row has or is given.

    Args:
        truth: 0 or 1, ``[num_rows, num_labels]``.
        scores: any numbers that grow with the probability of a label; comparable between labels.
    """
    has = truth == 1
    given = top_labels(scores, has.sum(axis=1))
    right, wrong = (has & given).sum(axis=0), (has ^ given).sum(axis=0)
    there = right + wrong > 0
    each = 2 * right[there] / (2 * right[there] + wrong[there])
    return float(2 * right.sum() / (2 * right.sum() + wrong.sum())), float(each.mean())
