import torch

from molvec.nn.packing import pack
from tests.graphs import batch_of


def test_padding_and_back_keeps_every_visible_token():
    batch = batch_of("CCO", "C", "CC#N")
    visible = torch.tensor(
        [[1, 0, 1, 1, 0, 0, 1], [1, 1, 1, 0, 1, 1, 0]], dtype=torch.bool
    )  # second view: the single atom is hidden
    packing = pack(batch, visible)
    assert packing.used.shape == (6, 3)
    assert packing.used.sum(1).tolist() == [2, 1, 1, 3, 0, 2]
    assert packing.node.tolist() == [0, 2, 3, 6, 0, 1, 2, 4, 5]
    tokens = torch.randn(9, 5)
    padded = packing.pad(tokens)
    assert padded.shape == (6, 3, 5)
    assert torch.equal(packing.flatten(padded), tokens)
    assert padded[~packing.used].abs().sum() == 0


def test_pairs_take_rows_and_columns_of_the_visible_nodes():
    batch = batch_of("CCO", "CC#N")
    values = torch.arange(18).view(2, 3, 3)
    visible = torch.tensor([True, False, True, False, True, True])
    pairs = pack(batch, visible).pairs(values)
    assert pairs[0].tolist() == [[0, 2], [6, 8]]
    assert pairs[1].tolist() == [[13, 14], [16, 17]]
