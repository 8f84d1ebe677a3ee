"""The term that asks for the edges which the student does not see."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from molvec.data.subgraphs import SubgraphSampler
from molvec.masking import EdgeMask
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.predictor import TransformerPredictor
from molvec.objective import Data2Vec
from molvec.objective.links import MissingLinks, complex_product
from molvec.objective.student import VisibleStudent
from molvec.records import make_network
from tests.networks import featurizer_of


def batch_of(edges, kinds, visible, node):
    graph = Data(
        x=torch.ones(len(node), 1, dtype=torch.int64),
        node_id=torch.tensor(node),
        edge_index=torch.tensor(edges).T.reshape(2, -1),
        edge_attr=torch.tensor(kinds)[:, None],
        student_edges=torch.tensor(visible, dtype=torch.bool),
    )
    return Batch.from_data_list([graph])


def test_the_loss_is_the_cross_entropy_against_all_others():
    torch.manual_seed(0)
    term = MissingLinks(4, 3)
    with torch.no_grad():
        term.kinds.weight.normal_()
    batch = batch_of([[0, 1], [1, 0], [2, 3]], [1, 2, 1], [False, False, True], [5, 6, 7, 5])
    context = torch.randn(4, 4)
    z = term.project(context)
    expected = []
    for head, kind, tail, rivals in ((0, 1, 1, [0, 1, 2, 3]), (1, 2, 0, [0, 1, 2])):
        # Node 3 is the entity of node 0 in another place: no rival of it.
        scores = z[rivals] @ complex_product(z[head], term.kinds.weight[kind])
        expected.append(scores.logsumexp(0) - scores[rivals.index(tail)])
    torch.testing.assert_close(term(context, batch), torch.stack(expected).mean())


def test_a_direction_has_scores_of_its_own():
    one, two = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.5, 1.0, -1.0, 2.0])
    assert complex_product(one, two).tolist() == [0.5 + 3, 2 - 8, -1 + 1.5, 4 + 4]


def test_without_a_hidden_edge_there_is_nothing_to_ask():
    context = torch.randn(2, 4, requires_grad=True)
    loss = MissingLinks(4, 2)(context, batch_of([[0, 1]], [1], [True], [1, 2]))
    loss.backward()
    assert loss == 0
    assert not context.grad.any()


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="even dim, got 5"):
        MissingLinks(5, 2)


def network(entities=24):
    """Every entity is linked to its opposite, and to its neighbour on a ring."""
    one = np.arange(entities)
    names = [str(i) for i in one]
    source = np.concatenate([one, one])
    target = np.concatenate([(one + 1) % entities, (one + entities // 2) % entities])
    kind = np.repeat([0, 1], entities)
    return make_network(
        names, source, target, relation=kind, relations=["next", "across"], directed=True
    )


def test_the_student_that_is_asked_does_not_see_the_edge_and_learns_where_it_leads():
    graphs = network()
    featurizer, sampler = featurizer_of(graphs), SubgraphSampler(graphs, nodes=8)
    torch.manual_seed(0)
    sizes = {"node_sizes": (44,), "edge_sizes": featurizer.edge_sizes}
    encoder = GraphTransformer(**sizes, entities=25, dim=16, depth=1, heads=2, local=True)
    student = VisibleStudent(encoder, TransformerPredictor(dim=16, width=8, depth=1, heads=2))
    model = Data2Vec(student, top_k=1, link_weight=1.0, edge_kinds=featurizer.edge_sizes[0])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    hide = EdgeMask(0.3)

    def batch(epoch):
        drawn = [featurizer(sampler(i, np.random.default_rng((epoch, i)))) for i in range(24)]
        return Batch.from_data_list(
            [hide(graph, epoch=epoch, sample=i) for i, graph in enumerate(drawn)]
        )

    losses = []
    for epoch in range(40):
        graphs = batch(epoch)
        read = []
        handle = encoder.register_forward_pre_hook(
            lambda module, args, read=read: read.append(args[0].edge_index.shape[1])
        )
        found = model(graphs, torch.rand(1, graphs.num_nodes) < 0.3)
        handle.remove()
        assert read == [int(graphs.student_edges.sum())] * 2  # the masked view, and this term
        optimizer.zero_grad()
        found.loss.backward()
        optimizer.step()
        losses.append(float(found.parts["links"]))
    assert losses[0] == pytest.approx(np.log(24 * 7), abs=0.5)  # as good as chance
    assert losses[-1] < losses[0] - 2
