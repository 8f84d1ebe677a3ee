import torch

from molvec.nn.readout import READOUTS, WIDTH


def test_readouts_against_a_loop_over_graphs():
    nodes, graph = torch.randn(6, 3), torch.tensor([0, 0, 0, 1, 2, 2])
    parts = [nodes[graph == g] for g in range(3)]
    mean = torch.stack([p.mean(0) for p in parts])
    assert torch.allclose(READOUTS["mean"](nodes, graph, 3), mean)
    total = torch.stack([p.sum(0) for p in parts])
    both = READOUTS["mean_sum"](nodes, graph, 3)
    assert torch.allclose(both, torch.cat([mean, total], 1), atol=1e-6)
    wide = READOUTS["mean_max_sum"](nodes, graph, 3)
    largest = torch.stack([p.max(0).values for p in parts])
    assert torch.allclose(wide, torch.cat([mean, largest, total], 1), atol=1e-6)


def test_widths_are_true():
    for name, readout in READOUTS.items():
        output = readout(torch.randn(4, 7), torch.zeros(4, dtype=torch.int64), 1)
        assert output.shape == (1, 7 * WIDTH[name])
