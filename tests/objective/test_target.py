import torch

from molvec.objective.target import make_targets, standardize


def test_standardised_channels_have_mean_zero_and_variance_one():
    values = torch.randn(50, 4) * torch.tensor([0.1, 1, 10, 100]) + 5
    result = standardize(values)
    assert torch.allclose(result.mean(0), torch.zeros(4), atol=1e-4)
    assert torch.allclose(result.var(0, unbiased=False), torch.ones(4), atol=1e-2)


def test_a_constant_channel_becomes_zero_not_nan():
    values = torch.stack([torch.randn(10), torch.full((10,), 3.0)], 1)
    assert torch.equal(standardize(values)[:, 1], torch.zeros(10))


def test_only_the_top_blocks_count():
    states = [torch.randn(20, 3) for _ in range(4)]
    expected = make_targets(states, 2)
    changed = [torch.randn(20, 3), torch.randn(20, 3), *states[2:]]
    assert torch.equal(make_targets(changed, 2), expected)
    assert not torch.allclose(make_targets(states, 3), expected)


def test_every_block_weighs_the_same_whatever_its_scale():
    small, large = torch.randn(20, 3), torch.randn(20, 3)
    expected = make_targets([small, large], 2)
    assert torch.allclose(make_targets([small * 1000, large], 2), expected, atol=1e-3)


def test_targets_are_float32_under_bfloat16():
    targets = make_targets([torch.randn(20, 3).bfloat16()], 1)
    assert targets.dtype == torch.float32
