"""What an encoder reads of a network's nodes: it counts, and it does not leak."""

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from molvec.data.subgraphs import SubgraphSampler
from molvec.nn.embedding import NetworkEmbedding
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.structure import structure_of
from molvec.objective.student import hide
from molvec.testing import (
    assert_independent_of_batch,
    assert_mask_local,
    assert_permutation_equivariant,
    perturb_hidden,
)
from tests.graphs import batch_of
from tests.networks import featurizer_of, knowledge


@pytest.fixture(scope="module")
def graphs():
    network = knowledge(features=True)
    featurizer, sampler = featurizer_of(network), SubgraphSampler(network)
    return [featurizer(sampler(seed, np.random.default_rng(seed))) for seed in (0, 3, 4)]


@pytest.fixture(params=[False, True], ids=["attention", "attention+gine"])
def encoder(request):
    torch.manual_seed(0)
    sizes = {"node_sizes": (44,), "edge_sizes": (5,), "entities": 6, "features": 2}
    encoder = GraphTransformer(**sizes, dim=16, depth=2, heads=4, local=request.param)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(2.0)
    return encoder.eval()


def test_properties(encoder, graphs):
    assert_permutation_equivariant(encoder, graphs[0], atol=1e-4)
    assert_independent_of_batch(encoder, graphs, atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_hidden_nodes_do_not_leak(encoder, graphs, seed):
    count = sum(graph.num_nodes for graph in graphs)
    visible = torch.rand(count, generator=torch.Generator().manual_seed(seed)) < 0.5
    assert_mask_local(encoder, graphs, visible)


def test_mask_tokens_hide_ids_and_numbers(graphs):
    batch = Batch.from_data_list(graphs)
    mask = torch.arange(batch.num_nodes) % 2 == 0
    one, two = (hide(each, mask) for each in (batch, perturb_hidden(batch, mask)))
    for field in ("x", "node_id", "features", "edge_attr"):
        assert torch.equal(one[field], two[field]), field
    assert (one.node_id[mask] == 0).all()
    assert (one.features[mask] == 0).all()


@pytest.mark.parametrize("field", ["node_id", "features"])
def test_ids_and_numbers_count(encoder, graphs, field):
    batch = Batch.from_data_list(graphs)
    before = encoder(batch).output
    batch[field] = batch[field].roll(1, 0)
    assert not torch.allclose(encoder(batch).output, before, atol=1e-3)
    del batch[field]
    with pytest.raises(ValueError, match=f"reads {field}, and the graphs have none"):
        encoder(batch)


def test_every_parallel_edge_counts_in_the_bias(graphs):
    torch.manual_seed(0)
    encoder = GraphTransformer(node_sizes=(44,), edge_sizes=(5,), dim=16, depth=2, heads=4).eval()
    batch = Batch.from_data_list([graphs[0]])
    assert structure_of(batch).parallel is not None
    assert structure_of(batch_of("CCO")).parallel is None
    before = encoder(batch).output
    twice = (batch.edge_index[0] * 10 + batch.edge_index[1]).tolist()
    rows = [i for i, pair in enumerate(twice) if twice.count(pair) == 2]
    assert len(rows) == 4
    for row in rows:
        changed = batch.clone()
        changed.edge_attr[row] = 0
        assert not torch.allclose(encoder(changed).output, before, atol=1e-5), row


def test_what_describes_a_node_outweighs_its_degree():
    torch.manual_seed(0)
    described = NetworkEmbedding(64, entities=None, features=200)
    values = described(None, torch.randn(500, 200))
    assert values.var().item() == pytest.approx(3.0, rel=0.1)
