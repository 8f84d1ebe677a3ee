"""Cross-validation without the test parts of the suite: what recipes are chosen on.

The molecules of the training and validation parts of ``scaffold_hu`` are cut into five folds by
Bemis-Murcko scaffold. Each fold is scored once, with a linear head fitted on three of the others
whose strength the fourth chose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles
from sklearn.model_selection import GroupKFold

from molvec.data.labelled import Labelled
from molvec.data.split import make_split
from molvec.evaluate.heads import fit_head
from molvec.evaluate.metrics import TASK_METRICS, score
from molvec.evaluate.subset import stratified_draw

CLASSIFICATION = ("bbbp", "bace", "clintox", "sider")
REGRESSION = ("esol", "freesolv", "lipophilicity")
DATASETS = CLASSIFICATION + REGRESSION
FOLDS = 5
TREES = 100  # of a forest

Fold = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def folds(data: Labelled) -> list[Fold]:
    """Rows to fit, to choose with and to score, by fold; the test part is in none of them."""
    split = make_split(data, "scaffold_hu", seed=0)
    rows = np.sort(np.concatenate([split.train, split.valid]))
    smiles = [data.smiles[row] for row in rows]
    groups = [MurckoScaffoldSmiles(text) or text for text in smiles]  # without a ring: one each
    folder = GroupKFold(FOLDS, shuffle=True, random_state=0)
    scored = [rows[held_out] for _, held_out in folder.split(rows, groups=groups)]
    return [
        (
            np.concatenate([scored[(k + j) % FOLDS] for j in range(2, FOLDS)]),
            scored[(k + 1) % FOLDS],
            scored[k],
        )
        for k in range(FOLDS)
    ]


def cross_validated(
    data: Labelled,
    parts: list[Fold],
    x: NDArray[np.float32],
    *,
    head: str = "linear",
    share: float = 1.0,
    scale: bool = True,
) -> list[float]:
    """Score a head on each fold: mean ROC-AUC over the targets, or RMSE.

    ``share`` of the rows to fit is drawn anew for every fold; the rows to choose with stay.
    """
    y = data.targets.to_numpy(dtype=np.float64)
    metric = TASK_METRICS[data.task][0]
    scores = []
    for k, (rows, choose, held_out) in enumerate(parts):
        fit = rows[stratified_draw(data.targets.iloc[rows], data.task, share, seed=k)]
        fitted = fit_head(
            *(head, data.task, x[fit], y[fit], x[choose], y[choose]),
            **{"scale": scale, "seed": 0, "trees": TREES},
        )
        scores.append(score(metric, y[held_out], fitted.predict(x[held_out])).mean)
    return scores
