"""Edges hidden from the student reach it by no path."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from molvec.data.subgraphs import SubgraphSampler
from molvec.masking import EdgeMask
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.predictor import TransformerPredictor
from molvec.objective import Data2Vec
from molvec.objective.data2vec import student_view
from molvec.objective.student import VisibleStudent
from molvec.records import make_network
from tests.networks import featurizer_of


@pytest.fixture(scope="module")
def graphs():
    rng = np.random.default_rng(0)
    names = [str(i) for i in range(20)]
    one, kind, two = rng.integers((20, 2, 20), size=(80, 3)).T
    network = make_network(names, one, two, relation=kind, relations=["r", "s"], directed=True)
    featurizer, sampler = featurizer_of(network), SubgraphSampler(network, nodes=10)
    return [featurizer(sampler(seed, np.random.default_rng(seed))) for seed in range(4)]


def pairs_of(graph, edges):
    return {frozenset(pair) for pair in graph.edge_index[:, edges].T.tolist()}


def test_pairs_are_hidden_whole_and_by_the_share(graphs):
    for graph in graphs:
        seen = EdgeMask(0.4)(graph, epoch=0, sample=3)
        visible = seen.student_edges
        assert "student_edges" not in graph
        assert torch.equal(seen.edge_index, graph.edge_index)
        shown, hidden = pairs_of(graph, visible), pairs_of(graph, ~visible)
        assert not shown & hidden
        assert len(hidden) == round(0.4 * len(shown | hidden)) > 0
    assert EdgeMask(0.0)(graphs[0], epoch=0, sample=0).student_edges.all()
    for share in (-0.1, 1.0):
        with pytest.raises(ValueError, match=r"must be in \[0, 1\), got"):
            EdgeMask(share)


def test_a_pure_function_of_seed_epoch_and_sample(graphs):
    def draw(seed=1, epoch=2, sample=3):
        return EdgeMask(0.5, seed)(graphs[1], epoch=epoch, sample=sample).student_edges

    assert draw().equal(draw())
    for other in (draw(seed=9), draw(epoch=9), draw(sample=9)):
        assert not draw().equal(other)


def build(graph):
    torch.manual_seed(0)
    sizes = {"node_sizes": (44,), "edge_sizes": (5,)}
    encoder = GraphTransformer(**sizes, entities=21, dim=16, depth=2, heads=4, local=True)
    predictor = TransformerPredictor(dim=16, width=8, depth=1, heads=2, edge_sizes=(5,))
    with torch.no_grad():
        for parameter in (*encoder.parameters(), *predictor.parameters()):
            parameter.mul_(2.0)
    return Data2Vec(VisibleStudent(encoder, predictor), top_k=2).eval()


def without(graph, keep):
    """The same graph with only these edges, for all who read it."""
    changed = graph.clone()
    del changed.student_edges
    changed.edge_index, changed.edge_attr = graph.edge_index[:, keep], graph.edge_attr[keep]
    return changed


def test_hidden_edges_reach_neither_student_nor_predictor(graphs):
    masked = [EdgeMask(0.5)(graph, epoch=0, sample=i) for i, graph in enumerate(graphs)]
    batch = Batch.from_data_list(masked)
    gone = Batch.from_data_list([without(graph, graph.student_edges) for graph in masked])
    model = build(graphs[0])
    mask = torch.rand(2, batch.num_nodes, generator=torch.Generator().manual_seed(0)) < 0.5
    whole = model.teacher(batch)  # first, as in training: what it keeps on the batch must not leak
    seen = model.student(student_view(batch), mask)
    expected = model.student(gone, mask)
    assert torch.equal(seen.prediction, expected.prediction)
    assert torch.equal(seen.context, expected.context)
    assert not torch.allclose(model.teacher(gone).output, whole.output, atol=1e-2)
    shown = Batch.from_data_list(graphs)
    assert not torch.allclose(model.student(shown, mask).prediction, expected.prediction, atol=1e-3)


def test_the_objective_lets_the_teacher_see_all(graphs):
    masked = [EdgeMask(0.5)(graph, epoch=0, sample=i) for i, graph in enumerate(graphs)]
    batch, shown = Batch.from_data_list(masked), Batch.from_data_list(graphs)
    model = build(graphs[0])
    mask = torch.arange(batch.num_nodes)[None] % 2 == 0
    hidden, all_seen = model(batch, mask), model(shown, mask)
    assert torch.equal(hidden.target, all_seen.target)
    assert not torch.allclose(hidden.prediction, all_seen.prediction, atol=1e-3)
