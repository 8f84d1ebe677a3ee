"""The graph Transformer on points: what it returns follows from distances alone."""

import math

import pytest
import torch
from torch_geometric.data import Batch

from molvec.nn.distance import DistanceBias
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.packing import pack
from molvec.nn.predictor import TransformerPredictor
from molvec.objective import Data2Vec
from molvec.objective.student import VisibleStudent
from molvec.testing import (
    assert_independent_of_batch,
    assert_mask_local,
    assert_motion_invariant,
    assert_permutation_equivariant,
    move,
    perturb_hidden,
)
from tests.graphs import batch_of
from tests.nn.test_equivariant_encoder import cloud

SIZES = {"node_sizes": (5, 5), "edge_sizes": (4,)}


def build(dtype=torch.float64, reach=8.0, **kwargs):
    torch.manual_seed(0)
    arguments = {**SIZES, "dim": 32, "depth": 3, "heads": 4, "reach": reach, **kwargs}
    encoder = GraphTransformer(**arguments).to(dtype).eval()
    with torch.no_grad():  # large weights: at the usual ones a leak could hide in small numbers
        for parameter in encoder.parameters():
            parameter.mul_(2.0)
    return encoder


@pytest.fixture(scope="module", params=[False, True], ids=["attention", "attention+gine"])
def encoders(request):
    kwargs = {"local": request.param}
    return (build(**kwargs), torch.float64), (build(torch.float32, **kwargs), torch.float32)


def test_motions_change_nothing(encoders):
    for (encoder, dtype), atol in zip(encoders, (1e-9, 1e-4), strict=True):
        graphs = [cloud(n, n, dtype) for n in (2, 13, 40)]
        assert_motion_invariant(encoder, graphs, atol=atol)


def test_renumbering_nodes_renumbers_outputs(encoders):
    for encoder, dtype in encoders:  # random walks are float32 in both
        assert_permutation_equivariant(encoder, cloud(25, 1, dtype), atol=1e-4)


def test_outputs_do_not_depend_on_the_batch(encoders):
    for encoder, dtype in encoders:
        assert_independent_of_batch(encoder, [cloud(n, n, dtype) for n in (1, 9, 30)], atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_hidden_nodes_and_their_positions_do_not_leak(encoders, seed):
    graphs = [cloud(20, 1), cloud(12, 2)]
    visible = torch.rand(32, generator=torch.Generator().manual_seed(seed)) < 0.5
    assert_mask_local(encoders[0][0], graphs, visible)


def test_views_are_encoded_each_by_itself(encoders):
    encoder, _ = encoders[0]
    batch = Batch.from_data_list([cloud(20, 1), cloud(12, 2)])
    views = torch.rand(3, 32, generator=torch.Generator().manual_seed(0)) < 0.6
    together = encoder(batch, visible=views).output
    alone = torch.cat([encoder(batch, visible=view).output for view in views])
    assert float((together - alone).detach().abs().max()) < 1e-12


def test_outputs_depend_on_distances_up_to_the_reach():
    encoder = build()
    graph = cloud(25, 3)
    before = encoder(Batch.from_data_list([graph])).output
    stretched = graph.clone()
    stretched.pos = graph.pos * 1.1
    after = encoder(Batch.from_data_list([stretched])).output
    assert float((before - after).abs().max().detach()) > 1e-2
    apart = [graph.clone(), graph.clone()]
    for far, scale in zip(apart, (1e3, 2e3), strict=True):
        far.pos = graph.pos * scale
    first, second = (encoder(Batch.from_data_list([far])).output for far in apart)
    assert torch.equal(first, second)


def test_gradients_are_those_of_finite_differences():
    encoder = build(dim=16, depth=2)
    graph = cloud(10, 4)

    def energy(pos):
        moved = graph.clone()
        moved.pos = pos
        return encoder(Batch.from_data_list([moved])).output.square().sum()

    assert torch.autograd.gradcheck(energy, graph.pos.clone().requires_grad_(), eps=1e-6, atol=1e-5)


def test_the_bias_is_a_sum_of_gaussians_under_an_envelope():
    bias = DistanceBias(heads=1, reach=4.0, num_basis=5).double()  # centres 0, 1, 2, 3, 4
    with torch.no_grad():
        bias.weights.weight.copy_(torch.tensor([[0.0, 0, 3, 0, 0]]))
    graph = cloud(2, 0)
    graph.pos = torch.tensor([[0.0, 0, 0], [0, 0, 0]], dtype=torch.float64)
    for distance, envelope in ((0.0, 1), (2.0, 1 - 28 / 64 + 48 / 128 - 21 / 256), (4.0, 0)):
        graph.pos[1, 2] = distance
        batch = Batch.from_data_list([graph])
        value = bias(pack(batch), batch.pos).detach()
        assert value.shape == (1, 2, 2, 1)
        expected = 3 * math.exp(-((distance - 2) ** 2)) * envelope
        assert float(value[0, 0, 1, 0]) == pytest.approx(expected, abs=1e-5)
        assert float(value[0, 1, 0, 0]) == float(value[0, 0, 1, 0])


def test_points_at_one_place_give_numbers():
    graph = cloud(6, 5)
    graph.pos = torch.zeros(6, 3, dtype=torch.float64, requires_grad=True)
    output = build()(Batch.from_data_list([graph])).output
    output.sum().backward()
    assert torch.isfinite(output).all()
    assert torch.isfinite(graph.pos.grad).all()


def test_without_a_reach_nothing_is_new():
    batch = Batch.from_data_list([cloud(9, 0, torch.float32)])
    plain, reading = build(torch.float32, None), build(torch.float32)
    new = set(reading.state_dict()) - set(plain.state_dict())
    assert new == {"bias.space.weights.weight"}
    moved = batch.clone()
    moved.pos = batch.pos * 2
    assert torch.equal(plain(batch).output, plain(moved).output)
    assert TransformerPredictor(dim=8, width=8, depth=1, heads=2).bias.space is None


def test_graphs_without_positions_and_a_reach_of_nothing():
    sizes = {"node_sizes": (120, 9, 7, 4, 4, 5), "edge_sizes": (6, 5)}
    with pytest.raises(ValueError, match="reads distances, and the graphs have no positions"):
        build(torch.float32, **sizes)(batch_of("CCO"))
    with pytest.raises(ValueError, match="reach of a distance bias must be positive, got 0"):
        build(reach=0)


@pytest.fixture
def student():
    torch.manual_seed(0)
    predictor = TransformerPredictor(dim=32, width=16, depth=2, heads=2, reach=8.0)
    return VisibleStudent(build(torch.float32), predictor).eval()


@pytest.fixture
def batch():
    return Batch.from_data_list([cloud(n, n, torch.float32) for n in (8, 15, 20)])


@pytest.fixture
def mask(batch):
    return torch.rand(2, batch.num_nodes, generator=torch.Generator().manual_seed(0)) < 0.5


@torch.no_grad()
def test_the_predictor_knows_where_a_hidden_node_is_and_not_what_it_is(student, batch, mask):
    hidden = mask[:1]
    expected = student(batch, hidden).prediction
    changed = perturb_hidden(batch, hidden[0])
    changed.pos = batch.pos
    assert student(changed, hidden).prediction.equal(expected)
    changed.pos = batch.pos + hidden[0, :, None] * torch.randn(batch.num_nodes, 3)
    assert float((student(changed, hidden).prediction - expected).abs().max()) > 1e-2
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    moved = move(batch, rotation, torch.ones(3))
    assert float((student(moved, hidden).prediction - expected).abs().max()) < 1e-4


@torch.no_grad()
def test_student_and_predictor_read_the_noisy_positions_and_the_teacher_the_true_ones(
    student, batch, mask
):
    model = Data2Vec(student, top_k=2).eval()
    clean = model(batch, mask)
    batch.student_pos = batch.pos + 0.3 * torch.randn_like(batch.pos)
    noisy = model(batch, mask)
    assert torch.equal(noisy.teacher.output, clean.teacher.output)
    assert float((noisy.prediction - clean.prediction).abs().max()) > 1e-2
    swapped = batch.clone()
    swapped.pos = batch.student_pos
    del swapped["student_pos"]
    assert torch.equal(model(swapped, mask).prediction, noisy.prediction)
