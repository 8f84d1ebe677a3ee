import pytest
import torch
from torch_geometric.data import Batch

from molvec.nn.equivariant_encoder import EquivariantEncoder
from molvec.nn.equivariant_predictor import EquivariantPredictor
from molvec.objective import Data2Vec
from molvec.objective.student import VisibleStudent
from molvec.testing import move, perturb_hidden
from tests.nn.test_equivariant_encoder import cloud


@pytest.fixture
def batch():
    return Batch.from_data_list([cloud(n, n, torch.float32) for n in (8, 15, 20)])


@pytest.fixture
def mask(batch):
    return torch.rand(3, batch.num_nodes, generator=torch.Generator().manual_seed(0)) < 0.5


@pytest.fixture
def student():
    torch.manual_seed(0)
    encoder = EquivariantEncoder(node_sizes=(5, 5), edge_sizes=(4,), dim=16, depth=2)
    return VisibleStudent(encoder, EquivariantPredictor(dim=16, width=8, depth=2)).eval()


@torch.no_grad()
def test_predicts_every_node_of_every_view_by_itself(student, batch, mask):
    together = student(batch, mask).prediction
    assert together.shape == (3, batch.num_nodes, 16)
    for view in range(3):
        alone = student(batch, mask[view : view + 1]).prediction[0]
        assert float((together[view] - alone).abs().max()) < 1e-5
    assert float((together[0] - together[1]).abs().max()) > 1e-2


@torch.no_grad()
def test_knows_where_a_hidden_node_is_and_not_what_it_is(student, batch, mask):
    hidden = mask[:1]
    expected = student(batch, hidden).prediction
    changed = perturb_hidden(batch, hidden[0])
    changed.pos = batch.pos
    assert student(changed, hidden).prediction.equal(expected)
    changed.pos = batch.pos + hidden[0, :, None] * torch.randn(batch.num_nodes, 3)
    assert float((student(changed, hidden).prediction - expected).abs().max()) > 1e-2


@torch.no_grad()
def test_predictions_do_not_turn_with_the_molecule(student, batch, mask):
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    moved = move(batch, rotation, torch.ones(3))
    difference = student(moved, mask).prediction - student(batch, mask).prediction
    assert float(difference.abs().max()) < 1e-4


def test_lengths_of_vectors_are_targets_too(batch, mask):
    torch.manual_seed(0)
    encoder = EquivariantEncoder(node_sizes=(5, 5), edge_sizes=(4,), dim=16, depth=2, norms=True)
    student = VisibleStudent(encoder, EquivariantPredictor(dim=16, width=8, depth=1, target_dim=20))
    model = Data2Vec(student, top_k=2, graph_weight=1.0)
    output = model(batch, mask)
    assert output.target.shape == output.prediction.shape == (int(mask.sum()), 20)
    assert float(output.target[:, 16:].std()) == pytest.approx(1, abs=0.2)
    output.loss.backward()
    gradient = student.predictor.out.weight.grad
    assert (gradient[16:].abs().sum(1) > 0).all()


def test_the_objective_learns_on_points(student, batch, mask):
    """The same data2vec as for molecules: its loss on one batch falls by half."""
    torch.manual_seed(0)
    model = Data2Vec(student, top_k=2, visible_weight=1.0).train()
    batch.student_pos = batch.pos + 0.1 * torch.randn_like(batch.pos)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        output = model(batch, mask)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        losses.append(float(output.loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert output.target.shape == (int(mask.sum()), 16)
