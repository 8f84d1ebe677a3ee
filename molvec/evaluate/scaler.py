"""From features to what a head reads: imputed, standardised and limited by training statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# float32 embeddings carry a relative noise of about 1e-7: a feature that varies less than this
# (relative to its mean) is constant, and dividing by its spread would only amplify noise.
MIN_RELATIVE_STD = 1e-6
# Descriptors have tails of hundreds of standard deviations (salts, peptides), where one molecule
# would decide the fit; ten leave every ordinary value alone.
LIMIT = 10.0


@dataclass(frozen=True)
class Scaler:
    """Statistics of the training part, applied to any part.

    Features that are constant in the training part are dropped: they tell nothing, and no
    coefficient is learned for them.
    """

    kept: NDArray[np.bool_]  # [dim]
    median: NDArray[np.float64]  # [num_kept]
    mean: NDArray[np.float64]  # [num_kept]
    std: NDArray[np.float64]  # [num_kept]
    scale: bool

    @classmethod
    def fit(cls, x: NDArray[np.floating], *, scale: bool) -> Scaler:
        """Learn the statistics of training features ``[num_rows, dim]``.

        With ``scale`` features that are not finite (a descriptor that failed) count as missing
        and take the median of the training part; then all are standardised and limited to
        10 standard deviations. Without it values are used as they are and must be finite.

        Raises:
            ValueError: no rows; values that are not finite without ``scale``, or a whole row of
                them with it, which is a molecule without features.
        """
        x = _checked(x, scale)
        if not len(x):
            raise ValueError("The training part has no rows.")
        median = np.zeros(x.shape[1])
        if scale:
            missing = ~np.isfinite(x)
            if missing.any():
                some = ~missing.all(axis=0)
                median[some] = np.nanmedian(np.where(missing, np.nan, x)[:, some], axis=0)
                x = np.where(missing, median, x)
        mean, std = x.mean(axis=0), x.std(axis=0)
        kept = std > MIN_RELATIVE_STD * np.abs(mean)
        return cls(kept, median[kept], mean[kept], std[kept], scale)

    def transform(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Features ``[num_rows, dim]`` -> ``[num_rows, num_kept]``, finite."""
        x = _checked(x, self.scale)
        if x.shape[1] != len(self.kept):
            raise ValueError(f"The head was fitted to {len(self.kept)} features, got {x.shape[1]}.")
        x = x[:, self.kept]
        if not self.scale:
            return x
        x = np.where(np.isfinite(x), x, self.median)
        return np.clip((x - self.mean) / self.std, -LIMIT, LIMIT)


def _checked(x: NDArray[np.floating], scale: bool) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(x, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"Features must be [num_rows, dim], got shape {values.shape}.")
    finite = np.isfinite(values)
    if scale and values.shape[1]:
        empty = int((~finite.any(axis=1)).sum())
        if empty:
            raise ValueError(f"{empty} rows have no finite feature. Leave these molecules out.")
    elif not finite.all():
        rows = int((~finite.all(axis=1)).sum())
        raise ValueError(
            f"{rows} rows have features that are not finite. Leave these molecules out, or use "
            "scale=True to fill single missing features with the training median."
        )
    return values
