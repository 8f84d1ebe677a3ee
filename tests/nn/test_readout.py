import torch

from molvec.graph import Encoder, EncoderOutput
from molvec.nn.readout import NODES, READOUTS, REDUCTIONS, graph_width, node_width


def test_readouts_against_a_loop_over_graphs():
    nodes, inputs, graph = torch.randn(6, 3), torch.randn(6, 3), torch.tensor([0, 0, 0, 1, 2, 2])
    hidden = torch.randn(6, 3)
    encoded = EncoderOutput(nodes, (hidden,), inputs)

    def over(x, reduce):
        return torch.stack([reduce(x[graph == g]) for g in range(3)])

    def mean(x):
        return over(x, lambda part: part.mean(0))

    def largest(x):
        return over(x, lambda part: part.max(0).values)

    def total(x):
        return over(x, lambda part: part.sum(0))

    expected = {
        "mean": [mean(nodes)],
        "mean_sum": [mean(nodes), total(nodes)],
        "mean_max_sum": [mean(nodes), largest(nodes), total(nodes)],
        "jk_mean_max_sum": [f(x) for f in (mean, largest, total) for x in (inputs, nodes)],
        "layers_mean": [mean(x) for x in (inputs, hidden, nodes)],
        "layers_mean_sum": [pool(x) for pool in (mean, total) for x in (inputs, hidden, nodes)],
    }
    assert set(expected) == set(READOUTS)
    for name, parts in expected.items():
        found = READOUTS[name](encoded, graph, 3)
        assert torch.allclose(found, torch.cat(parts, 1), atol=1e-6), name


class Wider(Encoder):
    dim, depth, hidden_dim = 7, 2, 9


def test_widths_are_true():
    assert set(REDUCTIONS) == set(NODES) == set(READOUTS)
    encoder = Wider()
    encoded = EncoderOutput(torch.randn(4, 7), (torch.randn(4, 9),) * 2, torch.randn(4, 7))
    for name, readout in READOUTS.items():
        output = readout(encoded, torch.zeros(4, dtype=torch.int64), 1)
        assert output.shape == (1, graph_width(name, encoder))
        nodes = NODES[name](encoded)
        assert nodes.shape == (4, node_width(name, encoder))
        mean = output[0, : node_width(name, encoder)]  # the first part of every readout
        assert torch.allclose(mean, nodes.mean(0), atol=1e-6)
