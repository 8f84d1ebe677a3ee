r"""data2vec on graphs: the whole method on one page.

A teacher, the moving average of the student, reads the full graph; the student reads a graph with
nodes hidden and predicts what the teacher thinks of the hidden ones:

.. math:: \mathcal{L} = \frac{1}{|M|} \sum_{i \in M} \ell\big(\hat y_i, y_i\big)

with targets :math:`y` as in :mod:`molvec.objective.target`. Sources: Baevski et al. 2022,
"data2vec" (arXiv 2202.03555) and "data2vec 2.0" (arXiv 2212.07525).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import Batch
from torch_geometric.utils import scatter

from molvec.graph import POS, STRUCTURE, STUDENT_EDGES, STUDENT_POS, EncoderOutput
from molvec.objective.grounding import GROUNDING_LOSSES, BitsLoss, ValuesLoss
from molvec.objective.links import MissingLinks
from molvec.objective.student import MaskTokenStudent, VisibleStudent
from molvec.objective.target import SHRINKAGE, make_targets, standardize, whiten
from molvec.objective.teacher import make_teacher

GROUNDING_VIEWS = ("masked", "full", "clean")
LOSSES = {"mse": F.mse_loss, "smooth_l1": F.smooth_l1_loss}


class Data2VecOutput(NamedTuple):
    """One evaluation of the objective.

    Shapes:
        - ``loss``: scalar, the weighted sum.
        - ``parts``: its parts before weighting, detached scalars by name.
        - ``target``, ``prediction``: ``[num_masked, dim]``, detached.
        - ``teacher``: the teacher's encoding of the full batch.
    """

    loss: Tensor
    parts: dict[str, Tensor]
    target: Tensor
    prediction: Tensor
    teacher: EncoderOutput


class Data2Vec(nn.Module):
    """Student, teacher and loss.

    Args:
        student: a :class:`VisibleStudent` (data2vec 2.0) or :class:`MaskTokenStudent` (data2vec).
        top_k: teacher blocks to average.
        loss: a key of ``LOSSES``.
        target: how targets are normalised, ``"standardize"`` or ``"whiten"``.
        shrinkage: of whitening.
        visible_weight: weight of the same loss at the nodes that the student sees; without it
            nothing asks the student to keep what is of no use for its neighbours.
        graph_weight: weight of the graph-level term, which predicts the teacher's mean target of
            a graph from the student's mean output over what it saw of it; 0 leaves it out.
        grounding_weight: weight of the grounding term, which predicts ``batch.grounding`` from
            the mean and the sum of the student's output; 0 leaves it out.
        grounding_level: ``"graph"``, or ``"node"`` where ``batch.grounding`` has a row per node,
            which is predicted from the student's output at the nodes that it sees.
        grounding_shared: of these, the last columns that are the graph's own, the same at all of
            its nodes; they are predicted from the mean of the student's output over the graph,
            and weigh as much as the others together.
        grounding_view: ``"masked"``, from what the student sees in every view; ``"full"``, from
            one more pass over the full graph; or ``"clean"``, the same over positions without
            noise and with every edge: what ``embed`` reads.
        grounding_size: number of its columns.
        grounding_loss: what they are, one of ``GROUNDING_LOSSES``.
        grounding_scale: of values, see :class:`ValuesLoss`.
        grounding_weights: of the graph's own columns, see there.
        link_weight: weight of the term that asks for the edges that the student does not see, from
            one more pass over the graph without them; 0 leaves it out.
        edge_kinds: how many kinds of edges there are.
    """

    def __init__(
        self,
        student: VisibleStudent | MaskTokenStudent,
        *,
        top_k: int,
        loss: str = "mse",
        target: str = "standardize",
        shrinkage: float = SHRINKAGE,
        visible_weight: float = 0.0,
        graph_weight: float = 0.0,
        grounding_weight: float = 0.0,
        grounding_size: int = 0,
        grounding_loss: str = "bits",
        grounding_view: str = "masked",
        grounding_level: str = "graph",
        grounding_shared: int = 0,
        grounding_scale: str = "batch",
        grounding_weights: Sequence[float] | None = None,
        link_weight: float = 0.0,
        edge_kinds: int = 0,
    ) -> None:
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}; known: {', '.join(LOSSES)}")
        if target not in ("standardize", "whiten"):
            raise ValueError(f"unknown target {target!r}; known: standardize, whiten")
        if grounding_loss not in GROUNDING_LOSSES:
            known = ", ".join(GROUNDING_LOSSES)
            raise ValueError(f"unknown grounding loss {grounding_loss!r}; known: {known}")
        self.weights = {
            "node": 1.0,
            "visible": visible_weight,
            "graph": graph_weight,
            "grounding": grounding_weight,
            "links": link_weight,
        }
        if grounding_view not in GROUNDING_VIEWS:
            known = ", ".join(GROUNDING_VIEWS)
            raise ValueError(f"unknown grounding view {grounding_view!r}; known: {known}")
        if grounding_level not in ("graph", "node"):
            raise ValueError(f"unknown grounding level {grounding_level!r}; known: graph, node")
        if min(self.weights.values()) < 0:
            raise ValueError(f"weights must not be negative, got {self.weights}")
        self.student = student
        self.teacher = make_teacher(student.encoder)
        self.top_k = top_k
        whitened = target == "whiten"
        self.normalize = partial(whiten, shrinkage=shrinkage) if whitened else standardize
        self.loss = LOSSES[loss]
        dim = student.encoder.dim
        self.graph_head = nn.Linear(dim, student.encoder.hidden_dim) if graph_weight else None
        wide = dim * (2 if grounding_level == "graph" else 1)
        own = grounding_size - grounding_shared
        self.grounding_head = nn.Linear(wide, own) if grounding_weight else None
        self.shared_head = nn.Linear(dim, grounding_shared) if grounding_shared else None
        if grounding_loss == "bits":
            self.grounding_loss: nn.Module = BitsLoss()
        else:
            self.grounding_loss = ValuesLoss(own, scale=grounding_scale)
            self.shared_loss = ValuesLoss(
                grounding_shared, scale=grounding_scale, weights=grounding_weights
            )
        self.links = MissingLinks(dim, edge_kinds) if link_weight else None
        self.grounding_view = grounding_view
        self.grounding_level = grounding_level

    def forward(self, batch: Batch, mask: Tensor) -> Data2VecOutput:
        """Evaluate the objective.

        Shapes:
            - mask: bool ``[V, num_nodes]``, True where hidden; one view or more.
        """
        # 1. Target: the teacher reads the full graph, once for all views.
        with torch.no_grad():
            teacher = self.teacher(batch)
            targets = make_targets(teacher.hidden_states, self.top_k, self.normalize)

        # 2. Context: the student reads what is visible and predicts what is not.
        seen = student_view(batch)
        student = self.student(seen, mask)

        # 3. Regress the teacher's representation of the hidden nodes; if asked, what the whole
        #    graph looks like to the teacher, what its chemistry says, and which links are missing.
        every_target = targets.expand(len(mask), -1, -1)  # [V, num_nodes, dim]
        target, prediction = every_target[mask], student.prediction[mask].float()
        parts = {"node": self.loss(prediction, target)}  # over [num_masked, dim]
        if self.weights["visible"]:
            parts["visible"] = self.loss(student.prediction[~mask].float(), every_target[~mask])
        if self.graph_head is not None:
            pooled = pool_context(student.context, batch, mask, "mean")  # [V * num_graphs, dim]
            whole = scatter(targets, batch.batch, dim_size=batch.num_graphs, reduce="mean")
            whole = standardize(whole).repeat(len(mask), 1)
            parts["graph"] = self.loss(self.graph_head(pooled).float(), whole)
        if self.grounding_head is not None:
            context, hidden = student.context, mask
            if self.grounding_view != "masked":
                full = batch if self.grounding_view == "clean" else seen
                context, hidden = self.student.encoder(full).output, torch.zeros_like(mask[:1])
            parts["grounding"] = self._grounding(context, batch, hidden)
        if self.links is not None:
            parts["links"] = self.links(self.student.encoder(seen).output, batch)

        loss = torch.stack([self.weights[name] * part for name, part in parts.items()]).sum()
        return Data2VecOutput(
            loss=loss,
            parts={name: part.detach() for name, part in parts.items()},
            target=target,
            prediction=prediction.detach(),
            teacher=teacher,
        )

    def _grounding(self, context: Tensor, batch: Batch, hidden: Tensor) -> Tensor:
        """Loss of what the graphs say of themselves, from the student's output where it sees."""
        assert self.grounding_head is not None
        said = batch.grounding
        if self.grounding_level == "graph":
            pooled = pool_context(context, batch, hidden, "mean", "sum")
            predicted = self.grounding_head(pooled).float()
            return self.grounding_loss(predicted, said.repeat(len(hidden), 1))
        own = self.grounding_head.out_features
        node = (~hidden).nonzero(as_tuple=True)[1]
        loss = self.grounding_loss(self.grounding_head(context).float(), said[node, :own])
        if self.shared_head is None:
            return loss
        pooled = pool_context(context, batch, hidden, "mean")
        shared = said[batch.ptr[:-1], own:].repeat(len(hidden), 1)
        return (loss + self.shared_loss(self.shared_head(pooled).float(), shared)) / 2

    def train(self, mode: bool = True) -> Data2Vec:
        """Set training mode; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self


def student_view(batch: Batch) -> Batch:
    """Return the batch as the student sees it: with coordinates and edges of its own, if any."""
    if STUDENT_POS not in batch and STUDENT_EDGES not in batch:
        return batch
    seen = copy.copy(batch)
    if STUDENT_POS in batch:
        seen[POS] = batch[STUDENT_POS]
    if STUDENT_EDGES in batch:
        visible = batch[STUDENT_EDGES]
        seen.edge_index, seen.edge_attr = batch.edge_index[:, visible], batch.edge_attr[visible]
        if STRUCTURE in seen:  # the teacher's, of all edges
            del seen[STRUCTURE]
    return seen


def pool_context(context: Tensor, batch: Batch, mask: Tensor, *reductions: str) -> Tensor:
    """Reduce the student's output over the visible nodes of each graph, view by view.

    Shapes:
        - context: ``[num_visible, dim]``; mask: bool ``[V, num_nodes]``; output: float32
          ``[V * num_graphs, len(reductions) * dim]``.
    """
    view, node = (~mask).nonzero(as_tuple=True)
    row = view * batch.num_graphs + batch.batch[node]
    size = len(mask) * batch.num_graphs
    pooled = [scatter(context.float(), row, dim_size=size, reduce=name) for name in reductions]
    return torch.cat(pooled, dim=1)
