import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from molvec.masking import MASKS, MaskSampler, connected_subgraph, spatial_ball
from tests.graphs import SMILES, molecule


def hidden_subgraph(graph, mask):
    edges = graph.edge_index.T.tolist()
    whole = nx.Graph(edges)
    whole.add_nodes_from(range(graph.num_nodes))
    return whole.subgraph(mask.nonzero().flatten().tolist())


@pytest.mark.parametrize("smiles", ["CC(C)Cc1ccc(cc1)C(C)C(=O)O", "c1ccc2c(c1)[nH]c1ccccc12"])
@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.8])
def test_subgraph_masks_are_connected_and_of_the_right_size(smiles, ratio):
    graph = molecule(smiles)
    sampler = MaskSampler(ratio=ratio, views=4)
    for sample in range(25):
        for mask in sampler(graph, epoch=0, sample=sample):
            assert int(mask.sum()) == round(ratio * graph.num_nodes)
            assert nx.is_connected(hidden_subgraph(graph, mask))


def test_random_masks_are_usually_not_connected():
    graph = molecule("C" * 20)
    sampler = MaskSampler(kind="random", views=50)
    pieces = [
        nx.number_connected_components(hidden_subgraph(graph, mask))
        for mask in sampler(graph, epoch=0, sample=0)
    ]
    assert np.mean(pieces) > 3


def test_growth_goes_on_in_another_component_when_one_is_used_up():
    neighbours = [[], [], [3], [2, 4], [3]]  # [Na+].[Cl-].CCO
    for seed in range(20):
        rng = np.random.default_rng(seed)
        mask = connected_subgraph(neighbours, 4, rng)
        assert mask.sum() == 4


@pytest.mark.parametrize("kind", MASKS)
def test_every_node_is_hidden_about_equally_often(kind):
    graph = molecule("C1CCCCC1")  # all nodes alike
    angle = torch.arange(6) * torch.pi / 3
    graph.pos = torch.stack([angle.cos(), angle.sin(), torch.zeros(6)], dim=1)
    sampler = MaskSampler(kind=kind, ratio=0.5, views=2000)
    share = sampler(graph, epoch=0, sample=0).float().mean(0)
    assert share.min() > 0.45
    assert share.max() < 0.55


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(MASKS)),
    num_nodes=st.integers(2, 12),
    ratio=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_one_node_at_least_is_hidden_and_one_visible(kind, num_nodes, ratio, seed):
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, num_nodes, (2, num_nodes), generator=generator)
    edge_index = torch.cat([ends, ends.flip(0)], 1)
    graph = Data(x=torch.ones(num_nodes, 1, dtype=torch.int64), edge_index=edge_index)
    graph.pos = torch.randn(num_nodes, 3, generator=generator)
    masks = MaskSampler(kind=kind, ratio=ratio, views=3, seed=seed)(graph, epoch=0, sample=0)
    assert masks.shape == (3, num_nodes)
    assert masks.any(1).all()
    assert (~masks).any(1).all()


@pytest.mark.parametrize("kind", MASKS)
def test_masks_are_a_pure_function_of_seed_epoch_and_sample(kind):
    graph = molecule(SMILES[0])
    graph.pos = torch.randn(graph.num_nodes, 3, generator=torch.Generator().manual_seed(0))

    def draw(seed=1, epoch=2, sample=3):
        return MaskSampler(kind=kind, seed=seed)(graph, epoch=epoch, sample=sample)

    assert torch.equal(draw(), draw())
    for other in (draw(seed=9), draw(epoch=9), draw(sample=9)):
        assert not torch.equal(draw(), other)
    views = draw()
    assert not torch.equal(views[0], views[1])


def test_a_single_atom_is_never_hidden():
    masks = MaskSampler()(molecule("C"), epoch=0, sample=0)
    assert masks.tolist() == [[False]] * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "cube"}, "unknown mask kind 'cube'; known: subgraph, random, ball"),
        ({"ratio": 1.0}, "ratio must lie between 0 and 1, got 1.0"),
        ({"views": 0}, "views must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskSampler(**arguments)


def test_a_ball_holds_the_points_nearest_to_one_of_them():
    pos = np.random.default_rng(0).normal(size=(30, 3))
    centers = set()
    for seed in range(40):
        mask = spatial_ball(pos, 12, np.random.default_rng(seed))
        assert mask.sum() == 12
        inside, outside = pos[mask], pos[~mask]
        radius = np.linalg.norm(inside[:, None] - pos[mask][None], axis=-1)  # [center, other]
        beyond = np.linalg.norm(inside[:, None] - outside[None], axis=-1)
        fits = radius.max(1) <= beyond.min(1)
        assert fits.any()
        centers.add(int(np.flatnonzero(mask)[fits.argmax()]))
    assert len(centers) > 10
    same = spatial_ball(np.zeros((6, 3)), 3, np.random.default_rng(0))
    assert same.sum() == 3


def test_a_ball_needs_positions():
    with pytest.raises(ValueError, match="needs positions"):
        MaskSampler(kind="ball")(molecule("CCO"), epoch=0, sample=0)
