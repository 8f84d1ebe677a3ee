r"""Models of links: how plausible a tail is, for a head and a relation.

.. math:: s(h, r, t) = q(z_h, w_r) \cdot z_t

with ComplEx's product (Trouillon et al. 2016, arXiv 1606.06357)
:math:`q = z_h \odot w_r` over complex numbers, held as two real halves. What differs is where an
entity's :math:`z` comes from: a table of its own, or a projection of a vector that is given.
Relations have inverses with parameters of their own (Lacroix et al. 2018, arXiv 1806.07297).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from molvec.evaluate.triples import LinkTask, with_inverses
from molvec.objective.links import complex_product


class LinkModel(Protocol):
    """Scores all entities as tails of a question.

    Shapes (``E`` entities):
        - ``entities()``: ``[E, width]``, made once for many questions.
        - ``scores(questions, entities)``: questions int64 ``[k, 2]`` of heads and relations (with
          inverses); output ``[k, E]``, new memory.
    """

    num_entities: int

    def entities(self) -> Tensor:
        """Return what stands for each entity."""
        ...

    def scores(self, questions: Tensor, entities: Tensor) -> Tensor:
        """Score every entity as the tail."""
        ...


class Bilinear(nn.Module):
    """ComplEx over what :meth:`rows` gives for an entity.

    Args:
        num_entities: how many.
        num_relations: without inverses.
        dim: real numbers an entity and a relation have; even.
        scale: standard deviation of relations at the start.
    """

    def __init__(self, num_entities: int, num_relations: int, dim: int, scale: float) -> None:
        super().__init__()
        assert dim % 2 == 0, dim
        self.num_entities = num_entities
        self.relations = nn.Embedding(2 * num_relations, dim)
        nn.init.normal_(self.relations.weight, std=scale)

    def rows(self, entity: Tensor) -> Tensor:
        """Return ``z`` of some entities, ``[k, dim]``."""
        raise NotImplementedError

    def entities(self) -> Tensor:
        """Return ``z`` of all entities, ``[E, dim]``."""
        return self.rows(torch.arange(self.num_entities))

    def questions(self, head: Tensor, relation: Tensor) -> Tensor:
        """Return ``q``, ``[k, dim]``, of heads ``z [k, dim]`` and relations ``[k]``."""
        return complex_product(head, self.relations(relation))

    def scores(self, questions: Tensor, entities: Tensor) -> Tensor:
        """See :class:`LinkModel`."""
        return self.questions(entities[questions[:, 0]], questions[:, 1]) @ entities.T


class ComplEx(Bilinear):
    """A table of entities, learned end to end.

    Args:
        num_entities: how many.
        num_relations: without inverses.
        dim: real numbers an entity has; half as many complex ones.
        start: entities' vectors at the start ``[E, dim]``; random with standard deviation
            ``scale`` by default.
        scale: of random starts.
    """

    def __init__(
        self,
        num_entities: int,
        num_relations: int,
        dim: int = 200,
        *,
        start: NDArray[np.float32] | None = None,
        scale: float = 0.1,
    ) -> None:
        super().__init__(num_entities, num_relations, dim, scale)
        self.table = nn.Embedding(num_entities, dim)
        nn.init.normal_(self.table.weight, std=scale)
        if start is not None:
            with torch.no_grad():
                self.table.weight.copy_(torch.from_numpy(start))

    def rows(self, entity: Tensor) -> Tensor:
        """Look up the table."""
        return self.table(entity)


class FrozenDecoder(Bilinear):
    r"""A projection of vectors that stay as they are: :math:`z_i = W_2\,g(W_1 x_i)`.

    Vectors are whitened first: standardised per channel and turned to their principal axes, each
    of unit variance. What tells entities apart is mostly in directions that vary little, which a
    decoder would take hundreds of epochs to find.

    Args:
        vectors: float32 ``[E, F]``.
        num_relations: without inverses.
        dim: of the projection.
        hidden: width of a hidden layer (GELU) before it; ``None`` for a linear projection.
        dropout: on the whitened vectors and on ``z``, while learning.
        axes: principal axes to keep, at most.
    """

    vectors: Tensor

    def __init__(
        self,
        vectors: NDArray[np.float32],
        num_relations: int,
        dim: int = 200,
        *,
        hidden: int | None = None,
        dropout: float = 0.1,
        axes: int = 256,
    ) -> None:
        super().__init__(len(vectors), num_relations, dim, scale=0.05)  # scores of about 1
        x = whitened(vectors, axes)
        self.register_buffer("vectors", x, persistent=False)
        width = x.shape[1]
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden is not None:
            layers += [nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout)]
            width = hidden
        layers += [nn.Linear(width, dim), nn.LayerNorm(dim), nn.Dropout(dropout)]
        self.project = nn.Sequential(*layers)

    def rows(self, entity: Tensor) -> Tensor:
        """Project the entities' vectors."""
        return self.project(self.vectors[entity])


def whitened(vectors: NDArray[np.float32], axes: int) -> Tensor:
    """Return the first principal axes of standardised vectors, each of about unit variance.

    A direction with less than a hundredth of the mean variance counts as rounding and is not
    blown up. Shapes: ``[E, F]`` to float32 ``[E, min(axes, F, E)]``.
    """
    x = np.asarray(vectors, dtype=np.float64)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)
    variances, turn = np.linalg.eigh(x.T @ x / len(x))
    first = np.argsort(-variances)[: min(axes, len(x))]
    floor = np.maximum(0.01 * variances.mean(), np.finfo(float).tiny)  # of equal vectors: not 0
    scale = 1 / np.sqrt(np.maximum(variances[first], 0) + floor)
    return torch.from_numpy((x @ turn[:, first] * scale).astype(np.float32))


class Popularity:
    """How often a tail answers a relation in training; of equals, the one with more triples.

    Knows nothing of the head.
    """

    def __init__(self, task: LinkTask) -> None:
        triples = with_inverses(task.train, task.num_relations)
        self.num_entities = task.num_entities
        counts = np.zeros((2 * task.num_relations, task.num_entities), dtype=np.float32)
        np.add.at(counts, (triples[:, 1], triples[:, 2]), 1)
        degree = counts.sum(0)
        self.counts = torch.from_numpy(counts + degree / (degree.max() + 1))

    def entities(self) -> Tensor:
        """Return nothing: scores are looked up."""
        return torch.empty(self.num_entities, 0)

    def scores(self, questions: Tensor, entities: Tensor) -> Tensor:
        """See :class:`LinkModel`."""
        return self.counts[questions[:, 1]]
