"""Each assertion catches a module that breaks its property."""

import pytest
import torch
from torch import nn

from molvec.graph import EncoderOutput
from molvec.testing import (
    assert_independent_of_batch,
    assert_mask_local,
    assert_motion_invariant,
    assert_permutation_equivariant,
    permute_nodes,
    perturb_hidden,
)
from tests.graphs import batch_of, molecule


class PerNode(nn.Module):
    """A sound encoder: each node on its own."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(120, 4)

    def nodes(self, batch):
        return self.table(batch.x[:, 0])

    def forward(self, batch, visible=None):
        h = self.nodes(batch)
        h = h if visible is None else h[visible]
        return EncoderOutput(h, (h,), h)


class NumbersNodes(PerNode):
    def nodes(self, batch):
        return super().nodes(batch) + torch.arange(batch.num_nodes)[:, None]


class BatchNormed(PerNode):
    def nodes(self, batch):
        h = super().nodes(batch)
        return (h - h.mean(0)) / (h.std(0) + 1)


class LeaksNodes(PerNode):
    def nodes(self, batch):
        return super().nodes(batch) + batch.x.float().mean()


class LeaksEdges(PerNode):
    def nodes(self, batch):
        return super().nodes(batch) + batch.edge_attr.float().mean()


GRAPHS = ["CCO", "CC#N"]
VISIBLE = torch.tensor([True, True, False, True, False, True])


def test_a_sound_encoder_passes_all():
    graphs = [molecule(s) for s in GRAPHS]
    assert_permutation_equivariant(PerNode(), graphs[0])
    assert_independent_of_batch(PerNode(), graphs)
    assert_mask_local(PerNode(), graphs, VISIBLE)


def test_node_numbers_are_caught():
    with pytest.raises(AssertionError, match=r"numbering of the nodes: they differ by [1-9]"):
        assert_permutation_equivariant(NumbersNodes(), molecule("CC(F)O"))


def test_batch_statistics_are_caught():
    with pytest.raises(AssertionError, match="rest of the batch"):
        assert_independent_of_batch(BatchNormed(), [molecule(s) for s in GRAPHS])


@pytest.mark.parametrize("bad", [LeaksNodes, LeaksEdges])
def test_leaks_are_caught(bad):
    with pytest.raises(AssertionError, match="leak"):
        assert_mask_local(bad(), [molecule(s) for s in GRAPHS], VISIBLE)


def test_a_wrong_number_of_rows_is_caught():
    class IgnoresMask(PerNode):
        def forward(self, batch, visible=None):
            return super().forward(batch)

    sound = PerNode()
    with pytest.raises(AssertionError, match="leak"):
        assert_mask_local(IgnoresMask(), [molecule(s) for s in GRAPHS], VISIBLE)
    assert_mask_local(sound, [molecule(s) for s in GRAPHS], VISIBLE)


def test_perturbation_changes_hidden_records_only():
    batch = batch_of(*GRAPHS)
    changed = perturb_hidden(batch, ~VISIBLE)
    assert torch.equal(changed.x[VISIBLE], batch.x[VISIBLE])
    assert not torch.equal(changed.x, batch.x)
    touched = (~VISIBLE)[batch.edge_index].any(0)
    assert torch.equal(changed.edge_attr[~touched], batch.edge_attr[~touched])


def test_permuted_graphs_keep_their_bonds():
    graph = molecule("CC#N")
    permuted = permute_nodes(graph, torch.tensor([2, 0, 1]))
    assert permuted.x[0, 0] == 7
    triple = permuted.edge_attr[:, 0] == 3
    assert sorted(map(tuple, permuted.edge_index.T[triple].tolist())) == [(0, 2), (2, 0)]
    assert (permuted.edge_index[1].diff() >= 0).all()


class ReadsCoordinates(PerNode):
    def nodes(self, batch):
        return super().nodes(batch) + batch.pos[:, :1]


class ReadsHandedness(PerNode):
    """A triple product changes its sign in a mirror; rotations and shifts leave it alone."""

    def nodes(self, batch):
        a, b, c = (batch.pos[i] - batch.pos[0] for i in (1, 2, 3))
        return super().nodes(batch) + torch.dot(torch.linalg.cross(a, b), c)


def test_motions_that_change_outputs_are_found():
    graph = molecule("CC(N)O")
    graph.pos = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert_motion_invariant(PerNode(), [graph], atol=0)
    with pytest.raises(AssertionError, match="outputs change with a rotation"):
        assert_motion_invariant(ReadsCoordinates(), [graph], atol=1e-4)
    with pytest.raises(AssertionError, match="outputs change with a reflection"):
        assert_motion_invariant(ReadsHandedness(), [graph], atol=1e-4)
