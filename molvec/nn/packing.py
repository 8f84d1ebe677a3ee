"""From flat tokens to padded rows and back: the only place where padding exists.

Linear layers run on the flat tokens; attention alone sees the padded view.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Batch

from molvec.nn.structure import structure_of


@dataclass(frozen=True)
class Packing:
    """Where each of ``T`` tokens sits among ``R`` padded rows of ``W`` slots.

    A row is one graph seen through one mask; a token is one visible node of it.

    Shapes:
        - ``node``: int64 ``[T]``, node of each token.
        - ``slot``: int64 ``[T]``, position of each token among the ``R * W`` slots.
        - ``graph``: int64 ``[R]``, graph of each row.
        - ``member``: int64 ``[R, W]``, place of each slot's node within its graph (0 if unused).
        - ``used``: bool ``[R, W]``.
    """

    node: Tensor
    slot: Tensor
    graph: Tensor
    member: Tensor
    used: Tensor

    def pad(self, tokens: Tensor) -> Tensor:
        """``[T, dim]`` -> ``[R, W, dim]``, zeros in unused slots."""
        rows, width = self.used.shape
        padded = tokens.new_zeros(rows * width, tokens.shape[-1])
        return padded.index_copy_(0, self.slot, tokens).view(rows, width, -1)

    def flatten(self, padded: Tensor) -> Tensor:
        """``[R, W, dim]`` -> ``[T, dim]``."""
        return padded.flatten(0, 1).index_select(0, self.slot)

    def pairs(self, values: Tensor) -> Tensor:
        """Take rows and columns of ``[B, N, N]`` for the tokens of each row: ``[R, W, W]``."""
        return values[self.graph[:, None, None], self.member[:, :, None], self.member[:, None, :]]


def pack(batch: Batch, visible: Tensor | None = None) -> Packing:
    """Lay out the visible nodes of a batch, view by view.

    Args:
        batch: ``num_nodes`` nodes in ``B`` graphs.
        visible: bool ``[num_nodes]`` or ``[V, num_nodes]``; ``None`` for all nodes, one view. A
            graph without a visible node has an empty row.
    """
    graph, index = batch.batch, structure_of(batch).index
    num_graphs = len(batch.ptr) - 1
    if visible is None:
        visible = torch.ones_like(graph, dtype=torch.bool)
    visible = visible.view(-1, len(graph))
    view, node = visible.nonzero(as_tuple=True)
    row = view * num_graphs + graph[node]
    num_rows = len(visible) * num_graphs
    count = torch.bincount(row, minlength=num_rows)  # [R]
    start = count.cumsum(0) - count
    place = torch.arange(len(row), device=row.device) - start[row]
    width = int(count.max())
    slot = row * width + place
    member = torch.zeros(num_rows * width, dtype=torch.int64, device=row.device)
    member[slot] = index[node]
    used = torch.zeros(num_rows * width, dtype=torch.bool, device=row.device)
    used[slot] = True
    return Packing(
        node=node,
        slot=slot,
        graph=torch.arange(num_graphs, device=row.device).repeat(len(visible)),
        member=member.view(num_rows, width),
        used=used.view(num_rows, width),
    )
