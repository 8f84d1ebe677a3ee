"""The head: standardised features in, logits or values out; its scales are saved."""

import pytest
import torch

from molvec.nn.head import GraphHead


def head(task="regression", **arguments):
    torch.manual_seed(0)
    return GraphHead(**{"width": 3, "num_targets": 2, "task": task} | arguments).eval()


def test_features_are_standardised_and_constant_columns_left_alone():
    features = torch.tensor([[1.0, 5000.0, 7.0], [3.0, 9000.0, 7.0]])
    module = head()
    module.measure_features(features)
    assert module.mean.tolist() == [2.0, 7000.0, 7.0]
    assert module.std.tolist() == [1.0, 2000.0, 1.0]
    z = torch.tensor([[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]])
    assert torch.allclose(module(features), module.out(z))


def test_rounding_is_no_spread():
    """A large constant column varies in its last digit, which must not be blown up."""
    features = torch.full((4, 3), 1000.0)
    features[0] += 6e-5
    module = head()
    module.measure_features(features)
    assert module.std.tolist() == [1.0, 1.0, 1.0]


def test_regression_in_the_unit_of_the_targets():
    nan = float("nan")
    targets = torch.tensor([[10.0, nan], [30.0, nan], [nan, nan], [20.0, nan]])
    module = head()
    module.measure_targets(targets)
    assert module.target_mean.tolist() == [20.0, 0.0]
    assert module.target_std[0].item() == pytest.approx((200 / 3) ** 0.5)
    assert module.target_std[1].item() == 1.0
    values = torch.tensor([[10.0, 1.0], [25.0, -1.0]])
    assert torch.allclose(module.to_values(module.standardise(values)), values)


def test_a_constant_target_has_a_std_of_one():
    module = head()
    module.measure_targets(torch.tensor([[3.3, 0.0], [3.3, 0.0], [3.3, 0.0]]))
    assert module.target_std.tolist() == [1.0, 1.0]
    assert module.target_mean.tolist() == pytest.approx([3.3, 0.0])


def test_a_small_part_of_a_large_energy_is_no_constant():
    """Total energies: -17,640 eV, and what tells frames apart is 0.17 of it."""
    module = head()
    energy = -17640 + 0.17 * torch.randn(2000, 1, generator=torch.Generator().manual_seed(0))
    module.measure_targets(energy.repeat(1, 2))
    assert module.target_std.tolist() == pytest.approx([0.17, 0.17], rel=0.05)


def test_classification_gives_probabilities_and_keeps_its_targets():
    module = head("classification")
    module.measure_targets(torch.tensor([[0.0, 1.0], [1.0, 1.0]]))
    assert module.standardise(torch.tensor([[0.0, 1.0]])).tolist() == [[0.0, 1.0]]
    assert module.to_values(torch.tensor([0.0, 50.0, -50.0])).tolist() == pytest.approx([0.5, 1, 0])


@pytest.mark.parametrize("hidden", [None, 5])
def test_the_scales_are_saved(hidden):
    module = head(hidden=hidden)
    module.measure_features(torch.randn(9, 3) * 40 + 7)
    module.measure_targets(torch.randn(9, 2) * 3 - 1)
    other = head(hidden=hidden)
    other.load_state_dict(module.state_dict())
    features = torch.randn(4, 3)
    assert torch.equal(other.to_values(other(features)), module.to_values(module(features)))
    names = {"mean", "std", "target_mean", "target_std", "out.weight", "out.bias"}
    more = {"hidden.weight", "hidden.bias"} if hidden else set()
    assert set(module.state_dict()) == names | more


def test_dropout_acts_in_training_alone():
    module = head(hidden=64, dropout=0.5)
    features = torch.randn(4, 3)
    assert torch.equal(module(features), module(features))
    module.train()
    assert not torch.equal(module(features), module(features))


def test_unknown_task():
    with pytest.raises(ValueError, match="unknown task 'ranking'; known: classification"):
        head("ranking")
