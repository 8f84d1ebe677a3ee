import torch

from molvec.objective.target import make_targets, standardize, whiten


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


def correlated():
    """500 rows of 6 channels, of which two say nearly the same and one is constant."""
    torch.manual_seed(0)
    x = torch.randn(500, 6) * torch.tensor([1.0, 1, 2, 1, 0.5, 1]) + 3
    x[:, 1] = x[:, 0] + 0.6 * torch.randn(500)
    x[:, 5] = 2.0
    return x


def test_whitened_channels_are_orthogonal():
    result = whiten(correlated())
    covariance = result.T @ result / len(result)
    assert torch.allclose(result.mean(0), torch.zeros(6), atol=1e-4)
    expected = torch.diag(torch.tensor([1.0, 1, 1, 1, 1, 0]))
    assert torch.allclose(covariance, expected, atol=0.1)
    assert covariance[0, 1] < 0.05 < 0.8 < torch.corrcoef(correlated()[:, :2].T)[0, 1]


def test_whitening_follows_a_rotation_and_is_the_least_change():
    x = correlated()[:, :5]
    turn = torch.linalg.qr(torch.randn(5, 5))[0]
    assert torch.allclose(whiten(x @ turn), whiten(x) @ turn, atol=1e-3)
    already = whiten(x)
    assert (whiten(already) - already).square().mean() < 0.005


def test_fewer_rows_than_channels_can_be_whitened():
    result = whiten(torch.randn(3, 8))
    assert bool(torch.isfinite(result).all())
    assert torch.linalg.matrix_rank(result, atol=1e-2) == 2


def test_whitened_targets_of_low_rank_have_a_higher_one():
    torch.manual_seed(0)
    low = torch.randn(400, 2) @ torch.randn(2, 10) + 0.3 * torch.randn(400, 10)
    plain, white = (make_targets([low], 1, kind) for kind in (standardize, whiten))
    spread = [torch.linalg.svdvals(values) for values in (plain, white)]
    assert spread[0][0] / spread[0][-1] > 5
    assert spread[1][0] / spread[1][-1] < 1.5


def test_shrinkage_is_the_share_of_the_mean_variance_added_to_every_direction():
    x = standardize(correlated())
    variances = torch.linalg.eigvalsh(x.T @ x / len(x))
    left = torch.linalg.eigvalsh((y := whiten(x, shrinkage=0.5)).T @ y / len(y))
    assert torch.allclose(left, variances / (variances + 0.5 * variances.mean()), atol=1e-3)
