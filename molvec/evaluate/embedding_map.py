"""A map of a data set: its molecules in the two main directions of an embedding."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molvec.errors import UserError

Method = Literal["auto", "PCA", "UMAP"]
NEIGHBOURS = 15  # the default of UMAP
MAX_UMAP_ROWS = 5000  # about half a minute; more rows hardly change the picture


@dataclass(frozen=True)
class Map2D:
    """Molecules of a data set in two dimensions.

    Attributes:
        dataset: name of the data set.
        target: name of the target that colours the map.
        method: "PCA" or "UMAP".
        points: ``[n, 2]``, without unit.
        labels: ``[n]``, NaN = missing.
        smiles: ``[n]``.
        explained: PCA: share of the variance of both axes.
    """

    dataset: str
    target: str
    method: str
    points: NDArray[np.float32]
    labels: NDArray[np.float64]
    smiles: tuple[str, ...]
    explained: tuple[float, float] | None


def embedding_map(
    dataset: str,
    target: str,
    x: ArrayLike,
    labels: ArrayLike,
    smiles: Sequence[str],
    *,
    limit: int = 250,
    seed: int = 0,
    method: Method = "auto",
) -> Map2D:
    """Project an embedding on two axes and pick the molecules to draw.

    Features are standardised first. PCA uses all rows for its axes; UMAP (McInnes et al. 2018,
    arXiv 1802.03426) is fitted to at most 5,000 rows. Of all rows, ``limit`` at random are kept:
    a page draws every molecule, at about 2 kB each.

    Args:
        dataset: name of the data set.
        target: name of the target that ``labels`` are of.
        x: ``[num_rows, dim]``; rows with NaN or infinity have no place and are left out.
        labels: ``[num_rows]``, NaN = missing.
        smiles: ``[num_rows]``.
        limit: how many molecules to keep at most.
        seed: of the choice of rows and of UMAP.
        method: "auto" is UMAP if the package ``umap-learn`` is installed and there are more than 15
            molecules, else PCA.

    Raises:
        UserError: UMAP is asked for and cannot be had, or there is no such method.
        ValueError: different lengths, another shape, or no row to place.
    """
    features = np.asarray(x, dtype=np.float32)  # exact enough for a picture
    values = np.asarray(labels, dtype=np.float64)
    if not len(features) == len(values) == len(smiles):
        raise ValueError(
            f"{len(features)} embeddings, {len(values)} labels and {len(smiles)} SMILES."
        )
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(f"An embedding has shape [num_rows, dim], not {features.shape}.")
    rows = np.flatnonzero(np.isfinite(features).all(axis=1))
    if not len(rows):
        raise ValueError(f"{dataset} has no embedding to place on a map.")
    chosen = _method(method, len(rows))
    rng = np.random.default_rng(seed)
    picked = np.sort(rng.permutation(len(rows))[:limit])
    explained = None
    if chosen == "PCA":
        scores, explained = _pca(_standardised(features[rows]))
        points = scores[picked].astype(np.float32)
    else:
        # The picked rows first, so that they are among those fitted.
        others = np.setdiff1d(np.arange(len(rows)), picked)
        room = max(0, MAX_UMAP_ROWS - len(picked))
        fitted = np.concatenate([picked, np.sort(rng.permutation(others)[:room])])
        points = _umap(_standardised(features[rows][fitted]), seed)[: len(picked)]
    kept = rows[picked]
    return Map2D(
        dataset,
        target,
        chosen,
        points,
        values[kept],
        tuple(str(smiles[int(row)]) for row in kept),
        explained,
    )


def _method(method: str, num_rows: int) -> str:
    installed = importlib.util.find_spec("umap") is not None
    if method == "auto":
        return "UMAP" if installed and num_rows > NEIGHBOURS else "PCA"
    if method not in ("PCA", "UMAP"):
        raise UserError(f"there is no map method {method!r}; use 'auto', 'PCA' or 'UMAP'")
    if method == "UMAP" and not installed:
        raise UserError("UMAP is not installed; pip install umap-learn, or use method 'PCA'")
    if method == "UMAP" and num_rows <= NEIGHBOURS:
        raise UserError(f"UMAP needs more than {NEIGHBOURS} molecules; use method 'PCA'")
    return method


def _standardised(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean 0 and deviation 1 per column; constant columns become 0."""
    from sklearn.preprocessing import StandardScaler

    scaled: NDArray[np.float32] = StandardScaler().fit_transform(x)
    return scaled


def _pca(x: NDArray[np.float32]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Scores ``[n, 2]`` on the first two components and their shares of the variance."""
    from sklearn.decomposition import PCA

    scores = np.zeros((len(x), 2))
    if not np.square(x).sum() > 0:  # one molecule, or all alike
        return scores, (0.0, 0.0)
    count = min(2, *x.shape)
    # The covariance solver has no randomness and fixes the signs of the components.
    solver = "covariance_eigh" if x.shape[0] > x.shape[1] else "full"
    pca = PCA(n_components=count, svd_solver=solver)
    scores[:, :count] = pca.fit_transform(x)
    shares = [*(float(v) for v in pca.explained_variance_ratio_), 0.0]
    return scores, (shares[0], shares[1])


def _umap(x: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    umap = importlib.import_module("umap")
    reducer = umap.UMAP(n_neighbors=NEIGHBOURS, random_state=seed, n_jobs=1)
    return np.asarray(reducer.fit_transform(x), dtype=np.float32)
