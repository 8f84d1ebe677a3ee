"""One look-up in joined tables is the sum of a look-up in each."""

import pytest
import torch
from torch import nn

from molvec.nn.embedding import embed_sum


@pytest.mark.parametrize("rows", [7, 0])
@pytest.mark.parametrize("sizes", [(5,), (5, 3, 9)])
def test_values_and_gradients(sizes, rows):
    torch.manual_seed(0)
    tables = nn.ModuleList(nn.Embedding(size, 4) for size in sizes).double()
    index = torch.stack([torch.randint(size, (rows,)) for size in sizes], dim=1)
    weight = torch.randn(rows, 4).double()

    def run(output):
        tables.zero_grad()
        (output * weight).sum().backward()
        return output, [table.weight.grad for table in tables]

    found, gradients = run(embed_sum(tables, index))
    one_by_one = torch.zeros(rows, 4).double()
    for i, table in enumerate(tables):
        one_by_one = one_by_one + table(index[:, i])
    expected, one_by_one_gradients = run(one_by_one)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients, one_by_one_gradients)


def test_every_column_reads_its_own_table():
    tables = nn.ModuleList([nn.Embedding(2, 1), nn.Embedding(2, 1)])
    with torch.no_grad():
        tables[0].weight.copy_(torch.tensor([[1.0], [2.0]]))
        tables[1].weight.copy_(torch.tensor([[10.0], [20.0]]))
    index = torch.tensor([[0, 0], [1, 0], [0, 1]])
    assert embed_sum(tables, index).flatten().tolist() == [11.0, 12.0, 21.0]
