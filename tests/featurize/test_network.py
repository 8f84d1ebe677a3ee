"""Neighbourhoods as graphs: both directions, all relations, nothing lost in JSON."""

import json

import numpy as np

from molvec.data.subgraphs import SubgraphSampler
from molvec.featurize.kinds import featurizer_from_json
from molvec.featurize.network import DEGREES, degree_index
from molvec.graph import validate
from tests.networks import featurizer_of, knowledge


def test_relations_have_inverses_and_parallel_ones_all_count():
    network = knowledge(features=True)
    featurizer = featurizer_of(network)
    graph = featurizer(SubgraphSampler(network)(0, np.random.default_rng(0)))
    validate(graph)
    place = {int(node): i for i, node in enumerate(graph.node_id - 1)}
    found = {
        (int(s), int(t), int(k))
        for (s, t), k in zip(graph.edge_index.T, graph.edge_attr[:, 0], strict=True)
    }
    a, b, c, d = (place[i] for i in range(4))
    forward = {(a, b, 1), (a, b, 2), (b, c, 2), (c, d, 1)}
    assert found == forward | {(t, s, k + 2) for s, t, k in forward}
    assert featurizer.edge_sizes == (5,)
    assert (
        graph.x[:, 0].tolist() == degree_index(np.array([1, 2, 2, 1]))[graph.node_id - 1].tolist()
    )
    assert graph.features.tolist() == network.features[graph.node_id - 1].tolist()


def test_degrees_are_told_apart_on_a_logarithmic_scale():
    index = degree_index(np.array([0, 1, 2, 3, 4, 1000, 1001, 10**9]))
    assert index.tolist() == [1, 2, 4, 5, 6, 21, 21, DEGREES - 1]


def test_json():
    featurizer = featurizer_of(knowledge(features=True), entities=False, sampling={"nodes": 5})
    again = featurizer_from_json(json.loads(json.dumps(featurizer.to_json())))
    assert again.to_json() == featurizer.to_json()
    assert again.encoder_inputs == {"features": 2}
    assert featurizer_of(knowledge()).encoder_inputs == {"entities": 6}
