import pytest
import torch

from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.presets import PRESETS, build_encoder
from molvec.testing import (
    assert_independent_of_batch,
    assert_mask_local,
    assert_permutation_equivariant,
)
from tests.graphs import SMILES, batch_of, molecule

SIZES = {"node_sizes": (120, 9, 7, 4, 4, 5), "edge_sizes": (6, 5)}


@pytest.fixture(params=[False, True], ids=["attention", "attention+gine"])
def encoder(request):
    torch.manual_seed(0)
    encoder = GraphTransformer(**SIZES, dim=32, depth=3, heads=4, local=request.param)
    # Large random weights: at the usual initialisation a leak could hide in small numbers.
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.mul_(2.0)
    return encoder.eval()


@pytest.mark.parametrize("smiles", [s for s in SMILES if s != "C"])
def test_renumbering_nodes_renumbers_outputs(encoder, smiles):
    assert_permutation_equivariant(encoder, molecule(smiles), atol=1e-4)


def test_outputs_do_not_depend_on_the_batch(encoder):
    assert_independent_of_batch(encoder, [molecule(s) for s in SMILES], atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_hidden_nodes_do_not_leak(encoder, seed):
    graphs = [molecule(s) for s in SMILES]
    num_nodes = sum(g.num_nodes for g in graphs)
    visible = torch.rand(num_nodes, generator=torch.Generator().manual_seed(seed)) < 0.5
    assert_mask_local(encoder, graphs, visible)


def test_no_gradient_reaches_the_features_of_hidden_nodes(encoder):
    batch = batch_of("CCO", "CC#N")
    visible = torch.tensor([True, True, False, True, True, True])  # the oxygen is hidden
    encoder(batch, visible=visible).output.sum().backward()
    element = encoder.nodes.tables[0].weight.grad
    assert element[8].abs().sum() == 0  # atomic number 8 sits at index 8
    assert element[6].abs().sum() > 0


def test_every_hidden_state_is_returned_and_shapes_follow_visible(encoder):
    batch = batch_of()
    full = encoder(batch)
    assert full.output.shape == full.embedded.shape == (batch.num_nodes, 32)
    assert [tuple(s.shape) for s in full.hidden_states] == [(batch.num_nodes, 32)] * 3
    visible = torch.zeros(2, batch.num_nodes, dtype=torch.bool)
    visible[0, ::2] = True
    visible[1, 1::3] = True
    part = encoder(batch, visible=visible)
    assert part.output.shape == (int(visible.sum()), 32)


def test_several_views_in_one_call_equal_one_call_per_view(encoder):
    batch = batch_of()
    visible = torch.rand(3, batch.num_nodes, generator=torch.Generator().manual_seed(1)) < 0.6
    together = encoder(batch, visible=visible)
    one_by_one = [encoder(batch, visible=view) for view in visible]
    assert torch.allclose(together.output, torch.cat([o.output for o in one_by_one]), atol=1e-4)


def test_all_visible_equals_no_mask(encoder):
    batch = batch_of()
    visible = torch.ones(batch.num_nodes, dtype=torch.bool)
    assert torch.equal(encoder(batch).output, encoder(batch, visible=visible).output)


def test_a_graph_without_a_visible_node_disturbs_no_other(encoder):
    batch = batch_of("CCO", "c1ccccc1")
    visible = torch.ones(9, dtype=torch.bool)
    visible[:3] = False
    alone = encoder(batch_of("c1ccccc1")).output
    output = encoder(batch, visible=visible).output
    assert output.isfinite().all()
    assert torch.allclose(output, alone, atol=1e-4)


def test_single_atom_and_no_bonds(encoder):
    for smiles in ("C", "[Na+].[Cl-]"):
        output = encoder(batch_of(smiles)).output
        assert output.isfinite().all()
    sodium, chloride = encoder(batch_of("[Na+].[Cl-]")).output
    assert not torch.allclose(sodium, chloride)


def test_bonds_matter_and_so_does_distance(encoder):
    single, double = (encoder(batch_of(s)).output for s in ("CC", "C=C"))
    assert not torch.allclose(single, double, atol=1e-3)
    near, far = (encoder(batch_of(s)).output.mean(0) for s in ("FC(F)CCC", "FCC(F)CC"))
    assert not torch.allclose(near, far, atol=1e-3)


def test_head_count_must_divide_the_width():
    with pytest.raises(ValueError, match=r"dim \(30\) must be a multiple of heads \(4\)"):
        GraphTransformer(**SIZES, dim=30, depth=1, heads=4)


@pytest.mark.parametrize(("name", "millions"), [("tiny", 0.16), ("small", 4.78), ("base", 37.9)])
def test_presets_have_the_sizes_they_promise(name, millions):
    config = {"family": "graph_transformer", **PRESETS["graph_transformer"][name]}
    encoder = build_encoder(config, **SIZES)
    count = sum(p.numel() for p in encoder.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.03)


def test_unknown_family_names_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown encoder family 'gin'; known: graph_transformer, equivariant"
    ):
        build_encoder({"family": "gin"}, **SIZES)


def test_dropout_changes_training_mode_alone_and_no_names():
    torch.manual_seed(0)
    plain = GraphTransformer(**SIZES, dim=32, depth=2, heads=4)
    dropping = GraphTransformer(**SIZES, dim=32, depth=2, heads=4, dropout=0.3)
    assert list(plain.state_dict()) == list(dropping.state_dict())
    dropping.load_state_dict(plain.state_dict())
    batch = batch_of()
    expected = plain.train()(batch).output
    assert torch.equal(plain.eval()(batch).output, expected)
    assert torch.equal(dropping.eval()(batch).output, expected)
    dropping.train()
    torch.manual_seed(1)
    first = dropping(batch)
    assert not torch.allclose(first.output, expected, atol=1e-2)
    torch.manual_seed(1)
    assert torch.equal(dropping(batch).output, first.output)
    assert (first.hidden_states[-1] != 0).all()  # the feed-forward output, before its dropout


def test_layers_hold_every_parameter_once(encoder):
    layers = encoder.layers()
    assert len(layers) == 4
    assert layers[0] == [encoder.nodes, encoder.structure, encoder.bias]
    assert all(layers[i + 1][0] is block for i, block in enumerate(encoder.blocks))
    assert layers[-1][-1] is encoder.norm
    held = [p for layer in layers for module in layer for p in module.parameters()]
    assert len(held) == len({id(p) for p in held}) == len(list(encoder.parameters()))


def test_random_walks_tell_rings_of_different_size_apart():
    hexagon, two_triangles = batch_of("C1CCCCC1"), batch_of("C1CC1.C1CC1")  # all of degree 2
    for random_walk in (True, False):
        torch.manual_seed(0)
        encoder = GraphTransformer(**SIZES, dim=16, depth=1, heads=2, random_walk=random_walk)
        inputs = [encoder(batch).embedded[0] for batch in (hexagon, two_triangles)]
        assert torch.equal(*inputs) != random_walk
