r"""data2vec on graphs: the whole method on one page.

A teacher, the moving average of the student, reads the full graph; the student reads a graph with
nodes hidden and predicts what the teacher thinks of the hidden ones:

.. math:: \mathcal{L} = \frac{1}{|M|} \sum_{i \in M} \ell\big(\hat y_i, y_i\big)

with targets :math:`y` as in :mod:`molvec.objective.target`. Sources: Baevski et al. 2022,
"data2vec" (arXiv 2202.03555) and "data2vec 2.0" (arXiv 2212.07525).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from molvec.graph import EncoderOutput
from molvec.objective.student import MaskTokenStudent, VisibleStudent
from molvec.objective.target import make_targets, standardize
from molvec.objective.teacher import make_teacher

LOSSES = {"mse": F.mse_loss, "smooth_l1": F.smooth_l1_loss}


class Data2VecOutput(NamedTuple):
    """One evaluation of the objective.

    Shapes:
        - ``loss``: scalar, the weighted sum; ``node_loss``, ``graph_loss``: its parts, detached.
        - ``target``, ``prediction``: ``[num_masked, dim]``, detached.
        - ``teacher``: the teacher's encoding of the full batch.
    """

    loss: Tensor
    node_loss: Tensor
    graph_loss: Tensor
    target: Tensor
    prediction: Tensor
    teacher: EncoderOutput


class Data2Vec(nn.Module):
    """Student, teacher and loss.

    Args:
        student: a :class:`VisibleStudent` (data2vec 2.0) or :class:`MaskTokenStudent` (data2vec).
        top_k: teacher blocks to average.
        loss: a key of ``LOSSES``.
        graph_weight: weight of the graph-level term, which predicts the teacher's mean target of
            a graph from the student's mean output over what it saw of it; 0 leaves it out.
    """

    def __init__(
        self,
        student: VisibleStudent | MaskTokenStudent,
        *,
        top_k: int,
        loss: str = "mse",
        graph_weight: float = 0.0,
    ) -> None:
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}; known: {', '.join(LOSSES)}")
        if graph_weight < 0:
            raise ValueError(f"graph_weight must not be negative, got {graph_weight}")
        self.student = student
        self.teacher = make_teacher(student.encoder)
        self.top_k = top_k
        self.loss = LOSSES[loss]
        self.graph_weight = graph_weight
        dim = student.encoder.dim
        self.graph_head = nn.Linear(dim, dim) if graph_weight else None

    def forward(self, batch: Batch, mask: Tensor) -> Data2VecOutput:
        """Evaluate the objective.

        Shapes:
            - mask: bool ``[V, num_nodes]``, True where hidden; one view or more.
        """
        # 1. Target: the teacher reads the full graph, once for all views.
        with torch.no_grad():
            teacher = self.teacher(batch)
            targets = make_targets(teacher.hidden_states, self.top_k)  # [num_nodes, dim]

        # 2. Context: the student reads what is visible and predicts what is not.
        student = self.student(batch, mask)

        # 3. Regress the teacher's representation of the hidden nodes.
        target = targets.expand(len(mask), -1, -1)[mask]  # [num_masked, dim]
        node_loss = self.loss(student.prediction.float(), target)
        graph_loss = self._graph_loss(student.context, targets, batch, mask)
        return Data2VecOutput(
            loss=node_loss + self.graph_weight * graph_loss,
            node_loss=node_loss.detach(),
            graph_loss=graph_loss.detach(),
            target=target,
            prediction=student.prediction.detach(),
            teacher=teacher,
        )

    def _graph_loss(self, context: Tensor, targets: Tensor, batch: Batch, mask: Tensor) -> Tensor:
        """Regress each graph's mean target from the mean of its visible nodes, view by view."""
        if self.graph_head is None:
            return targets.new_zeros(())
        graph, num_graphs = batch.batch, len(batch.ptr) - 1
        view, node = (~mask).nonzero(as_tuple=True)
        row = view * num_graphs + graph[node]
        pooled = scatter(context.float(), row, dim_size=len(mask) * num_graphs, reduce="mean")
        target = standardize(scatter(targets, graph, dim_size=num_graphs, reduce="mean"))
        return self.loss(self.graph_head(pooled).float(), target.repeat(len(mask), 1))

    def train(self, mode: bool = True) -> Data2Vec:
        """Set training mode; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self
