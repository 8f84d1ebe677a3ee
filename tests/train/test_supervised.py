"""The supervised loop learns, stops when it should, and keeps the weights of the right epoch."""

import functools
import math

import numpy as np
import pytest
import torch

from molvec.errors import UserError
from molvec.evaluate.metrics import score
from molvec.nn.budget import by_size
from molvec.train import supervised
from molvec.train.optimizer import build_layered_optimizer
from molvec.train.schedule import warmup_cosine
from molvec.train.supervised import (
    Part,
    SupervisedSettings,
    fit,
    in_batches,
    predict,
    shuffled_batches,
    summed_loss,
)
from tests.labels import network, part

NAN = float("nan")
SETTINGS = {"epochs": 3, "batch_size": 8, "lr": 3e-3, "warmup": 0, "clip": 1.0, "patience": None}


def mean_score(name):
    return lambda truth, predicted: score(name, truth, predicted).mean


def scripted(values):
    """A metric that says what it is told to, epoch by epoch."""
    values = iter(values)
    return lambda truth, predicted: next(values)


def start(model, train, valid=None, *, metric=None, higher=True, report=None, seed=0, **settings):
    """Fit; the validation part is the training part by default."""
    features = in_batches(model, train.graphs, model.features)
    model.head.measure_features(features)
    model.head.measure_targets(train.targets)
    rate = settings.get("lr", SETTINGS["lr"])
    layers = [([model.encoder], 1.0), ([model.head], 1.0)]
    optimizer = build_layered_optimizer(layers, lr=rate, weight_decay=0.0, betas=(0.9, 0.999))
    name = "roc_auc" if model.head.task == "classification" else "rmse"
    return fit(
        model,
        optimizer,
        train,
        train if valid is None else valid,
        settings=SupervisedSettings(**(SETTINGS | settings)),
        score=metric or mean_score(name),
        higher_is_better=higher and name == "roc_auc",
        generator=torch.Generator().manual_seed(seed),
        report=report or (lambda line, epochs: None),
    )


@pytest.fixture
def twenty(smiles):
    labels = np.random.default_rng(0).integers(0, 2, 20)
    return part(smiles[:20], labels)


# --- it learns ----------------------------------------------------------------------------------


def test_classes_are_memorizable(twenty):
    """Labels without any rule: only a network that sees whole molecules can learn them."""
    model = network()
    fitted = start(model, twenty, epochs=40, lr=1e-2)
    assert fitted.history[0]["train_loss"] > 0.5
    assert fitted.history[-1]["train_loss"] < 0.02
    assert fitted.history[-1]["valid_score"] == 1.0
    sure = predict(model, twenty.graphs)
    assert np.abs(sure - twenty.targets.numpy()).max() < 0.1


def test_values_are_memorizable_in_their_unit(smiles):
    values = np.random.default_rng(1).normal(300.0, 25.0, (20, 2))
    values[3, 0] = values[7, 1] = NAN
    data = part(smiles[:20], values)
    model = network("regression", 2, hidden=32)
    fitted = start(model, data, epochs=60, lr=1e-2)
    assert fitted.history[0]["valid_score"] > 15
    assert fitted.history[-1]["valid_score"] < 2.5
    assert predict(model, data.graphs).mean() == pytest.approx(300, abs=10)


def test_values_are_memorizable_in_bf16(smiles):
    """The encoder alone: a head in bf16 would round values to three digits."""
    data = part(smiles[:20], np.random.default_rng(1).normal(300.0, 25.0, (20, 2)))
    model = network("regression", 2, hidden=32)
    kinds = []
    model.encoder.register_forward_hook(
        lambda module, args, out: kinds.append(out.hidden_states[0].dtype)
    )
    fitted = start(model, data, epochs=60, lr=1e-2, bf16=True)
    assert fitted.history[-1]["valid_score"] < 5
    assert set(kinds) == {torch.bfloat16, torch.float32}  # learning; validation
    assert all(tensor.dtype == torch.float32 for tensor in fitted.best.values())


def test_single_atoms_and_salts():
    data = part(["C", "[Na+]", "[Na+].[Cl-]", "O", "CC"], [0, 1, 1, 0, 1])
    fitted = start(network(), data, epochs=30, lr=1e-2)
    assert fitted.history[-1]["valid_score"] == 1.0


# --- one step -----------------------------------------------------------------------------------


def gradients(model, data):
    outputs = model(supervised._collate(data.graphs, list(range(len(data.graphs))), "cpu"))
    loss, count = summed_loss(model.head, outputs, data.targets)
    model.zero_grad()
    (loss / count).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_missing_labels_give_no_gradient(task, smiles):
    texts = smiles[:4]
    full = part(texts, [[0.0, NAN], [1.0, NAN], [NAN, NAN], [1.0, NAN]])
    model = network(task, 2).eval()
    found = gradients(model, full)
    assert found["head.out.weight"][0].abs().sum() > 0
    assert found["head.out.weight"][1].abs().sum() == 0
    assert all(gradient.isfinite().all() for gradient in found.values())
    # The same as if the molecule without labels were not there.
    kept = [0, 1, 3]
    fewer = gradients(model, Part([full.graphs[i] for i in kept], full.targets[kept]))
    for name, gradient in found.items():
        assert torch.allclose(gradient, fewer[name], atol=1e-6), name


def test_the_loss_by_hand():
    model = network("classification", 2)
    outputs = torch.tensor([[0.3, -2.0], [1.0, 0.5]])
    loss, count = summed_loss(model.head, outputs, torch.tensor([[1.0, NAN], [NAN, 0.0]]))
    assert count == 2
    assert loss.item() == pytest.approx(math.log1p(math.exp(-0.3)) + math.log1p(math.exp(0.5)))
    model = network("regression", 2)
    model.head.measure_targets(torch.tensor([[10.0, 0.0], [14.0, 2.0]]))
    loss, count = summed_loss(model.head, outputs, torch.tensor([[14.0, NAN], [NAN, 2.0]]))
    assert loss.item() == pytest.approx((0.3 - 1) ** 2 + (0.5 - 1) ** 2)


def test_large_graphs_in_parts_give_the_same_step(twenty, monkeypatch):
    steps = []
    for pairs in (10**9, 300):
        monkeypatch.setattr(supervised, "by_size", functools.partial(by_size, pairs=pairs))
        model = network()
        optimizer = torch.optim.SGD([{"params": list(model.parameters()), "rate": 1.0}], lr=1.0)
        # SGD: Adam would turn rounding into steps where the gradient is zero.
        settings = SupervisedSettings(**(SETTINGS | {"clip": 1e9}))
        sizes = [g.num_nodes for g in twenty.graphs]
        generator = torch.Generator()
        supervised._step(model, optimizer, twenty, list(range(20)), sizes, settings, generator)
        steps.append(model.state_dict())
    assert len(list(by_size([g.num_nodes for g in twenty.graphs], 300))) > 5
    for name, tensor in steps[0].items():
        assert torch.allclose(tensor, steps[1][name], atol=1e-5), name
    assert not torch.allclose(steps[0]["head.out.weight"], network().head.out.weight, atol=1e-3)


def test_the_schedule_and_the_rates_of_the_groups(twenty):
    seen = []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([group["lr"] for group in self.param_groups])

    model = network()
    groups = [
        {"params": list(model.encoder.parameters()), "rate": 0.25},
        {"params": list(model.head.parameters()), "rate": 2.0},
    ]
    settings = SupervisedSettings(**(SETTINGS | {"lr": 0.1, "warmup": 2, "batch_size": 10}))
    fit(
        model,
        Spy(groups, lr=1.0),
        twenty,
        twenty,
        settings=settings,
        score=mean_score("roc_auc"),
        higher_is_better=True,
        generator=torch.Generator().manual_seed(0),
    )
    factors = [warmup_cosine(step, steps=6, warmup=2) for step in range(6)]
    assert factors[:3] == [0.5, 1.0, 1.0]
    for (low, high), factor in zip(seen, factors, strict=True):
        assert (low, high) == pytest.approx((0.1 * 0.25 * factor, 0.1 * 2.0 * factor))


def test_the_gradient_is_clipped(twenty, monkeypatch):
    norms = []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))

    model = network()
    fit(
        model,
        Spy([{"params": list(model.parameters()), "rate": 1.0}], lr=1.0),
        twenty,
        twenty,
        settings=SupervisedSettings(**(SETTINGS | {"clip": 1e-3})),
        score=mean_score("roc_auc"),
        higher_is_better=True,
        generator=torch.Generator().manual_seed(0),
    )
    assert len(norms) == 9
    assert norms == pytest.approx([1e-3] * 9, rel=1e-2)


def test_batches_hold_every_graph_once_and_are_mixed():
    sizes = np.random.default_rng(0).integers(1, 60, 200).tolist()
    generator = torch.Generator().manual_seed(0)
    first, second = (list(shuffled_batches(sizes, 16, generator)) for _ in range(2))
    for batches in (first, second):
        assert sorted(i for batch in batches for i in batch) == list(range(200))
        assert max(map(len, batches)) == 16
    assert len(first) == math.ceil(200 / 16)
    assert {frozenset(b) for b in first}.isdisjoint(frozenset(b) for b in second)
    spread = np.mean([np.ptp([sizes[i] for i in batch]) for batch in first])
    assert spread < 0.5 * np.ptp(sizes)
    again = list(shuffled_batches(sizes, 16, torch.Generator().manual_seed(0)))
    assert again == first


# --- which epoch --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "higher", "best"),
    [
        ([0.5, 0.9, 0.7, 0.9, 0.8], True, 2),  # of equals the first
        ([0.5, 0.6, 0.7, 0.8, 0.9], True, 5),
        ([0.5, 0.4, 0.3, 0.2, 0.1], True, 1),
    ],
)
def test_best_and_last(values, higher, best, twenty):
    model = network(dropout=0.1)
    after = []
    fitted = start(
        model,
        twenty,
        metric=scripted(values),
        epochs=5,
        report=lambda line, epochs: after.append((epochs, predict(model, twenty.graphs))),
    )
    assert (fitted.best_epoch, fitted.selected_by) == (best, "score")
    assert [line["epoch"] for line in fitted.history] == [1, 2, 3, 4, 5]
    assert [line["valid_score"] for line in fitted.history] == values
    assert [epochs for epochs, _ in after] == [5] * 5
    for weights, epoch in ((fitted.best, best), (fitted.last, 5)):
        model.load_state_dict(weights)
        assert np.array_equal(predict(model, twenty.graphs), after[epoch - 1][1])
    assert not np.array_equal(after[0][1], after[1][1])


def test_lower_is_better(twenty):
    model = network("regression")
    fitted = start(model, twenty, metric=scripted([3.0, 1.0, 2.0]))
    assert fitted.best_epoch == 2


@pytest.mark.parametrize(
    ("patience", "epochs", "best"), [(1, 2, 1), (2, 5, 3), (3, 9, 6), (None, 10, 6)]
)
def test_patience(patience, epochs, best, twenty):
    values = [0.5, 0.4, 0.6, 0.5, 0.6, 0.7, 0.1, 0.2, 0.3, 0.2]
    fitted = start(
        network(), twenty, metric=scripted(values), epochs=10, patience=patience, batch_size=20
    )
    assert (len(fitted.history), fitted.best_epoch) == (epochs, best)


def test_one_class_in_the_validation_part_falls_back_on_its_loss(twenty, smiles):
    valid = part(smiles[20:26], [1.0] * 6)
    fitted = start(network(), twenty, valid, epochs=6)
    assert fitted.selected_by == "loss"
    assert all(math.isnan(line["valid_score"]) for line in fitted.history)
    losses = [line["valid_loss"] for line in fitted.history]
    assert fitted.best_epoch == 1 + int(np.argmin(losses))


def test_a_loss_that_is_not_finite(twenty):
    with pytest.raises(UserError, match=r"not finite in epoch \d; lower the learning rate, lr"):
        start(network("regression"), twenty, lr=1e30, clip=1e30)


# --- the same again -----------------------------------------------------------------------------


def test_same_seeds_same_numbers(twenty):
    def once(seed, dropout_seed):
        model = network(dropout=0.3)
        torch.manual_seed(dropout_seed)
        start(model, twenty, seed=seed)
        return predict(model, twenty.graphs)

    first = once(1, 1)
    assert np.array_equal(once(1, 1), first)
    assert not np.array_equal(once(2, 1), first)
    assert not np.array_equal(once(1, 2), first)


def test_predictions_do_not_depend_on_the_batch(twenty):
    model = network(num_targets=2)
    together = predict(model, twenty.graphs)
    assert together.shape == (20, 2)
    alone = np.concatenate([predict(model, [graph]) for graph in twenty.graphs])
    assert np.abs(together - alone).max() < 1e-6
    backwards = predict(model, list(reversed(twenty.graphs)))[::-1]
    assert np.abs(together - backwards).max() < 1e-6
