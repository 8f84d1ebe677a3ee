import pytest
import torch
from torch_geometric.data import Data

from molvec.graph import validate


def graph(**changes):
    fields = {
        "x": torch.ones(3, 2, dtype=torch.int64),
        "edge_index": torch.tensor([[1, 0, 2, 1], [0, 1, 1, 2]]),
        "edge_attr": torch.ones(4, 1, dtype=torch.int64),
    }
    return Data(**{**fields, **changes})


def test_a_sound_graph_passes():
    validate(graph())
    validate(graph(pos=torch.zeros(3, 3)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": torch.ones(3, 2)}, "x must be int64"),
        ({"x": torch.ones(3, dtype=torch.int64)}, "x must be int64"),
        ({"x": torch.ones(0, 2, dtype=torch.int64)}, "at least one node"),
        ({"edge_index": torch.ones(4, 2, dtype=torch.int64)}, "edge_index must be int64"),
        ({"edge_attr": torch.ones(3, 1, dtype=torch.int64)}, r"edge_attr must be int64 \[4"),
        ({"edge_index": torch.tensor([[1, 0, 2, 1], [0, 1, 1, 3]])}, r"lie in \[0, 3\)"),
        ({"edge_index": torch.tensor([[1, 0, 1, 2], [0, 1, 2, 1]])}, "sorted by target"),
        ({"pos": torch.zeros(2, 3)}, r"pos must be float \[3, 3\]"),
    ],
)
def test_breaches_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        validate(graph(**changes))
