import torch

from molvec.nn.predictor import TransformerPredictor
from molvec.testing import perturb_hidden
from tests.graphs import batch_of


def build():
    torch.manual_seed(0)
    return TransformerPredictor(dim=16, width=8, depth=2, heads=2).eval()


def test_one_prediction_per_node_and_view():
    batch = batch_of("CCO", "CC#N")
    mask = torch.tensor([[0, 0, 1, 0, 1, 1], [1, 0, 0, 1, 0, 0]], dtype=torch.bool)
    context = torch.randn(7, 16)
    predictor = build()
    output = predictor(context, batch, mask)
    assert output.shape == (2, 6, 16)
    second = predictor(context[3:], batch, mask[1:])
    assert torch.allclose(output[1:], second, atol=1e-6)


def test_the_predictor_reads_topology_and_context_but_no_features():
    batch = batch_of("CCO", "CC#N")
    mask = torch.tensor([[0, 0, 1, 0, 1, 1]], dtype=torch.bool)
    context = torch.randn(3, 16)
    predictor = build()
    expected = predictor(context, batch, mask)
    everything = torch.ones(6, dtype=torch.bool)
    changed = perturb_hidden(batch, everything)
    assert not torch.equal(changed.x, batch.x)
    assert torch.equal(predictor(context, changed, mask), expected)
    assert not torch.allclose(predictor(context + 1, batch, mask), expected)


def test_masked_nodes_differ_by_where_they_are():
    batch = batch_of("CCCO")
    mask = torch.tensor([[0, 1, 1, 1]], dtype=torch.bool)
    _, first, second, third = build()(torch.randn(1, 16), batch, mask)[0]
    assert not torch.allclose(first, second, atol=1e-4)
    assert not torch.allclose(second, third, atol=1e-4)


def test_with_edge_sizes_it_reads_the_kinds_of_edges_and_still_no_node():
    batch = batch_of("CCO", "CC#N")
    torch.manual_seed(0)
    sizes = tuple(int(n) + 1 for n in batch.edge_attr.max(0).values)
    predictor = TransformerPredictor(dim=16, width=8, depth=2, heads=2, edge_sizes=sizes).eval()
    mask = torch.tensor([[0, 0, 1, 0, 1, 1], [1, 0, 0, 1, 0, 0]], dtype=torch.bool)
    context = torch.randn(7, 16)
    expected = predictor(context, batch, mask)
    assert torch.allclose(predictor(context[3:], batch, mask[1:])[0], expected[1], atol=1e-6)
    changed = batch.clone()
    changed.x = torch.zeros_like(batch.x)
    assert torch.equal(predictor(context, changed, mask), expected)
    changed.edge_attr = torch.zeros_like(batch.edge_attr)
    changed.edge_attr[:4] = batch.edge_attr[:4]  # those of the first graph
    output = predictor(context, changed, mask)
    assert torch.allclose(output[:, :3], expected[:, :3], atol=1e-6)
    assert not torch.allclose(output[:, 3:], expected[:, 3:], atol=1e-4)
