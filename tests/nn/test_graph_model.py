"""Frozen parts of a network run without dropout, whatever mode it is in."""

import torch

from tests.graphs import batch_of
from tests.labels import network


def test_shapes():
    model = network(num_targets=3)
    batch = batch_of("CCO", "C", "c1ccccc1")
    assert model.features(batch).shape == (3, 32)
    assert model(batch).shape == (3, 3)


def test_frozen_parts_stay_in_evaluation_mode():
    model = network(dropout=0.5, depth=2)
    batch = batch_of("CCO", "c1ccccc1O")
    model.encoder.requires_grad_(False)
    model.train()
    assert model.head.training
    assert not any(module.training for module in model.encoder.modules())
    assert torch.equal(model.features(batch), model.features(batch))
    assert not torch.equal(model(batch), model(batch))
    model.encoder.requires_grad_(True)
    model.encoder.blocks[0].requires_grad_(False)
    model.train()
    assert [block.training for block in model.encoder.blocks] == [False, True]
    assert [block.dropout.training for block in model.encoder.blocks] == [False, True]
    assert not torch.equal(model.features(batch), model.features(batch))
    model.eval()
    assert not any(module.training for module in model.modules())
