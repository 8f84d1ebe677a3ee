"""Neighbourhoods: what is drawn, how often, and always the same for the same seed."""

import networkx as nx
import numpy as np
import pytest

from molvec.data.adjacency import Adjacency
from molvec.data.network import NetworkDataset
from molvec.data.subgraphs import SubgraphSampler
from molvec.graph import validate
from molvec.records import make_network, network_of_networkx
from tests.networks import featurizer_of, knowledge


@pytest.fixture(scope="module")
def network():
    return network_of_networkx(nx.barabasi_albert_graph(300, 4, seed=0))


def test_all_edges_among_nodes_are_found(network):
    graph = nx.Graph(zip(network.source.tolist(), network.target.tolist(), strict=True))
    nodes = np.random.default_rng(0).permutation(300)[:60]
    source, target, relation = Adjacency(network).edges_among(nodes)
    found = {frozenset(pair) for pair in zip(nodes[source], nodes[target], strict=True)}
    assert found == {frozenset(edge) for edge in graph.subgraph(nodes.tolist()).edges}
    assert len(source) == len(found)
    assert not relation.any()
    assert Adjacency(network).degree.tolist() == [graph.degree[i] for i in range(300)]


def test_parallel_relations_are_all_found_and_count_as_one_neighbour():
    held = Adjacency(knowledge())
    source, target, relation = held.edges_among(np.array([1, 0, 2]))
    assert sorted(zip(source, target, relation, strict=True)) == [(0, 2, 1), (1, 0, 0), (1, 0, 1)]
    assert held.degree.tolist() == [1, 2, 2, 1, 0]


@pytest.mark.parametrize("kind", ["walk", "hops"])
def test_a_sample_is_connected_bounded_and_repeatable(network, kind):
    sampler = SubgraphSampler(network, kind=kind, nodes=20, neighbours=5)
    for seed in (0, 7, 299):
        one, two, other = (sampler(seed, np.random.default_rng(i)) for i in (0, 0, 1))
        assert one.nodes[0] == seed
        assert len(set(one.nodes.tolist())) == len(one.nodes) <= 20
        assert one.nodes.tolist() == two.nodes.tolist() != other.nodes.tolist()
        edges = zip(one.source.tolist(), one.target.tolist(), strict=True)
        assert nx.is_connected(nx.Graph(edges))
        if kind == "hops":
            assert len(one.nodes) <= 20


def test_a_node_alone_is_a_sample_of_one():
    for kind in ("walk", "hops"):
        found = SubgraphSampler(knowledge(), kind=kind)(4, np.random.default_rng(0))
        assert (found.nodes.tolist(), len(found.source), found.degree.tolist()) == ([4], 0, [0])
    with pytest.raises(ValueError, match="unknown sampling 'x'; known: walk, hops"):
        SubgraphSampler(knowledge(), kind="x")


def test_rare_relations_and_heavy_edges_are_drawn_as_stated():
    star = {"source": np.zeros(11, dtype=np.int64), "target": np.arange(1, 12)}
    names = [str(i) for i in range(12)]
    kind = np.array([0] * 10 + [1])
    rare = make_network(names, **star, relation=kind, relations=["common", "rare"], directed=True)
    rng = np.random.default_rng(0)
    sampler = SubgraphSampler(rare)
    drawn = [sampler.step(0, *rng.random(2)) for _ in range(2000)]
    assert drawn.count(11) / 2000 == pytest.approx(0.5, abs=0.04)
    weight = np.array([1.0] * 10 + [10.0], dtype=np.float32)
    sampler = SubgraphSampler(make_network(names, **star, weight=weight))
    drawn = [sampler.step(0, *rng.random(2)) for _ in range(2000)]
    assert drawn.count(11) / 2000 == pytest.approx(0.5, abs=0.04)
    assert set(drawn) == set(range(1, 12))


def test_a_dataset_draws_anew_each_epoch(network):
    dataset = NetworkDataset(SubgraphSampler(network, nodes=12), featurizer_of(network), seed=3)
    assert len(dataset) == 300
    one, same, next_epoch = (dataset.graph(5, epoch=epoch) for epoch in (0, 0, 1))
    validate(one)
    assert one.node_id.equal(same.node_id)
    assert one.node_id[0] == next_epoch.node_id[0] == 6
    assert not one.node_id.equal(next_epoch.node_id)
    assert dataset.sizes.max() == 12
    lonely = knowledge()
    some = NetworkDataset(SubgraphSampler(lonely), featurizer_of(lonely))
    assert [some.row(i) for i in range(len(some))] == [0, 1, 2, 3]
