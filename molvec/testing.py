"""Properties that every encoder must have, as assertions for its tests.

Each raises ``AssertionError`` with the measured difference; ``tests/test_testing.py`` shows that
each catches a module that breaks its property.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from molvec.graph import FEATURES, NODE_ID, POS, Encoder


def permute_nodes(graph: Data, order: Tensor) -> Data:
    """Renumber the nodes: new node ``i`` is old node ``order[i]``; edges stay sorted by target."""
    new_number = torch.empty_like(order)
    new_number[order] = torch.arange(len(order))
    edge_index = new_number[graph.edge_index]
    by_target = (edge_index[1] * len(order) + edge_index[0]).argsort()
    renumbered = Data(
        x=graph.x[order],
        edge_index=edge_index[:, by_target],
        edge_attr=graph.edge_attr[by_target],
    )
    for field in (POS, NODE_ID, FEATURES):
        if field in graph:
            renumbered[field] = graph[field][order]
    return renumbered


def move(graph: Data, motion: Tensor, shift: Tensor) -> Data:
    """Return a copy whose positions are ``pos @ motion.T + shift``; ``motion`` is ``[3, 3]``."""
    moved = graph.clone()
    moved[POS] = graph[POS] @ motion.T.to(graph[POS]) + shift.to(graph[POS])
    return moved


def perturb_hidden(graph: Data, hidden: Tensor, *, num_values: int = 3, seed: int = 0) -> Data:
    """Redraw all that hidden nodes carry, and the features of all edges that touch one.

    Args:
        graph: a graph or a batch.
        hidden: bool ``[num_nodes]``.
        num_values: new values are drawn from ``[0, num_values)``, valid in every vocabulary.
        seed: of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    changed = graph.clone()
    redrawn = torch.randint(0, num_values, graph.x.shape, generator=generator)
    changed.x = torch.where(hidden[:, None], redrawn, graph.x)
    if POS in graph:
        elsewhere = 10 * torch.rand(graph[POS].shape, generator=generator)
        changed[POS] = torch.where(hidden[:, None], elsewhere.to(graph[POS]), graph[POS])
    if NODE_ID in graph:
        redrawn = torch.randint(0, num_values, graph[NODE_ID].shape, generator=generator)
        changed[NODE_ID] = torch.where(hidden, redrawn, graph[NODE_ID])
    if FEATURES in graph:
        others = torch.randn(graph[FEATURES].shape, generator=generator)
        changed[FEATURES] = torch.where(hidden[:, None], others, graph[FEATURES])
    touched = hidden[graph.edge_index].any(0)
    redrawn = torch.randint(0, num_values, graph.edge_attr.shape, generator=generator)
    changed.edge_attr = torch.where(touched[:, None], redrawn, graph.edge_attr)
    return changed


@torch.no_grad()
def assert_permutation_equivariant(
    encoder: Encoder, graph: Data, *, atol: float = 1e-5, seed: int = 0
) -> None:
    """Renumbering the nodes renumbers the outputs and changes nothing else."""
    order = torch.randperm(graph.num_nodes, generator=torch.Generator().manual_seed(seed))
    expected = encoder(_batch(graph)).output[order]
    actual = encoder(_batch(permute_nodes(graph, order))).output
    _assert_close(actual, expected, atol, "outputs depend on the numbering of the nodes")


@torch.no_grad()
def assert_independent_of_batch(
    encoder: Encoder, graphs: list[Data], *, atol: float = 1e-5
) -> None:
    """A graph's outputs are the same alone and among others, in any order."""
    alone = [encoder(_batch(graph)).output for graph in graphs]
    for order in (range(len(graphs)), range(len(graphs) - 1, -1, -1)):
        together = encoder(_batch(*(graphs[i] for i in order))).output
        expected = torch.cat([alone[i] for i in order])
        _assert_close(together, expected, atol, "outputs depend on the rest of the batch")


@torch.no_grad()
def assert_motion_invariant(
    encoder: Encoder, graphs: list[Data], *, atol: float, seed: int = 0
) -> None:
    """Rotating, reflecting and shifting every graph leaves all outputs as they are."""
    generator = torch.Generator().manual_seed(seed)
    expected = encoder(_batch(*graphs))
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))[0]
    rotation = rotation * rotation.det().sign()  # determinant 1
    nothing, away = torch.eye(3, dtype=torch.float64), torch.tensor([3.0, -7.0, 5.0])
    still = torch.zeros(3)
    for name, motion, shift in (
        ("a rotation", rotation, still),
        ("a reflection", torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)), still),
        ("a shift", nothing, away),
    ):
        actual = encoder(_batch(*(move(graph, motion, shift) for graph in graphs)))
        _assert_close(actual.output, expected.output, atol, f"outputs change with {name}")
        for state, reference in zip(actual.hidden_states, expected.hidden_states, strict=True):
            _assert_close(state, reference, atol, f"hidden states change with {name}")


@torch.no_grad()
def assert_mask_local(
    encoder: Encoder, graphs: list[Data], visible: Tensor, *, atol: float = 0.0
) -> None:
    """Nothing a hidden node or its edges carry reaches an output; gradients neither.

    Args:
        encoder: the encoder.
        graphs: one graph or more.
        visible: bool ``[num_nodes]`` over the batch of ``graphs``.
        atol: largest difference allowed.
    """
    batch = _batch(*graphs)
    expected = encoder(batch, visible=visible)
    actual = encoder(perturb_hidden(batch, ~visible), visible=visible)
    message = "features of hidden nodes or of their edges leak"
    _assert_close(actual.output, expected.output, atol, message)
    for state, reference in zip(actual.hidden_states, expected.hidden_states, strict=True):
        _assert_close(state, reference, atol, message)


def _batch(*graphs: Data) -> Batch:
    return Batch.from_data_list(list(graphs))


def _assert_close(actual: Tensor, expected: Tensor, atol: float, message: str) -> None:
    if actual.shape != expected.shape:
        raise AssertionError(f"{message}: shape {tuple(actual.shape)}, not {tuple(expected.shape)}")
    difference = float((actual - expected).abs().max()) if actual.numel() else 0.0
    if not difference <= atol:
        raise AssertionError(f"{message}: they differ by {difference:.1e} (limit {atol:.1e})")
