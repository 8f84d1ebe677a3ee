import math

import pytest
import torch

from molvec.objective.collapse import CollapsedError, CollapseGuard, channel_std, effective_rank


def test_effective_rank_of_known_matrices():
    assert effective_rank(torch.ones(10, 5)) == 1.0
    line = torch.arange(10.0)[:, None] * torch.randn(1, 5)
    assert effective_rank(line) == pytest.approx(1.0, abs=1e-2)
    corners = torch.cat([torch.eye(4), -torch.eye(4)])
    assert effective_rank(corners) == pytest.approx(4.0, rel=1e-5)
    unequal = torch.cat([torch.diag(torch.tensor([3.0, 1.0])), -torch.diag(torch.tensor([3.0, 1]))])
    p = torch.tensor([0.75, 0.25])
    assert effective_rank(unequal) == pytest.approx(math.exp(-(p * p.log()).sum()), rel=1e-5)


def test_channel_std_is_the_mean_over_channels():
    values = torch.tensor([[0.0, 0.0], [2.0, 6.0]])
    assert channel_std(values) == pytest.approx(2.0)


def check(guard, **changes):
    guard.check(
        **{"step": 7, "loss": 0.5, "target_std": 1.0, "rank": 10.0, "graphs": 64, **changes}
    )


def test_healthy_runs_pass():
    guard = CollapseGuard(patience=1)
    for _ in range(10):
        check(guard)


@pytest.mark.parametrize("sign", [{"target_std": 0.01}, {"rank": 1.1}])
def test_collapse_stops_the_run_after_patience_and_says_what_to_try(sign):
    guard = CollapseGuard(patience=3)
    check(guard, **sign)
    check(guard, **sign)
    with pytest.raises(CollapsedError, match=r"collapsed by step 7 .* try a lower learning rate"):
        check(guard, **sign)


def test_a_recovery_resets_patience():
    guard = CollapseGuard(patience=2)
    check(guard, rank=1.0)
    check(guard)
    check(guard, rank=1.0)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_at_once(loss):
    with pytest.raises(
        CollapsedError, match=r"the loss is (nan|inf) at step 7; lower the learning"
    ):
        check(CollapseGuard(patience=99), loss=loss)


def test_the_rank_of_a_few_graphs_says_nothing():
    assert effective_rank(torch.randn(2, 16)) == pytest.approx(1.0, abs=1e-3)
    guard = CollapseGuard(patience=1)
    check(guard, rank=1.0, graphs=2)
    with pytest.raises(CollapsedError, match="collapsed by step 7"):
        check(guard, target_std=0.01, rank=1.0, graphs=2)
