r"""The kernel head: ridge or logistic regression on how much a molecule is like known ones.

Embeddings and descriptors, standardised, are compared by

.. math::
    k(x, x') = \Big(1 + \sqrt 3 \, \frac{|x - x'|}{w}\Big) e^{-\sqrt 3 |x - x'| / w}
               + \frac{x \cdot x'}{\overline{|x|^2}}

a Matern kernel of smoothness 3/2 (Rasmussen and Williams 2006, chapter 4) whose width :math:`w` is
the median distance between training molecules, and a linear one, which goes on where no molecule
is near. Counts of fingerprints are compared by the min-max kernel
:math:`\sum_d \min(x_d, x'_d) / \sum_d \max(x_d, x'_d)`, Tanimoto's similarity of counts (Ralaivola
et al. 2005, doi:10.1016/j.neunet.2005.07.009).

Beyond ``LANDMARKS`` training molecules the kernel is that of a random choice of them (Nystrom's
method: Williams and Seeger 2001).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from molvec.evaluate.linear import LogisticHead, RidgeHead, fit_logistic, fit_ridge
from molvec.evaluate.metrics import Floats

LANDMARKS = 1000
# Kernels are of the order of 1, where a sum over standardised features is of their number.
STRENGTHS: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-8, 5))
_NEGLIGIBLE = 1e-9  # share of the largest eigenvalue below which a direction is rounding noise
_ROWS = 4096  # compared with the landmarks at a time
_MOST = 16  # counts above are taken for this


@dataclass(frozen=True)
class KernelMap:
    """Features whose products are the kernel, as the landmarks know it.

    Shapes:
        - ``landmarks``: ``[m, dim]``; ``projection``: ``[m, rank]``, the inverse square root of the
          kernel of the landmarks.
    """

    landmarks: Floats
    projection: Floats
    counts: bool
    width: float
    size: float  # mean squared length of a landmark

    @classmethod
    def fit(cls, x: Floats, *, counts: bool, seed: int) -> KernelMap:
        """Choose the landmarks among training features ``[num_rows, dim]``, and the width."""
        chosen = np.sort(np.random.default_rng(seed).permutation(len(x))[:LANDMARKS])
        landmarks = x[chosen]
        distances = np.sqrt(_squared_distances(landmarks, landmarks))
        apart = distances[np.triu_indices(len(landmarks), 1)]
        apart = apart[apart > 1e-6 * apart.max(initial=0.0)]  # repeats say nothing of the scale
        width = float(np.median(apart)) if len(apart) else 1.0
        size = float(np.square(landmarks).sum(axis=1).mean()) or 1.0
        unprojected = cls(landmarks, np.empty((len(landmarks), 0)), counts, width, size)
        values, vectors = np.linalg.eigh(unprojected._kernel(landmarks))
        useful = values > _NEGLIGIBLE * values.max()
        return replace(unprojected, projection=vectors[:, useful] / np.sqrt(values[useful]))

    def transform(self, x: Floats) -> Floats:
        """Features ``[num_rows, dim]`` -> ``[num_rows, rank]``."""
        parts = [self._kernel(x[i : i + _ROWS]) for i in range(0, len(x), _ROWS)]
        joined = np.concatenate(parts) if parts else np.empty((0, len(self.landmarks)))
        return joined @ self.projection

    def _kernel(self, x: Floats) -> Floats:
        if self.counts:
            return _min_max(x, self.landmarks)
        near = np.sqrt(3 * _squared_distances(x, self.landmarks)) / self.width
        return (1 + near) * np.exp(-near) + x @ self.landmarks.T / self.size


@dataclass(frozen=True)
class KernelHead:
    """A linear head on the features of a kernel."""

    features: KernelMap
    head: LogisticHead | RidgeHead

    @property
    def choice(self) -> dict[str, float | int | str]:
        """What was chosen on the validation part."""
        return self.head.choice

    def predict(self, x: Floats) -> Floats:
        """Probability of class 1, or the value, ``[num_rows, num_targets]``."""
        return self.head.predict(self.features.transform(x))


def fit_kernel(
    task: str,
    train_x: Floats,
    train_y: Floats,
    valid_x: Floats,
    valid_y: Floats,
    *,
    counts: bool,
    seed: int,
) -> KernelHead:
    """Fit ridge (values) or logistic regressions (classes) in the space of the kernel.

    The validation part chooses the strength and nothing else.

    Args:
        task: ``"classification"`` or ``"regression"``.
        train_x: ``[num_rows, dim]``, finite; ``valid_x`` likewise.
        train_y: ``[num_rows, num_targets]``, NaN = missing; ``valid_y`` likewise.
        valid_x: features of the validation part.
        valid_y: targets of the validation part.
        counts: compare by the min-max kernel, if all values are whole numbers from 0 up.
        seed: of the choice of landmarks, where there are more training rows.
    """
    features = KernelMap.fit(train_x, counts=counts and _are_counts(train_x), seed=seed)
    x, valid = features.transform(train_x), features.transform(valid_x)
    fit = fit_logistic if task == "classification" else fit_ridge
    return KernelHead(features, fit(x, train_y, valid, valid_y, strengths=STRENGTHS))


def _are_counts(x: Floats) -> bool:
    return bool((x >= 0).all() and (x == np.floor(x)).all())


def _squared_distances(x: Floats, y: Floats) -> Floats:
    lengths = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)
    return np.maximum(lengths - 2 * x @ y.T, 0.0)


def _min_max(x: Floats, y: Floats) -> Floats:
    """Sum of minima over sum of maxima, ``[len(x), len(y)]``; 0 where both are empty."""
    x, y = np.minimum(x, _MOST), np.minimum(y, _MOST)
    # A count is the number of thresholds that it reaches, a minimum those that both do.
    shared = np.zeros((len(x), len(y)))
    for threshold in range(1, int(min(x.max(initial=0), y.max(initial=0))) + 1):
        reached = [sparse.csr_matrix((part >= threshold).astype(np.float64)) for part in (x, y)]
        shared += (reached[0] @ reached[1].T).toarray()
    together = x.sum(axis=1)[:, None] + y.sum(axis=1) - shared
    return np.divide(shared, together, out=np.zeros_like(shared), where=together > 0)
