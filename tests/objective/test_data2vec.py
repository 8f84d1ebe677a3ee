"""The objective against naive formulas written from the papers, one node and channel at a time."""

import copy
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch_geometric.data import Batch

from molvec.featurize.conformer import ConformerFeaturizer
from molvec.masking import CoordinateNoise, MaskSampler
from molvec.nn.equivariant_encoder import EquivariantEncoder
from molvec.nn.equivariant_predictor import EquivariantPredictor
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.predictor import TransformerPredictor
from molvec.objective import Data2Vec, ema_update
from molvec.objective.data2vec import student_view
from molvec.objective.student import MaskTokenStudent, VisibleStudent, hide
from molvec.objective.target import EPSILON
from molvec.records import Conformer
from tests.graphs import SMILES, batch_of, molecule


def build(kind="visible", **options):
    torch.manual_seed(0)
    encoder = GraphTransformer(
        node_sizes=(120, 9, 7, 4, 4, 5), edge_sizes=(6, 5), dim=16, depth=3, heads=2
    )
    if kind == "visible":
        student = VisibleStudent(encoder, TransformerPredictor(dim=16, width=8, depth=1, heads=2))
    else:
        student = MaskTokenStudent(encoder)
    return Data2Vec(student, **{"top_k": 2, **options})


@pytest.fixture
def batch():
    return batch_of()


@pytest.fixture
def mask():
    sampler = MaskSampler(ratio=0.5, views=3)
    graphs = [molecule(s) for s in SMILES]
    return torch.cat([sampler(g, epoch=0, sample=i) for i, g in enumerate(graphs)], 1)


def naive_standardize(rows):
    """(value - mean) / std per channel, in plain Python."""
    columns = list(zip(*rows, strict=True))
    result = []
    for column in columns:
        mean = sum(column) / len(column)
        variance = sum((value - mean) ** 2 for value in column) / len(column)
        result.append([(value - mean) / math.sqrt(variance + EPSILON) for value in column])
    return list(zip(*result, strict=True))


def naive_targets(hidden_states, top_k):
    top = [naive_standardize(state.double().tolist()) for state in hidden_states[-top_k:]]
    mean = [
        [sum(values) / top_k for values in zip(*rows, strict=True)]
        for rows in zip(*top, strict=True)
    ]
    return naive_standardize(mean)


def naive_loss(prediction, targets, where, loss="mse"):
    """Mean over the chosen nodes and all channels of the distance to the target."""
    total, count = 0.0, 0
    for view, chosen in enumerate(where.tolist()):
        for node, counts in enumerate(chosen):
            if not counts:
                continue
            for p, t in zip(prediction[view, node].tolist(), targets[node], strict=True):
                d = abs(p - t)
                squared = d * d
                total += squared if loss == "mse" else (squared / 2 if d < 1 else d - 0.5)
                count += 1
    return total / count


@pytest.mark.parametrize("kind", ["visible", "mask_token"])
@pytest.mark.parametrize("loss", ["mse", "smooth_l1"])
def test_loss_is_the_mean_over_masked_nodes_of_the_distance_to_the_targets(kind, loss, batch, mask):
    model = build(kind, loss=loss)
    output = model(batch, mask)
    targets = naive_targets(model.teacher(batch).hidden_states, 2)
    prediction = model.student(batch, mask).prediction
    expected = naive_loss(prediction, targets, mask, loss)
    assert float(output.loss.detach()) == pytest.approx(expected, rel=1e-4)


def test_visible_term_is_the_same_loss_at_the_nodes_that_were_seen(batch, mask):
    model = build(visible_weight=0.25)
    output = model(batch, mask)
    targets = naive_targets(model.teacher(batch).hidden_states, 2)
    prediction = model.student(batch, mask).prediction
    hidden, seen = (naive_loss(prediction, targets, where) for where in (mask, ~mask))
    assert float(output.parts["visible"]) == pytest.approx(seen, rel=1e-4)
    assert float(output.loss.detach()) == pytest.approx(hidden + 0.25 * seen, rel=1e-4)


def test_graph_term_is_the_distance_of_pooled_context_to_pooled_targets(batch, mask):
    model = build(graph_weight=0.5)
    output = model(batch, mask)
    targets = torch.tensor(naive_targets(model.teacher(batch).hidden_states, 2))
    graphs = range(len(SMILES))
    pooled = torch.tensor(
        naive_standardize([targets[batch.batch == g].mean(0).tolist() for g in graphs])
    )
    context = model.student(batch, mask).context
    where = (~mask).nonzero()
    losses = []
    for view in range(3):
        for g in graphs:
            rows = (where[:, 0] == view) & (batch.batch[where[:, 1]] == g)
            prediction = model.graph_head(context[rows].mean(0))
            losses.append((prediction - pooled[g].float()).square().mean())
    expected = torch.stack(losses).mean()
    expected = expected.detach()
    assert float(output.parts["graph"]) == pytest.approx(float(expected), rel=1e-3)
    assert float(output.loss.detach()) == pytest.approx(
        float(output.parts["node"]) + 0.5 * float(expected), rel=1e-3
    )


def test_grounding_term_is_the_cross_entropy_of_bits_from_pooled_context(batch, mask):
    model = build(grounding_weight=2.0, grounding_size=5)
    batch.grounding = (torch.rand(len(SMILES), 5) < 0.4).float()
    output = model(batch, mask)
    context = model.student(batch, mask).context
    where = (~mask).nonzero()
    total, count = 0.0, 0
    for view in range(3):
        for g in range(len(SMILES)):
            rows = (where[:, 0] == view) & (batch.batch[where[:, 1]] == g)
            pooled = torch.cat([context[rows].mean(0), context[rows].sum(0)])
            chances = torch.sigmoid(model.grounding_head(pooled)).tolist()
            for chance, bit in zip(chances, batch.grounding[g].tolist(), strict=True):
                total -= math.log(chance if bit else 1 - chance)
                count += 1
    assert float(output.parts["grounding"]) == pytest.approx(total / count, rel=1e-4)
    expected = float(output.parts["node"]) + 2.0 * total / count
    assert float(output.loss.detach()) == pytest.approx(expected, rel=1e-4)


def test_grounding_by_values_is_smooth_l1_in_standard_deviations_without_missing_ones(batch, mask):
    model = build(grounding_weight=1.0, grounding_size=3, grounding_loss="values")
    values = torch.randn(len(SMILES), 3) * torch.tensor([1.0, 1e3, 1.0])
    values[:, 2] = 7.0  # constant: its target is 0
    values[1, 0] = torch.nan
    batch.grounding = values
    output = model(batch, mask)
    known = values[:, 0][~values[:, 0].isnan()]
    scaled = (values - values.nanmean(0)) / values.std(0, correction=0)
    scaled[:, 0] = (values[:, 0] - known.mean()) / (
        ((known - known.mean()) ** 2).sum() / len(SMILES)  # the missing one counts as the mean
    ).sqrt()
    scaled[:, 2] = 0.0
    context = model.student(batch, mask).context
    where = (~mask).nonzero()
    losses = []
    for view in range(3):
        for g in range(len(SMILES)):
            rows = (where[:, 0] == view) & (batch.batch[where[:, 1]] == g)
            predicted = model.grounding_head(
                torch.cat([context[rows].mean(0), context[rows].sum(0)])
            )
            for column in range(3):
                if not scaled[g, column].isnan():
                    off = float((predicted[column] - scaled[g, column]).abs().detach())
                    losses.append(off - 0.5 if off > 1 else 0.5 * off**2)
    assert len(losses) == 3 * (3 * len(SMILES) - 1)
    assert float(output.parts["grounding"]) == pytest.approx(sum(losses) / len(losses), rel=1e-3)
    with pytest.raises(ValueError, match="unknown grounding loss 'counts'; known: bits, values"):
        build(grounding_loss="counts")


def test_grounding_that_knows_nothing_adds_nothing(batch, mask):
    model = build(grounding_weight=1.0, grounding_size=3, grounding_loss="values")
    batch.grounding = torch.full((len(SMILES), 3), torch.nan)
    output = model(batch, mask)
    assert float(output.parts["grounding"]) == 0
    output.loss.backward()
    assert not model.grounding_head.weight.grad.any()


def test_grounding_in_the_full_view_reads_what_the_student_makes_of_all_nodes(batch, mask):
    model = build(grounding_weight=1.0, grounding_size=2, grounding_view="full")
    batch.grounding = (torch.rand(len(SMILES), 2) < 0.5).float()
    output = model(batch, mask)
    nodes = model.student.encoder(batch).output
    pooled = torch.stack(
        [
            torch.cat([nodes[batch.batch == g].mean(0), nodes[batch.batch == g].sum(0)])
            for g in range(len(SMILES))
        ]
    )
    expected = F.binary_cross_entropy_with_logits(model.grounding_head(pooled), batch.grounding)
    assert float(output.parts["grounding"]) == pytest.approx(float(expected.detach()), rel=1e-4)
    with pytest.raises(
        ValueError, match="unknown grounding view 'none'; known: masked, full, clean"
    ):
        build(grounding_view="none")


@pytest.mark.parametrize("view", ["masked", "full"])
def test_grounding_of_nodes_is_predicted_where_the_student_sees(view, batch, mask):
    model = build(
        grounding_weight=1.0,
        grounding_size=2,
        grounding_loss="values",
        grounding_level="node",
        grounding_view=view,
    )
    num_nodes = len(batch.batch)
    batch.grounding = torch.randn(num_nodes, 2)
    batch.grounding[3, 1] = torch.nan
    output = model(batch, mask)
    if view == "full":
        context, node = model.student.encoder(batch).output, torch.arange(num_nodes)
    else:
        context, node = model.student(batch, mask).context, (~mask).nonzero()[:, 1]
    said = batch.grounding[node]
    known = ~said.isnan()
    filled = torch.where(known, said, said.nanmean(0))
    scaled = (filled - filled.mean(0)) / filled.std(0, correction=0)
    expected = F.smooth_l1_loss(model.grounding_head(context)[known], scaled[known])
    assert float(output.parts["grounding"]) == pytest.approx(float(expected.detach()), rel=1e-3)
    with pytest.raises(ValueError, match="unknown grounding level 'edge'; known: graph, node"):
        build(grounding_level="edge")


def test_grounding_of_nodes_and_of_their_graph_weigh_alike(batch, mask):
    options = {"grounding_loss": "values", "grounding_level": "node", "grounding_view": "full"}
    model = build(grounding_weight=1.0, grounding_size=3, grounding_shared=1, **options)
    whole = torch.randn(len(SMILES), 1)
    batch.grounding = torch.cat([torch.randn(len(batch.batch), 2), whole[batch.batch]], 1)
    output = model(batch, mask)
    nodes = model.student.encoder(batch).output
    said = batch.grounding[:, :2]
    scaled = (said - said.mean(0)) / said.std(0, correction=0)
    own = F.smooth_l1_loss(model.grounding_head(nodes), scaled)
    pooled = torch.stack([nodes[batch.batch == g].mean(0) for g in range(len(SMILES))])
    scaled = (whole - whole.mean(0)) / whole.std(0, correction=0)
    shared = F.smooth_l1_loss(model.shared_head(pooled), scaled)
    expected = float((own + shared).detach()) / 2
    assert float(output.parts["grounding"]) == pytest.approx(expected, rel=1e-3)


def test_grounding_in_the_clean_view_reads_positions_without_noise():
    encoder = EquivariantEncoder(node_sizes=(119,), edge_sizes=(), dim=8, depth=1)
    student = VisibleStudent(encoder, EquivariantPredictor(dim=8, width=8, depth=1))
    options = {"grounding_level": "node", "grounding_loss": "values", "grounding_size": 1}
    elements, pos = np.array([6, 8, 1], np.uint8), np.eye(3, dtype=np.float32)
    graph = ConformerFeaturizer()(Conformer("x", elements, pos))
    graph.grounding = torch.tensor([[0.0], [1.0], [3.0]])
    parts = {}
    for view in ("full", "clean"):
        torch.manual_seed(0)
        model = Data2Vec(student, top_k=1, grounding_weight=1, grounding_view=view, **options)
        for noise in (0.0, 0.3):
            noisy = CoordinateNoise(noise)(graph, epoch=0, sample=0)
            output = model(Batch.from_data_list([noisy]), torch.tensor([[True, False, False]]))
            parts[view, noise] = float(output.parts["grounding"])
    assert parts["clean", 0.3] == parts["clean", 0.0] == parts["full", 0.0]
    assert abs(parts["full", 0.3] - parts["full", 0.0]) > 1e-4


def test_terms_without_weight_are_left_out(batch, mask):
    assert set(build()(batch, mask).parts) == {"node"}
    assert set(build(graph_weight=1.0)(batch, mask).parts) == {"node", "graph"}


@pytest.mark.parametrize("kind", ["visible", "mask_token"])
def test_teacher_gets_no_gradient_and_student_and_predictor_do(kind, batch, mask):
    model = build(kind, graph_weight=1.0)
    model(batch, mask).loss.backward()
    assert all(p.grad is None and not p.requires_grad for p in model.teacher.parameters())
    without = [
        name
        for name, p in model.student.named_parameters()
        if p.grad is None or not p.grad.abs().sum() > 0
    ]
    assert without == []


def test_teacher_starts_equal_and_moves_by_exactly_one_minus_decay():
    model = build()
    student = model.student.encoder
    pairs = list(zip(model.teacher.parameters(), student.parameters(), strict=True))
    assert all(torch.equal(t, s) and t is not s for t, s in pairs)
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1.0)
    before = [t.clone() for t in model.teacher.parameters()]
    ema_update(model.teacher, student, 0.75)
    for old, new in zip(before, model.teacher.parameters(), strict=True):
        assert torch.allclose(new - old, torch.full_like(old, 0.25), atol=1e-6)
    ema_update(model.teacher, student, 1.0)
    ema_update(model.teacher, student, 0.0)
    assert all(torch.equal(t, s) for t, s in pairs)


def test_teacher_stays_in_evaluation_mode_when_the_model_trains():
    model = build().train()
    assert model.student.training
    assert not model.teacher.training


def test_visible_student_ignores_what_is_hidden_and_the_teacher_does_not(batch, mask):
    model = build()
    everywhere = mask.any(0)
    context = model.student(batch, everywhere[None]).context
    changed = copy.copy(batch)
    changed.x = torch.where(everywhere[:, None], 1, batch.x)
    assert torch.equal(model.student(changed, everywhere[None]).context, context)
    full = model.teacher(batch).output
    assert not torch.allclose(model.teacher(changed).output, full)


def test_hiding_replaces_hidden_nodes_and_their_bonds_only(batch):
    mask = torch.zeros(batch.num_nodes, dtype=torch.bool)
    mask[3] = True
    hidden = hide(batch, mask)
    assert (hidden.x[3] == 0).all()
    assert torch.equal(hidden.x[~mask], batch.x[~mask])
    touched = (batch.edge_index == 3).any(0)
    assert (hidden.edge_attr[touched] == 0).all()
    assert touched.sum() == 4  # two bonds, both directions
    assert torch.equal(hidden.edge_attr[~touched], batch.edge_attr[~touched])
    assert (batch.x[3] != 0).all()  # the batch itself is unchanged


def test_prediction_rows_follow_the_masks_order(batch, mask):
    model = build()
    output = model(batch, mask)
    targets = torch.tensor(naive_targets(model.teacher(batch).hidden_states, 2)).float()
    view, node = mask.nonzero(as_tuple=True)
    assert torch.allclose(output.target, targets[node], atol=1e-4)
    assert output.prediction.shape == (len(view), 16)


@pytest.mark.parametrize("kind", ["visible", "mask_token"])
def test_a_batch_can_be_memorised(kind, batch, mask):
    model = build(kind)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(150):
        loss = model(batch, mask).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.35 * losses[0]
    mean_only = F.mse_loss(torch.zeros(()), torch.ones(()))  # predicting the mean scores 1
    assert losses[-1] < 0.5 * float(mean_only)


def test_single_atoms_add_nothing_to_the_loss():
    model = build()
    two = batch_of("CCO", "CC#N")
    mask = torch.tensor([[0, 1, 0, 1, 0, 0]], dtype=torch.bool)
    output = model(two, mask)
    with_methane = batch_of("CCO", "CC#N", "C")
    mask = torch.cat([mask, torch.zeros(1, 1, dtype=torch.bool)], 1)
    assert model(with_methane, mask).prediction.shape == output.prediction.shape


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="unknown loss 'l1'; known: mse, smooth_l1"):
        build(loss="l1")
    with pytest.raises(ValueError, match="weights must not be negative"):
        build(graph_weight=-1.0)


def test_the_student_alone_sees_its_own_coordinates(batch):
    view = copy.copy(batch)
    assert student_view(view) is view
    view.pos = torch.zeros(batch.num_nodes, 3)
    view.student_pos = torch.ones(batch.num_nodes, 3)
    assert student_view(view).pos.equal(view.student_pos)
    assert float(view.pos.sum()) == 0  # what the teacher reads stays
