"""The student's two ways of not seeing a node: leave it out, or put a mask token in its place.

Both take a batch and its masks and return a prediction for every node of every view.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import FEATURES, MASK, NODE_ID, Encoder


class Predictor(Protocol):
    """From ``context [num_visible, dim]`` and a batch to ``[V, num_nodes, hidden_dim]``."""

    def __call__(self, context: Tensor, batch: Batch, mask: Tensor) -> Tensor:
        """Predict the targets of all nodes in every view."""
        ...


@dataclass(frozen=True)
class StudentOutput:
    """What a student makes of ``V`` masked views.

    Shapes:
        - ``prediction``: ``[V, num_nodes, hidden_dim]``, of the targets of all nodes.
        - ``context``: ``[num_visible, dim]``, rows in the order of ``(~mask).nonzero()``.
    """

    prediction: Tensor
    context: Tensor


class VisibleStudent(nn.Module):
    """data2vec 2.0 (arXiv 2212.07525): encode visible nodes only, let a predictor fill the gaps.

    All views go through the encoder in one call.
    """

    def __init__(self, encoder: Encoder, predictor: Predictor) -> None:
        super().__init__()
        self.encoder = encoder
        self.predictor = predictor

    def forward(self, batch: Batch, mask: Tensor) -> StudentOutput:
        """Encode and predict; mask is bool ``[V, num_nodes]``."""
        context = self.encoder(batch, visible=~mask).output
        return StudentOutput(self.predictor(context, batch, mask), context)


class MaskTokenStudent(nn.Module):
    """data2vec (arXiv 2202.03555): encode all nodes, hidden ones as mask tokens; a linear head.

    Hiding means index ``MASK`` in every feature of a hidden node and of its edges, and as its id,
    and 0 in place of its numbers.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, encoder.hidden_dim)

    def forward(self, batch: Batch, mask: Tensor) -> StudentOutput:
        """Encode and predict, one view after the other; mask is bool ``[V, num_nodes]``."""
        prediction, context = [], []
        for view in mask:
            output = self.encoder(hide(batch, view)).output
            prediction.append(self.head(output))
            context.append(output[~view])
        return StudentOutput(torch.stack(prediction), torch.cat(context))


def hide(batch: Batch, mask: Tensor) -> Batch:
    """Return a shallow copy of the batch with masked nodes' and their edges' features replaced.

    Topology stays. Mask: bool ``[num_nodes]``.
    """
    hidden = copy.copy(batch)
    hidden.x = batch.x.masked_fill(mask[:, None], MASK)
    if NODE_ID in batch:
        hidden[NODE_ID] = batch[NODE_ID].masked_fill(mask, MASK)
    if FEATURES in batch:
        hidden[FEATURES] = batch[FEATURES].masked_fill(mask[:, None], 0)
    touched = mask[batch.edge_index].any(0)
    hidden.edge_attr = batch.edge_attr.masked_fill(touched[:, None], MASK)
    return hidden
