import copy

import pytest
import torch
from torch_geometric.data import Batch, Data

from molvec.featurize.neighbours import radius_edges
from molvec.nn.equivariant import EquivariantNorm, channels_by_degree, norms
from molvec.nn.equivariant_encoder import EquivariantEncoder
from molvec.nn.neighbourhood import places
from molvec.nn.radial import RadialBasis
from molvec.testing import (
    assert_independent_of_batch,
    assert_mask_local,
    assert_motion_invariant,
    assert_permutation_equivariant,
)


def cloud(num_nodes, seed, dtype=torch.float64):
    """Points at random, about 12 neighbours each, two node features and one edge feature."""
    generator = torch.Generator().manual_seed(seed)
    size = (num_nodes * 40) ** (1 / 3)
    pos = size * torch.rand(num_nodes, 3, generator=generator, dtype=torch.float64)
    edge_index = radius_edges(pos, 5.0)
    return Data(
        x=torch.randint(1, 5, (num_nodes, 2), generator=generator),
        pos=pos.to(dtype),
        edge_index=edge_index,
        edge_attr=torch.randint(1, 4, (edge_index.shape[1], 1), generator=generator),
    )


def build(lmax=1, dtype=torch.float64, **kwargs):
    torch.manual_seed(0)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # e3nn rounds its constants to this
    arguments = {"node_sizes": (5, 5), "edge_sizes": (4,), "dim": 16, "depth": 3, **kwargs}
    try:
        return EquivariantEncoder(**arguments, lmax=lmax).to(dtype).eval()
    finally:
        torch.set_default_dtype(usual)


def train_a_little(encoder, dtype):
    """Weights that are no longer those of the initialisation."""
    batch = Batch.from_data_list([cloud(20, seed, dtype) for seed in range(4)])
    goal = torch.randn(batch.num_nodes, 16, generator=torch.Generator().manual_seed(9)).to(dtype)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = (encoder(batch).output - goal).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    return encoder


@pytest.fixture(scope="module", params=[(1, False), (1, True), (2, True)], ids=str)
def encoders(request):
    """The same encoder in float64 and float32, at random start or trained."""
    lmax, trained = request.param
    double = build(lmax)
    if trained:
        double = train_a_little(double, torch.float64)
    return double, copy.deepcopy(double).float()


def both(encoders):
    double, single = encoders
    return (double, torch.float64, 1e-9), (single, torch.float32, 1e-4)


def test_motions_change_nothing(encoders):
    for encoder, dtype, atol in both(encoders):
        graphs = [cloud(n, n, dtype) for n in (2, 13, 40)]
        assert_motion_invariant(encoder, graphs, atol=atol)


def test_renumbering_nodes_renumbers_outputs(encoders):
    for encoder, dtype, atol in both(encoders):
        assert_permutation_equivariant(encoder, cloud(25, 1, dtype), atol=atol)


def test_outputs_do_not_depend_on_the_batch(encoders):
    for encoder, dtype, atol in both(encoders):
        graphs = [cloud(n, n, dtype) for n in (1, 9, 30)]
        assert_independent_of_batch(encoder, graphs, atol=atol)


@pytest.mark.parametrize("seed", range(3))
def test_hidden_nodes_do_not_leak(encoders, seed):
    graphs = [cloud(20, 1), cloud(12, 2)]
    visible = torch.rand(32, generator=torch.Generator().manual_seed(seed)) < 0.5
    assert_mask_local(encoders[0], graphs, visible)


def test_views_are_encoded_each_by_itself(encoders):
    encoder = encoders[0]
    batch = Batch.from_data_list([cloud(20, 1), cloud(12, 2)])
    views = torch.rand(3, 32, generator=torch.Generator().manual_seed(0)) < 0.6
    together = encoder(batch, visible=views).output
    alone = torch.cat([encoder(batch, visible=view).output for view in views])
    assert together.shape == (int(views.sum()), 16)
    assert float((together - alone).detach().abs().max()) < 1e-12


def test_outputs_depend_on_positions_and_on_all_neighbours(encoders):
    encoder = encoders[0]
    graph = cloud(25, 3)
    stretched = graph.clone()
    stretched.pos = graph.pos * 1.1
    before, after = (encoder(Batch.from_data_list([g])).output for g in (graph, stretched))
    assert float((before - after).abs().max().detach()) > 1e-3


@pytest.mark.parametrize("lmax", [1, 2])
def test_hidden_states_may_hold_lengths_of_vectors(lmax):
    """They do not turn, and scalars are what they are without."""
    plain, long = build(lmax), build(lmax, norms=True)
    graphs = [cloud(n, n) for n in (2, 13, 40)]
    assert_motion_invariant(long, graphs, atol=1e-9)
    assert_permutation_equivariant(long, cloud(25, 1), atol=1e-9)
    assert_mask_local(long, [cloud(20, 1)], torch.arange(20) < 11)
    batch = Batch.from_data_list(graphs)
    expected, found = plain(batch), long(batch)
    assert (plain.hidden_dim, long.hidden_dim) == (16, 16 + 4 * lmax)
    assert torch.equal(found.output, expected.output)
    for scalars, hidden in zip(expected.hidden_states, found.hidden_states, strict=True):
        assert hidden.shape == (batch.num_nodes, long.hidden_dim)
        assert torch.equal(hidden[:, :16], scalars)
        assert (hidden[:, 16:] > 0).all()
        assert float(hidden[:, 16:].std(0).min().detach()) > 1e-2


def test_lengths_are_smooth_where_vectors_vanish():
    vectors = torch.zeros(2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norms, vectors)
    long = torch.tensor([[3.0], [0.0], [-4.0]])[None]
    assert float(norms(long)) == pytest.approx((25 / 3) ** 0.5, rel=1e-5)


def test_gradients_are_those_of_finite_differences():
    encoder = build()
    graph = cloud(12, 4)

    def energy(pos):
        moved = graph.clone()
        moved.pos = pos
        return encoder(Batch.from_data_list([moved])).output.sum()

    assert torch.autograd.gradcheck(energy, graph.pos.clone().requires_grad_(), eps=1e-6, atol=1e-5)


def test_energy_is_smooth_where_a_neighbour_leaves():
    """An edge at the cutoff carries nothing, so its presence does not matter."""
    encoder = build()
    pair = Data(
        x=torch.ones(2, 2, dtype=torch.int64),
        pos=torch.tensor([[0.0, 0, 0], [5.0, 0, 0]], dtype=torch.float64),
        edge_index=torch.tensor([[1, 0], [0, 1]]),
        edge_attr=torch.ones(2, 1, dtype=torch.int64),
    )
    apart = pair.clone()
    apart.edge_index, apart.edge_attr = pair.edge_index[:, :0], pair.edge_attr[:0]
    outputs = [encoder(Batch.from_data_list([graph])).output for graph in (pair, apart)]
    assert float((outputs[0] - outputs[1]).abs().max().detach()) < 1e-12


def test_points_at_one_place_give_numbers():
    graph = cloud(6, 5)
    graph.pos = torch.zeros(6, 3, dtype=torch.float64, requires_grad=True)
    output = build()(Batch.from_data_list([graph])).output
    output.sum().backward()
    assert torch.isfinite(output).all()
    assert torch.isfinite(graph.pos.grad).all()


def test_radial_basis_ends_smoothly():
    distance = torch.tensor([0.0, 2.5, 4.999, 5.0, 6.0], dtype=torch.float64, requires_grad=True)
    basis, envelope = RadialBasis(5.0, 8)(distance)
    assert basis.shape == (5, 8)
    middle = 1 - 28 / 64 + 48 / 128 - 21 / 256
    assert envelope.tolist() == pytest.approx([1, middle, 0, 0, 0], abs=1e-6)
    (slope,) = torch.autograd.grad(envelope.sum(), distance)
    assert slope[[0, 2, 3, 4]].abs().max() < 1e-4


def test_norm_makes_channels_of_unit_size():
    channels = channels_by_degree(8, 2)
    norm = EquivariantNorm(channels).double()
    shapes = [(50, 2 * degree + 1, width) for degree, width in enumerate(channels)]
    features = [100 * torch.randn(shape, dtype=torch.float64) for shape in shapes]
    for normed in norm(features):
        assert float(normed.detach().square().mean()) == pytest.approx(1, rel=0.01)
    nothing = norm([torch.zeros(shape, dtype=torch.float64) for shape in shapes])
    assert all(torch.isfinite(normed).all() for normed in nothing)
    rounding = norm([1e-7 * torch.randn(shape, dtype=torch.float64) for shape in shapes])
    assert max(float(normed.detach().abs().max()) for normed in rounding[1:]) < 1e-6


def test_places_of_edges_in_a_table_of_neighbours():
    place, width = places(torch.tensor([0, 0, 2, 2, 2, 3]), 5)
    assert width == 3
    assert place.tolist() == [0, 1, 6, 7, 8, 9]
    place, width = places(torch.zeros(0, dtype=torch.int64), 5)
    assert (len(place), width) == (0, 0)


def test_settings_that_cannot_be():
    with pytest.raises(ValueError, match="lmax must be 1 or 2, got 3"):
        build(lmax=3)
    with pytest.raises(ValueError, match="dim must be a multiple of 4, got 15"):
        build(dim=15)
