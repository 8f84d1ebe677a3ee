"""Structure against networkx and plain matrix powers, one graph at a time."""

import networkx as nx
import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.utils import to_networkx

from molvec.nn.structure import MAX_DEGREE, MAX_DISTANCE, WALK_STEPS, structure_of
from tests.graphs import SMILES, batch_of, molecule


@pytest.mark.parametrize("smiles", [*SMILES, "C" * 20])
def test_distances_are_networkx_shortest_paths_clipped(smiles):
    batch = batch_of("CC", smiles)  # the second graph of a batch, so that offsets matter
    graph = to_networkx(molecule(smiles), to_undirected=True)
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    far = MAX_DISTANCE + 1
    expected = [
        [min(lengths[i].get(j, far), far) for j in range(len(graph))] for i in range(len(graph))
    ]
    n = len(graph)
    assert structure_of(batch).distance[1, :n, :n].tolist() == expected


@pytest.mark.parametrize("smiles", SMILES)
def test_walks_are_diagonals_of_powers_of_the_transition_matrix(smiles):
    graph = molecule(smiles)
    adjacency = np.zeros((graph.num_nodes, graph.num_nodes))
    adjacency[graph.edge_index[1], graph.edge_index[0]] = 1
    step = adjacency / adjacency.sum(1, keepdims=True).clip(min=1)
    expected = [np.diag(np.linalg.matrix_power(step, k)) for k in range(1, WALK_STEPS + 1)]
    walk = structure_of(batch_of("CCCCCCCC", smiles)).walk[8:]
    np.testing.assert_allclose(walk, np.stack(expected, 1), atol=1e-6)


def test_walks_are_float32_whatever_the_network_computes_in():
    exact = structure_of(batch_of("c1ccccc1CO")).walk
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(structure_of(batch_of("c1ccccc1CO")).walk, exact, rtol=0, atol=0)


def test_edges_point_to_their_row_of_edge_attr():
    batch = batch_of("C#N", "C=O")
    edge = structure_of(batch).edge
    assert edge.shape == (2, 2, 2)
    assert edge[:, 0, 0].tolist() == [0, 0]
    order = batch.edge_attr[edge[:, 0, 1] - 1, 0]
    assert order.tolist() == [3, 2]  # triple, double


def test_degree_is_clipped():
    star = torch.arange(1, 13)
    edge_index = torch.cat([torch.stack([star, 0 * star]), torch.stack([0 * star, star])], 1)
    graph = Data(x=torch.ones(13, 1, dtype=torch.int64), edge_index=edge_index)
    degree = structure_of(Batch.from_data_list([graph])).degree
    assert degree[0] == MAX_DEGREE
    assert degree[1:].tolist() == [1] * 12


def test_structure_is_computed_once_per_batch():
    batch = batch_of("CCO")
    assert structure_of(batch) is structure_of(batch)
