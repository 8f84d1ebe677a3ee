r"""Ranks of true answers among all entities, and what is made of them.

Filtered setting (Bordes et al. 2013): of a question ``(h, r, ?)`` all other answers that any part
of the data knows are left out. Both sides: every triple is asked for its tail and for its head.
Entities with the same score are where ranks differ (Berrendorf et al. 2020, arXiv 2002.06914; Sun
et al. 2020, arXiv 1911.03903): the optimistic rank puts the true answer before them, the
pessimistic after, the realistic is the mean of the two. A model that gives all entities one score
has an optimistic MRR of 1, so a gap between the two is a sign of collapse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molvec.errors import UserError
from molvec.evaluate.link_models import LinkModel
from molvec.evaluate.triples import KnownTails, Triples, with_inverses

CELLS = 4_000_000
"""Scores held at once: 16 MB, and a few times that while they are compared."""


@dataclass(frozen=True)
class Ranks:
    """Ranks of true answers, from 1; float64 ``[n]`` each."""

    optimistic: NDArray[np.float64]
    pessimistic: NDArray[np.float64]

    @property
    def realistic(self) -> NDArray[np.float64]:
        """The mean of both."""
        return (self.optimistic + self.pessimistic) / 2

    def metrics(self, hits: Sequence[int] = (1, 3, 10)) -> dict[str, float]:
        """Return ``mrr``, ``hits@k``, mean rank ``mr``, and the MRR of both other ranks.

        MRR is the mean of 1 / rank; hits@k the share of realistic ranks of at most k.
        """
        ranks = self.realistic
        return {
            "mrr": float((1 / ranks).mean()),
            **{f"hits@{k}": float((ranks <= k).mean()) for k in hits},
            "mr": float(ranks.mean()),
            "mrr_optimistic": float((1 / self.optimistic).mean()),
            "mrr_pessimistic": float((1 / self.pessimistic).mean()),
        }


def both_sides(model: LinkModel, triples: Triples, known: KnownTails) -> Ranks:
    """Rank the tails, then the heads, of some triples; see :func:`rank_tails`."""
    return rank_tails(model, with_inverses(triples, known.num_relations // 2), known)


@torch.inference_mode()
def rank_tails(model: LinkModel, triples: Triples, known: KnownTails) -> Ranks:
    """Rank the tail of each triple among all entities.

    Args:
        model: gives the scores.
        triples: relations may be inverses.
        known: answers that do not count as mistakes.

    Raises:
        UserError: if a score is not finite: comparisons with NaN would all be won.
    """
    entities = model.entities()
    chunk = max(1, CELLS // model.num_entities)
    above, equal = [], []
    for start in range(0, len(triples), chunk):
        part = triples[start : start + chunk]
        scores = model.scores(torch.from_numpy(part[:, :2].copy()), entities)
        if not bool(torch.isfinite(scores).all()):
            raise UserError("a score is not finite: the model's training diverged")
        row, tail = (torch.from_numpy(each) for each in known.find(part[:, 0], part[:, 1]))
        counts = _compare(scores, torch.from_numpy(part[:, 2].copy()), row, tail)
        above.append(counts[0].numpy())
        equal.append(counts[1].numpy())
    optimistic = 1 + np.concatenate(above).astype(np.float64)
    return Ranks(optimistic, optimistic + np.concatenate(equal))


def _compare(scores: Tensor, true: Tensor, row: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
    """How many unknown answers score above the true one, and how many the same."""
    own = scores.gather(1, true[:, None])
    scores[row, tail] = -torch.inf  # the true answer too, if it is known
    scores.scatter_(1, true[:, None], -torch.inf)
    return (scores > own).sum(1), (scores == own).sum(1)
