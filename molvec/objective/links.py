r"""Which links are missing: a term for networks whose student does not see some of the edges.

Of every edge that is hidden from the student (``mask.edges``), who is at its other end? The student
encodes both ends without it; its tail competes with all nodes of the batch,

.. math::
    \mathcal{L} = -\log \frac{e^{s(h, r, t)}}{\sum_j e^{s(h, r, j)}}, \qquad
    s(h, r, t) = q(P z_h, w_r) \cdot P z_t

with ComplEx's product :math:`q` (Trouillon et al. 2016, arXiv 1606.06357), and the inverse of a
relation a relation of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import Batch

from molvec.graph import NODE_ID, STUDENT_EDGES


def complex_product(one: Tensor, two: Tensor) -> Tensor:
    """Multiply complex numbers whose real parts are the first half: ``[..., dim]`` each."""
    (a, b), (c, d) = one.chunk(2, -1), two.chunk(2, -1)
    return torch.cat([a * c - b * d, a * d + b * c], -1)


class MissingLinks(nn.Module):
    """The term and its parameters, which only training needs.

    Args:
        dim: of the encoder's output; even.
        kinds: of edges, with inverses.
    """

    def __init__(self, dim: int, kinds: int) -> None:
        super().__init__()
        if dim % 2:
            raise ValueError(f"missing links need an even dim, got {dim}")
        self.project = nn.Sequential(nn.Linear(dim, dim), nn.LayerNorm(dim))
        self.kinds = nn.Embedding(kinds, dim)
        nn.init.normal_(self.kinds.weight, std=0.05)  # scores of about 1

    def forward(self, context: Tensor, batch: Batch) -> Tensor:
        """Mean loss over the hidden edges; 0 without any.

        The other places of the tail in the batch are left out of its rivals: they are the same
        node, around which another sample was drawn.

        Shapes:
            - context: the student's output at all nodes, ``[num_nodes, dim]``.
        """
        hidden = ~batch[STUDENT_EDGES]
        source, target = batch.edge_index[:, hidden]
        if not len(target):
            return context.sum() * 0
        z = self.project(context)
        question = complex_product(z[source], self.kinds(batch.edge_attr[hidden, 0]))
        scores = (question @ z.T).float()  # [num_hidden, num_nodes]
        node = batch[NODE_ID]
        elsewhere = node[target][:, None] == node
        elsewhere[torch.arange(len(target)), target] = False
        return F.cross_entropy(scores.masked_fill(elsewhere, -torch.inf), target)
