"""What the cost benchmark measures, and that molvec's encoder has no matrix per edge."""

import pytest
import torch
from e3nn import o3
from torch import nn
from torch_geometric.data import Batch

from benchmarks.cost import (
    bytes_saved,
    chain_memory,
    check_products,
    contenders,
    measure,
    product_modes,
)
from benchmarks.painn import PaiNN
from molvec.graph import EncoderOutput
from molvec.nn.equivariant_encoder import EquivariantEncoder
from molvec.testing import (
    assert_independent_of_batch,
    assert_motion_invariant,
    assert_permutation_equivariant,
)
from tests.nn.test_equivariant_encoder import cloud


def graphs(*sizes, dtype=torch.float32):
    found = [cloud(n, n, dtype) for n in sizes]
    for graph in found:
        graph.x = graph.x[:, :1]
    return found


@pytest.mark.parametrize("lmax", [1, 2])
def test_no_product_of_the_encoder_mixes_channels_on_edges(lmax):
    encoder = EquivariantEncoder(node_sizes=(7,), edge_sizes=(), dim=16, depth=2, lmax=lmax)
    check_products(encoder)
    assert "uvw" not in product_modes(encoder)


def test_a_product_that_does_is_found():
    vector = o3.Irreps("2x0e + 2x1o")
    bad = nn.Sequential(nn.Linear(2, 2), o3.FullyConnectedTensorProduct(vector, "1x1o", vector))
    assert product_modes(bad) == {"uvw"}
    with pytest.raises(ValueError, match="Sequential has a uvw tensor product"):
        check_products(bad)


class Square(nn.Module):
    """Keeps its input, a product, and nothing else."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, batch, visible=None):
        h = batch.pos * self.weight
        return EncoderOutput(h, (h,), h)


def test_bytes_that_are_kept():
    """The square in the loss keeps ``h``, once; positions and weights are there anyway."""
    batch = Batch.from_data_list(graphs(9, 12))
    assert bytes_saved(Square(), batch) == 21 * 3 * 4
    double = Batch.from_data_list(graphs(9, 12, dtype=torch.float64))
    assert bytes_saved(Square().double(), double) == 21 * 3 * 8


def test_the_yardstick_is_sound():
    torch.manual_seed(0)
    yardstick = PaiNN(node_sizes=(5,), dim=16, depth=2, cutoff=5.0).double()
    clouds = graphs(2, 13, 30, dtype=torch.float64)
    assert_motion_invariant(yardstick, clouds, atol=1e-9)
    assert_permutation_equivariant(yardstick, clouds[1], atol=1e-9)
    assert_independent_of_batch(yardstick, clouds, atol=1e-9)
    (moved,) = graphs(30, dtype=torch.float64)
    moved.pos = moved.pos * 1.1
    outputs = [yardstick(Batch.from_data_list([g])).output for g in (clouds[2], moved)]
    assert float((outputs[0] - outputs[1]).abs().max().detach()) > 1e-3


def test_one_row_per_network():
    batch = Batch.from_data_list(graphs(9, 12))
    rows = measure(contenders(dim=16, depth=1), batch, rounds=1)
    assert [row["network"] for row in rows] == [
        "PaiNN-like",
        "equivariant, lmax 1",
        "equivariant, lmax 2",
        "graph Transformer with distances",
    ]
    assert rows[0]["relative_rate"] == 1
    assert all(row["atoms_per_second"] > 0 and row["parameters"] > 0 for row in rows)
    assert rows[2]["bytes_per_20000_edges"] > rows[1]["bytes_per_20000_edges"] > 0


def test_memory_of_attention_grows_faster_than_that_of_edges():
    rows = chain_memory((60, 240), "tiny")
    few, many, less, more = (row["bytes"] for row in rows)
    assert [row["residues"] for row in rows] == [60, 240, 60, 240]
    assert 3 < many / few < 6
    assert more / less > 8
