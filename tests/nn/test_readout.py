import torch
from torch_geometric.data import Batch, Data

from molvec.graph import Encoder, EncoderOutput
from molvec.nn import readout
from molvec.nn.readout import PATCH, READOUTS, graph_width, node_width


def batch_of(*sizes, scale=15.0):
    """Graphs of so many points, scattered."""
    generator = torch.Generator().manual_seed(0)
    points = [scale * torch.randn(n, 3, generator=generator) for n in sizes]
    return Batch.from_data_list([Data(pos=pos, num_nodes=len(pos)) for pos in points])


def test_readouts_against_a_loop_over_graphs():
    batch = batch_of(3, 1, 2)
    nodes, inputs, hidden, graph = *torch.randn(3, 6, 3), batch.batch
    encoded = EncoderOutput(nodes, (hidden,), inputs)

    def over(x, reduce):
        return torch.stack([reduce(x[graph == g]) for g in range(3)])

    def mean(x):
        return over(x, lambda part: part.mean(0))

    def largest(x):
        return over(x, lambda part: part.max(0).values)

    def total(x):
        return over(x, lambda part: part.sum(0))

    layers = torch.cat([inputs, hidden, nodes], 1)
    distance = (batch.pos[:, None] - batch.pos).norm(dim=-1)
    near = (graph[:, None] == graph) & (distance < PATCH)
    assert 6 < near.sum() < 14  # some of the pairs of a graph, not all
    weight = 0.5 + 0.5 * torch.cos(torch.pi * distance / PATCH)
    patches = torch.stack(
        [
            (w[on, None] * layers[on]).sum(0) / w[on].sum()
            for w, on in zip(weight, near, strict=True)
        ]
    )
    expected = {
        "mean": [mean(nodes)],
        "mean_sum": [mean(nodes), total(nodes)],
        "mean_max_sum": [mean(nodes), largest(nodes), total(nodes)],
        "jk_mean_max_sum": [f(x) for f in (mean, largest, total) for x in (inputs, nodes)],
        "layers_mean": [mean(x) for x in (inputs, hidden, nodes)],
        "layers_mean_sum": [pool(x) for pool in (mean, total) for x in (inputs, hidden, nodes)],
        "layers_patch_mean": [mean(layers), mean(patches)],
    }
    assert set(expected) == set(READOUTS)
    for name, parts in expected.items():
        found = READOUTS[name](encoded, batch)
        assert torch.allclose(found, torch.cat(parts, 1), atol=1e-6), name


class Wider(Encoder):
    dim, depth, hidden_dim = 7, 2, 9


def test_widths_are_true():
    encoder, batch = Wider(), batch_of(4)
    encoded = EncoderOutput(torch.randn(4, 7), (torch.randn(4, 9),) * 2, torch.randn(4, 7))
    for name, how in READOUTS.items():
        output = how(encoded, batch)
        assert output.shape == (1, graph_width(name, encoder))
        nodes = how.nodes(encoded, batch)
        assert nodes.shape == (4, node_width(name, encoder))
        mean = output[0, : node_width(name, encoder)]  # the first part of every readout
        assert torch.allclose(mean, nodes.mean(0), atol=1e-6)


def test_a_patch_in_pieces_and_far_from_the_origin(monkeypatch):
    """Distances are taken some rows at a time, and as exactly there as anywhere."""
    batch = batch_of(40, 30)
    encoded = EncoderOutput(torch.randn(70, 3), (), torch.randn(70, 3))
    whole = READOUTS["layers_patch_mean"].nodes(encoded, batch)
    monkeypatch.setattr(readout, "ROWS", 7)
    batch.pos += 4096
    pieces = READOUTS["layers_patch_mean"].nodes(encoded, batch)
    assert torch.allclose(whole, pieces, atol=1e-4)
    assert not torch.allclose(whole[:, 6:], whole[:, :6])
