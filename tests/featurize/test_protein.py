import numpy as np
import pytest
import torch

from molvec.featurize.protein import CONTACT, RESIDUE, ProteinFeaturizer
from molvec.graph import validate
from molvec.records import Chain


def make(sequence, ca):
    backbone = np.full((len(sequence), 4, 3), np.nan, dtype=np.float32)
    backbone[:, 1] = ca
    return Chain("x_A", sequence, tuple(map(str, range(len(sequence)))), backbone)


@pytest.fixture
def chain():
    """A line of four residues 3.8 A apart, a gap, two more."""
    x = [0, 3.8, 7.6, 11.4, 30.0, 33.8]
    return make("AMGXWC", [[value, 0, 0] for value in x])


def edges_of(graph):
    names = {index: name for name, index in CONTACT.lookups()[0].items()}
    triples = zip(*graph.edge_index.tolist(), graph.edge_attr[:, 0].tolist(), strict=True)
    return {(source, target): names[relation] for source, target, relation in triples}


def test_residues_and_relations(chain):
    graph = ProteinFeaturizer(cutoff=8.0)(chain)
    validate(graph)
    letters = ["A", "M", "G", None, "W", "C"]
    lookup = RESIDUE.lookups()[0]
    assert graph.x[:, 0].tolist() == [lookup.get(letter, 21) for letter in letters]
    assert graph.pos.tolist() == chain.ca.tolist()
    edges = edges_of(graph)
    assert edges == {
        (1, 0): "next", (0, 1): "previous",
        (2, 1): "next", (1, 2): "previous",
        (3, 2): "next", (2, 3): "previous",
        (5, 4): "next", (4, 5): "previous",
        (2, 0): "space", (0, 2): "space",
        (3, 1): "space", (1, 3): "space",
    }  # fmt: skip
    assert len(edges) == graph.num_edges


def test_sequence_edges_stay_when_neighbours_are_capped(chain):
    edges = edges_of(ProteinFeaturizer(cutoff=40.0, max_neighbours=1)(chain))
    assert {pair for pair, relation in edges.items() if relation != "space"} == {
        (1, 0), (0, 1), (2, 1), (1, 2), (3, 2), (2, 3), (5, 4), (4, 5),
    }  # fmt: skip


def test_moving_a_chain_moves_nothing_but_its_positions(chain):
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    featurizer = ProteinFeaturizer()
    graph = featurizer(chain)
    moved = featurizer(make(chain.sequence, chain.ca @ rotation.numpy().T + 5))
    assert moved.edge_index.equal(graph.edge_index)
    assert moved.edge_attr.equal(graph.edge_attr)
    assert moved.x.equal(graph.x)
    assert not moved.pos.equal(graph.pos)


def test_small_chains(chain):
    one = ProteinFeaturizer()(make("A", [[0, 0, 0]]))
    assert (one.num_nodes, one.num_edges) == (1, 0)
    assert one.edge_attr.shape == (0, 1)
    with pytest.raises(ValueError, match="no residues"):
        ProteinFeaturizer()(make("", np.zeros((0, 3))))
