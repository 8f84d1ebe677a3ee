"""Fine-tuning as a whole: what is trained, what is kept apart, what comes out."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

import molvec
from molvec import finetuning
from molvec.corpus import labelled_graphs
from molvec.errors import UserError
from molvec.evaluate.heads import fit_head
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.finetuning import finetune
from molvec.train.supervised import predict
from tests.labels import labelled, network, quick, split_of, two_targets


@pytest.fixture(scope="module")
def data(smiles):
    return two_targets(smiles)


@pytest.fixture(scope="module")
def split():
    return split_of(30, valid=8, test=6)


# --- what is trained ----------------------------------------------------------------------------


def trained_layers(model, before):
    """Which layers moved, lowest first, then the head: as 0s and 1s."""
    layers = [*model.encoder.layers(), [model.head]]
    old = [*before.encoder.layers(), [before.head]]
    moved = []
    for new_layer, old_layer in zip(layers, old, strict=True):
        pairs = [
            (p, q)
            for new, was in zip(new_layer, old_layer, strict=True)
            for p, q in zip(new.parameters(), was.parameters(), strict=True)
        ]
        changed = [not torch.equal(p, q) for p, q in pairs]
        assert all(changed) or not any(changed)
        moved.append(int(all(changed)))
    return moved


@pytest.mark.parametrize(
    ("frozen", "expected"),
    [
        (0, [1, 1, 1, 1, 1]),
        (1, [0, 0, 1, 1, 1]),
        (2, [0, 0, 0, 1, 1]),
        (3, [0, 0, 0, 0, 1]),
        ("encoder", [0, 0, 0, 0, 1]),
    ],
)
def test_what_is_frozen_keeps_its_weights_and_all_else_learns(
    frozen, expected, data, split, monkeypatch
):
    """Compare the weights of every layer before and after an epoch."""
    seen = {}
    real = finetuning.fit

    def spy(model, optimizer, *args, **kwargs):
        seen["before"] = copy.deepcopy(model)
        seen["model"] = model
        return real(model, optimizer, *args, **kwargs)

    monkeypatch.setattr(finetuning, "fit", spy)
    finetune(data, split, model=None, settings=quick(freeze=frozen, epochs=1))
    model = seen["model"]
    assert trained_layers(model, seen["before"]) == expected


def test_frozen_weights_take_no_gradient():
    model = network(depth=3)
    finetuning.freeze(model.encoder, 2)
    wanted = [
        all(p.requires_grad for m in layer for p in m.parameters())
        for layer in model.encoder.layers()
    ]
    assert wanted == [False, False, False, True]
    assert model.encoder.norm.weight.requires_grad


def test_layer_wise_rates(data, split, monkeypatch):
    seen = []

    def spy(model, optimizer, *args, **kwargs):
        seen.extend((model, optimizer))
        raise KeyboardInterrupt

    monkeypatch.setattr(finetuning, "fit", spy)
    chosen = quick(layer_decay=0.5, head_lr_factor=3.0, lr=0.01, weight_decay=0.2)
    with pytest.raises(KeyboardInterrupt):
        finetune(data, split, model=None, settings=chosen)
    model, optimizer = seen
    names = {id(p): name for name, p in model.named_parameters()}
    rates = {names[id(p)]: g["lr"] for g in optimizer.param_groups for p in g["params"]}
    assert set(rates) == set(names.values())
    expected = {
        "encoder.nodes.": 0.125,
        "encoder.structure.": 0.125,
        "encoder.bias.": 0.125,
        "encoder.blocks.0.": 0.25,
        "encoder.blocks.1.": 0.5,
        "encoder.blocks.2.": 1.0,
        "encoder.norm.": 1.0,
        "head.": 3.0,
    }
    for name, rate in rates.items():
        (factor,) = [f for prefix, f in expected.items() if name.startswith(prefix)]
        assert rate == pytest.approx(0.01 * factor), name
    assert {g["weight_decay"] for g in optimizer.param_groups} == {0.0, 0.2}


# --- what is kept apart -------------------------------------------------------------------------


def test_labels_of_the_test_part_change_nothing(data, split):
    chosen = quick(dropout=0.2)
    first = finetune(data, split, model=None, settings=chosen)
    changed = data.targets.copy()
    changed.iloc[split.test] = 1.0 - changed.iloc[split.test].fillna(1.0)
    other = finetune(replace(data, targets=changed), split, model=None, settings=chosen)
    for which in ("best", "last"):
        assert np.array_equal(first.test[which], other.test[which])
        assert np.array_equal(first.valid[which], other.valid[which])
    assert [line["train_loss"] for line in first.history] == [
        line["train_loss"] for line in other.history
    ]
    assert first.scores["valid"] == other.scores["valid"]
    assert first.scores["test"] != other.scores["test"]


def test_scales_come_from_the_training_part_alone(data, split, monkeypatch):
    heads = []
    real = finetuning.fit

    def spy(model, *args, **kwargs):
        heads.append({name: b.clone() for name, b in model.head.named_buffers()})
        return real(model, *args, **kwargs)

    monkeypatch.setattr(finetuning, "fit", spy)
    values = replace(data, task="regression")
    finetune(values, split, model=None, settings=quick(epochs=1))
    wild = values.targets.copy()
    wild.iloc[split.test] = wild.iloc[split.valid] = 1e4
    smiles = list(values.smiles)
    for i in (*split.valid, *split.test):
        smiles[i] = "CCCCCCCC"
    finetune(
        replace(values, targets=wild, smiles=tuple(smiles)),
        split,
        model=None,
        settings=quick(epochs=1),
    )
    for name, buffer in heads[0].items():
        assert torch.equal(buffer, heads[1][name]), name
    known = values.targets.iloc[split.train]
    assert heads[0]["target_mean"].tolist() == pytest.approx(known.mean().tolist())
    assert heads[0]["target_std"].tolist() == pytest.approx(known.std(ddof=0).tolist())


def test_same_seed_same_numbers(data, split):
    torch.manual_seed(5)
    first = finetune(data, split, model=None, settings=quick(dropout=0.3))
    state = torch.get_rng_state()
    torch.manual_seed(5)
    assert torch.equal(state, torch.get_rng_state())  # torch's own state is as it was
    torch.manual_seed(99)
    again = finetune(data, split, model=None, settings=quick(dropout=0.3))
    other = finetune(data, split, model=None, settings=quick(dropout=0.3, seed=1))
    for which in ("best", "last"):
        assert np.array_equal(first.test[which], again.test[which])
        assert not np.allclose(first.test[which], other.test[which], atol=1e-4)
    assert first.best_epoch == again.best_epoch


# --- where it starts ----------------------------------------------------------------------------


def start_of(monkeypatch, *args, **kwargs):
    seen = []

    def spy(model, *rest, **more):
        seen.append(model)
        raise KeyboardInterrupt

    monkeypatch.setattr(finetuning, "fit", spy)
    with pytest.raises(KeyboardInterrupt):
        finetune(*args, **kwargs)
    return seen[0]


def test_it_starts_from_the_model(run, data, split, monkeypatch):
    given = molvec.load(run.folder, device="cpu")
    model = start_of(monkeypatch, data, split, model=run.folder, settings=quick(dropout=0.4))
    assert model.readout == given.readout == "mean"
    for name, tensor in given.encoder.state_dict().items():
        assert torch.equal(model.encoder.state_dict()[name], tensor), name
    assert model.encoder.blocks[0].dropout.p == model.head.dropout.p == 0.4
    other = quick(readout="mean_max_sum", hidden=7)
    model = start_of(monkeypatch, data, split, model=run.folder, settings=other)
    assert model.readout == "mean_max_sum"
    assert model.head.hidden.weight.shape == (7, 3 * 64)


def test_from_scratch(run, data, split, monkeypatch):
    first = start_of(monkeypatch, data, split, model=None, settings=quick())
    second = start_of(
        monkeypatch, data, split, model=run.folder, from_scratch=True, settings=quick()
    )
    third = start_of(monkeypatch, data, split, model=None, settings=quick(seed=1))
    assert (first.readout, second.readout) == ("mean_sum", "mean")
    weights = [m.encoder.blocks[0].qkv.weight for m in (first, second, third)]
    given = molvec.load(run.folder, device="cpu").encoder.blocks[0].qkv.weight
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[1], given)
    small = start_of(monkeypatch, data, split, model=None, settings=quick(preset="small"))
    assert small.encoder.dim == 256


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_linear_head_starts_as_the_best_one_on_the_features_as_they_are(
    task, run, data, split, monkeypatch
):
    if task == "regression":
        targets = data.targets.copy()
        targets["toxic"] = [30.0 * len(smiles) for smiles in data.smiles]
        data = replace(data, targets=targets, task=task)
    model = start_of(monkeypatch, data, split, model=run.folder, settings=quick())
    frozen = molvec.load(run.folder, device="cpu").embed(list(data.smiles))
    truth = data.targets.to_numpy()
    best = fit_head(
        *("linear", task, frozen[split.train], truth[split.train]),
        *(frozen[split.valid], truth[split.valid]),
        scale=True,
        seed=0,
    ).predict(frozen[split.train])
    graphs = labelled_graphs(data, split.train, MoleculeFeaturizer())
    found = predict(model, [graphs[i] for i in split.train])
    if task == "regression":  # a frozen head keeps to the range of what it was fitted on
        known = truth[split.train]
        found = np.clip(found, np.nanmin(known, axis=0), np.nanmax(known, axis=0))
    np.testing.assert_allclose(found, best, rtol=1e-3, atol=1e-3 * np.nanstd(truth))


def test_a_head_may_start_at_random(run, data, split, monkeypatch):
    starts = [
        start_of(monkeypatch, data, split, model=run.folder, settings=quick(head_start=start))
        for start in (None, "linear", "random")
    ]
    probed, same, random = (model.head.out.weight for model in starts)
    assert torch.equal(probed, same)
    assert not torch.equal(probed, random)
    with pytest.raises(UserError, match="head_start linear needs a head without a hidden layer"):
        quick(head_start="linear", hidden=8)
    assert quick(hidden=8).head_start is None


# --- the result ---------------------------------------------------------------------------------


def test_result(data, split):
    seen = []
    done = finetune(
        data,
        split,
        model=None,
        settings=quick(epochs=3),
        report=lambda line, epochs: seen.append((line["epoch"], epochs)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (done.metric, done.selected_by, done.folder, done.left_out) == (
        "roc_auc",
        "roc_auc",
        None,
        0,
    )
    for part, size in (("valid", 8), ("test", 6)):
        values = getattr(done, part)
        assert values["best"].shape == values["last"].shape == (size, 2)
        assert all(((v > 0) & (v < 1)).all() for v in values.values())
    line = done.history[done.best_epoch - 1]
    assert done.scores["valid"]["best"] == pytest.approx(line["valid_score"])
    assert done.scores["valid"]["last"] == pytest.approx(done.history[-1]["valid_score"])
    assert line["valid_score"] == max(entry["valid_score"] for entry in done.history)
    if done.best_epoch == 3:
        assert np.array_equal(done.test["best"], done.test["last"])


def test_large_molecules_are_predicted_but_not_learned_from(data, split):
    whole = finetune(data, split, model=None, settings=quick(max_atoms=500))
    done = finetune(data, split, model=None, settings=quick(max_atoms=8))
    assert whole.left_out == 0
    assert 0 < done.left_out < len(split.train)
    assert done.test["best"].shape == whole.test["best"].shape
    with pytest.raises(UserError, match="no label of toxic, active; nothing can be learned"):
        finetune(
            replace(data, smiles=("CCCC",) * 30),
            split,
            model=None,
            settings=quick(max_atoms=2),
        )


def test_one_class_in_the_validation_part(data, split):
    targets = data.targets.copy()
    targets.iloc[split.valid] = 1.0
    done = finetune(replace(data, targets=targets), split, model=None, settings=quick())
    assert done.selected_by == "loss"
    assert np.isnan(done.scores["valid"]["best"])


def test_units_do_not_choose_the_epoch(smiles):
    """The same target in another unit weighs the same; a single one is scored in its own."""
    from molvec.evaluate.metrics import METRICS
    from molvec.finetuning import _selection

    generator = np.random.default_rng(0)
    values, error = generator.normal(size=(2, len(smiles), 2))
    rows = np.arange(len(smiles))
    merits = []
    for factor in (1.0, 1e4):
        unit = np.array([1.0, factor])
        toy = labelled(smiles, values * unit, "regression")
        choose = _selection(METRICS["rmse"], toy, rows)
        better = choose(values * unit, (values + [0.1, 1.0] * error) * unit)
        worse = choose(values * unit, (values + [1.0, 0.5] * error) * unit)
        merits.append(better / worse)
    assert merits[0] == pytest.approx(merits[1])
    one = labelled(smiles, values[:, :1], "regression")
    single = _selection(METRICS["rmse"], one, rows)(values[:, :1], values[:, :1] + 0.5)
    assert single == pytest.approx(0.5)
