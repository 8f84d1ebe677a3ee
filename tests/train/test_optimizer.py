"""Weight decay pulls matrices only; what takes no gradient is not touched."""

import pytest
import torch
from torch import nn

from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.pretraining import build_model
from molvec.train.optimizer import build_layered_optimizer, build_optimizer, layer_rates


def test_groups(make_settings):
    settings = make_settings({"encoder.local": True, "objective.graph_weight": 0.5})
    model = build_model(settings, MoleculeFeaturizer())
    optimizer = build_optimizer(model, lr=1e-3, weight_decay=0.1, betas=(0.9, 0.98))
    decayed, kept = optimizer.param_groups
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.1, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    of_decayed = {names[id(p)] for p in decayed["params"]}
    of_kept = {names[id(p)] for p in kept["params"]}
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert of_decayed | of_kept == trained
    assert not of_decayed & of_kept
    assert not any(name.startswith("teacher") for name in of_decayed | of_kept)
    assert all(name.endswith(".weight") for name in of_decayed)
    assert not any("norm" in name or ".tables." in name for name in of_decayed)
    assert "student.encoder.blocks.0.qkv.weight" in of_decayed
    assert "student.encoder.nodes.tables.0.weight" in of_kept
    assert "student.predictor.mask_token" in of_kept


def test_decay_acts_on_matrices_alone():
    module = nn.Sequential(nn.Embedding(3, 4), nn.Linear(4, 4), nn.LayerNorm(4))
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimizer = build_optimizer(module, lr=0.1, weight_decay=0.5, betas=(0.9, 0.98))
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in module.named_parameters():
        factor = 0.95 if name == "1.weight" else 1.0
        assert torch.allclose(parameter, before[name] * factor), name


def test_layer_rates():
    assert layer_rates(4, 0.5) == [0.125, 0.25, 0.5, 1.0]
    assert layer_rates(3, 1.0) == [1.0, 1.0, 1.0]


def test_layers_learn_at_their_own_rates():
    lower, upper, frozen = nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2).requires_grad_(False)
    optimizer = build_layered_optimizer(
        [([lower], 0.25), ([upper, frozen], 1.0)], lr=0.1, weight_decay=0.5, betas=(0.9, 0.99)
    )
    groups = optimizer.param_groups
    assert [len(group["params"]) for group in groups] == [1, 1, 2]
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0, 0.0]
    assert [group["rate"] for group in groups] == [0.25, 0.25, 1.0]
    assert [group["lr"] for group in groups] == [0.025, 0.025, 0.1]
    before = [p.detach().clone() for p in (lower.bias, upper.bias)]
    for parameter in (*lower.parameters(), *upper.parameters()):
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    after = [p.detach() for p in (lower.bias, upper.bias)]
    moved = [float((old - new).mean()) for old, new in zip(before, after, strict=True)]
    assert moved == [pytest.approx(0.025), pytest.approx(0.1)]  # Adam's first step is its rate
