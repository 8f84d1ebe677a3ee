"""The arithmetic of a ladder of ablations, and that every committed ladder can be run."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ablation import RANDOM_START, Ladder, folder_of, measures, rows, table
from benchmarks.folds import DATASETS, REGRESSION
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.pretraining import build_model

LADDERS = sorted(Path("benchmarks/ablations").glob("*.yaml"))


def seed_scores(auc, rmse):
    scores = {name: [rmse] if name in REGRESSION else [auc, auc] for name in DATASETS}
    return {"all": scores, "few": scores, "atoms": {"one": 0.4, "two": 0.6}}


def test_differences_against_the_first_arm_with_a_pooled_spread():
    frame = table(
        measures(
            {
                "base": [seed_scores(0.70, 1.0), seed_scores(0.72, 1.0)],
                "better": [seed_scores(0.80, 0.5), seed_scores(0.84, 0.5)],
            }
        )
    )
    assert frame.loc[("base", "ROC-AUC x 100"), "mean"] == pytest.approx(71.0)
    better = frame.loc[("better", "ROC-AUC x 100")]
    assert better["difference"] == pytest.approx(11.0)
    # Variances over seeds 2 and 8, pooled 5; both arms are means of two.
    assert better["error"] == pytest.approx(np.sqrt(5))
    assert frame.loc[("better", "RMSE ratio x 100"), "mean"] == pytest.approx(50)
    assert frame.loc[("better", "RMSE ratio x 100"), "error"] == pytest.approx(0)
    assert tuple(frame.loc[("better", "atoms x 100")]) == pytest.approx((50, 0, 0))
    drawn = rows(frame)
    assert "| 71.0 (+0.0 ± 2.2) | 100.0 (+0.0 ± 0.0) |" in drawn[2]
    assert "| **82.0 (+11.0 ± 2.2)** | **50.0 (-50.0 ± 0.0)** |" in drawn[3]


def test_one_seed_has_no_spread():
    frame = table(measures({"base": [seed_scores(0.7, 1.0)], "other": [seed_scores(0.8, 1.0)]}))
    assert np.isnan(frame.loc[("other", "ROC-AUC x 100"), "error"])
    assert "| 80.0 (+10.0) | 100.0 (+0.0) |" in rows(frame)[3]


@pytest.mark.parametrize("path", LADDERS, ids=lambda path: path.stem)
def test_every_arm_of_a_committed_ladder_builds_another_model_or_run(path):
    ladder = Ladder.read(path)
    folders = {folder_of(ladder.settings(arm, 0), Path("runs")) for arm in ladder.arms}
    assert len(folders) == len(ladder.arms)
    for arm in ladder.arms:
        build_model(ladder.settings(arm, 0), MoleculeFeaturizer())


def test_a_reading_belongs_to_an_arm(tmp_path):
    path = tmp_path / "x.yaml"
    text = "question: why?\nrecipe: zinc\nseeds: [0]\narms: {base: {}, wide: {encoder.dim: 512}}\n"
    path.write_text(text + f"readings: {{wide: better, {RANDOM_START}: worse}}\n")
    ladder = Ladder.read(path)
    assert ladder.settings("wide", 3).encoder.dim == 512
    assert ladder.settings("wide", 3).seed == 3
    path.write_text(text + "readings: {narrow: worse}\n")
    with pytest.raises(SystemExit, match="narrow"):
        Ladder.read(path)
