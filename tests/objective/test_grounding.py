"""Losses of the grounding term."""

import pytest
import torch
from torch.nn import functional as F

from molvec.objective.grounding import RunningScale, ValuesLoss


def test_running_scale_is_that_of_all_rows_in_training_so_far():
    torch.manual_seed(0)
    values = torch.randn(60, 3) * torch.tensor([1.0, 200.0, 0.1]) + torch.tensor([0.0, 1e4, -3.0])
    values[7, 0] = values[40, 0] = values[41, 2] = torch.nan
    values[:25, 1] = torch.nan  # unknown in whole batches, too
    scale = RunningScale(3)
    for rows in values.split([10, 15, 1, 34]):  # one row has no variance of its own
        scaled = scale(rows)
    for column in range(3):
        known = values[:, column][~values[:, column].isnan()].double()
        assert int(scale.count[column]) == len(known)
        assert float(scale.mean[column]) == pytest.approx(float(known.mean()), rel=1e-5)
        variance = float(known.var(correction=0))
        assert float(scale.variance[column]) == pytest.approx(variance, rel=1e-4)
    assert torch.equal(scaled.isnan(), values[26:].isnan())

    scale.eval()
    before = {name: buffer.clone() for name, buffer in scale.state_dict().items()}
    again = scale(values[26:])
    assert torch.equal(again.nan_to_num(), scaled.nan_to_num())
    assert all(torch.equal(before[name], now) for name, now in scale.state_dict().items())


def test_the_same_value_is_the_same_target_in_every_batch_by_the_running_scale():
    """By the batch's, it depends on its company: what a predictor cannot know."""
    torch.manual_seed(0)
    corpus = torch.randn(4000, 1) * 5 + 100
    losses = {}
    for scale in ("batch", "running"):
        loss = ValuesLoss(1, scale=scale)
        standard = (corpus - corpus.mean()) / corpus.std()
        each = [float(loss(standard[i : i + 32], corpus[i : i + 32])) for i in range(0, 4000, 32)]
        losses[scale] = sum(each[100:]) / len(each[100:])
    assert losses["batch"] > 0.01
    assert losses["running"] < 5e-4


def test_columns_weigh_as_asked_and_nan_is_no_target():
    torch.manual_seed(0)
    values, predicted = torch.randn(50, 2), torch.randn(50, 2)
    values[3, 1] = torch.nan
    known = ~values.isnan()
    filled = torch.where(known, values, values.nanmean(0))
    scaled = (filled - filled.mean(0)) / filled.std(0, correction=0)
    each = F.smooth_l1_loss(predicted, scaled, reduction="none")
    weighted = 0.5 * each[:, 0].sum() + 1.5 * each[known[:, 1], 1].sum()
    found = float(ValuesLoss(2, weights=[1.0, 3.0])(predicted, values))
    assert found == pytest.approx(float(weighted) / 99, rel=1e-4)
    plain = float(ValuesLoss(2)(predicted, values))
    assert plain == pytest.approx(float(each[known].mean()), rel=1e-4)


def test_what_makes_no_loss_is_refused():
    with pytest.raises(ValueError, match="unknown grounding scale 'corpus'; known: batch, running"):
        ValuesLoss(2, scale="corpus")
    with pytest.raises(ValueError, match="2 columns, but 3 weights"):
        ValuesLoss(2, weights=[1.0, 2.0, 3.0])
