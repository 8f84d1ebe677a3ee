"""An sklearn transformer: SMILES in, features out, so that a pipeline starts from molecules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from molvec.embed.embedder import Embedder
from molvec.embed.load import load


class MolvecTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Embed molecules inside an sklearn pipeline.

    Takes a list, Series or array of SMILES (or RDKit molecules), one column, and gives float32
    ``[num_rows, dim]``. Clones, pickles (by the model's path) and obeys ``set_output``.

    Args:
        model: what :func:`molvec.load` takes.
        on_error: ``"nan"`` keeps a row that is no molecule as NaN, ``"raise"`` stops.
    """

    def __init__(self, model: str | Path, *, on_error: str = "nan") -> None:
        self.model = model
        self.on_error = on_error

    def fit(self, X: Any, y: Any = None) -> MolvecTransformer:
        """Load the model; nothing is learned from ``X``."""
        self._embedder = load(self.model)  # anew: set_params may have changed the model
        self.n_features_in_ = 1
        self.n_features_out_ = self._embedder.dim
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Embed one column of molecules: float32 ``[num_rows, dim]``."""
        check_is_fitted(self)
        if self.on_error not in ("nan", "raise"):
            raise ValueError(f"on_error must be 'nan' or 'raise', got {self.on_error!r}")
        vectors: NDArray[np.float32] = self._loaded().embed(
            _one_column(X),
            on_error=self.on_error,  # type: ignore[arg-type]
        )
        return vectors

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns: ``molvec0``, ``molvec1``, ..."""
        check_is_fitted(self)
        return np.array([f"molvec{i}" for i in range(self.n_features_out_)], dtype=object)

    def _loaded(self) -> Embedder:
        if not hasattr(self, "_embedder"):
            self._embedder = load(self.model)
        return self._embedder

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {key: value for key, value in state.items() if key != "_embedder"}


def _one_column(X: Any) -> Any:
    """Accept a frame or a 2D array of exactly one column as that column."""
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) == 2:
        if shape[1] != 1:
            raise ValueError(f"expected one column of molecules, got {shape[1]}")
        return X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]
    return X
