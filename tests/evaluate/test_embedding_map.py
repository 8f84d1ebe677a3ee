import importlib.util

import numpy as np
import pytest

from molvec.errors import UserError
from molvec.evaluate.embedding_map import embedding_map


def make(x, *, limit=250, **options):
    n = len(x)
    labels = np.arange(n, dtype=float)
    smiles = [f"mol{i}" for i in range(n)]
    return embedding_map("set", "target", x, labels, smiles, limit=limit, **options)


def test_main_directions_are_found():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(300, 2))
    x = np.column_stack([hidden[:, [0]].repeat(4, 1), hidden[:, [1]].repeat(2, 1)]) * 100 + 7
    found = make(x, limit=300, method="PCA")
    assert found.method == "PCA"
    assert found.explained == pytest.approx((4 / 6, 2 / 6), abs=0.05)
    assert found.points.dtype == np.float32
    assert abs(np.corrcoef(found.points[:, 0], hidden[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(found.points[:, 1], hidden[:, 1])[0, 1]) > 0.99


def test_features_are_standardised():
    x = np.random.default_rng(0).normal(size=(100, 5))
    scaled = x * [1, 1e3, 1, 1e-3, 1] + [0, 5, 0, 0, 100]
    assert make(scaled).points == pytest.approx(make(x).points, abs=1e-2)


def test_a_random_sample_keeps_rows_together():
    x = np.random.default_rng(0).normal(size=(1000, 4))
    found = make(x, limit=50, method="PCA")
    assert found.points.shape == (50, 2)
    rows = found.labels.astype(int)
    assert found.smiles == tuple(f"mol{i}" for i in rows)
    assert len(set(rows)) == 50
    assert found.points == pytest.approx(make(x, limit=1000, method="PCA").points[rows], abs=1e-5)
    again = make(x, limit=50, method="PCA")
    assert again.smiles == found.smiles
    assert make(x, limit=50, seed=1, method="PCA").smiles != found.smiles


def test_rows_without_embedding_are_left_out():
    x = np.random.default_rng(0).normal(size=(20, 4))
    x[3] = np.nan
    x[5, 1] = np.inf
    found = make(x, method="PCA")
    assert len(found.points) == 18
    assert {"mol3", "mol5"}.isdisjoint(found.smiles)
    assert np.isfinite(found.points).all()


@pytest.mark.parametrize("x", [np.ones((1, 4)), np.ones((3, 4)), np.eye(3)[:, :1], np.eye(2)])
def test_hardly_anything_to_project(x):
    found = make(x, method="PCA")
    assert found.points.shape == (len(x), 2)
    assert np.isfinite(found.points).all()
    assert 0 <= sum(found.explained) <= 1 + 1e-6


def test_umap_if_it_is_installed(monkeypatch):
    class Umap:
        @staticmethod
        def UMAP(*, n_neighbors, random_state, n_jobs):
            assert (n_neighbors, random_state, n_jobs) == (15, 3, 1)
            return Umap

        @staticmethod
        def fit_transform(x):
            assert x.mean(axis=0) == pytest.approx(0, abs=1e-5)
            return x[:, :2]

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr("importlib.import_module", lambda name: Umap)
    x = np.random.default_rng(0).normal(size=(40, 3))
    found = make(x, limit=10, seed=3)
    assert (found.method, found.explained) == ("UMAP", None)
    assert found.points.shape == (10, 2)
    expected = (x - x.mean(axis=0)) / x.std(axis=0)
    assert found.points == pytest.approx(expected[found.labels.astype(int), :2], abs=1e-5)
    assert make(x[:15], seed=3).method == "PCA"
    with pytest.raises(UserError, match="more than 15 molecules"):
        make(x[:15], method="UMAP")


def test_mistakes(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    x = np.eye(4)
    assert make(x).method == "PCA"
    with pytest.raises(UserError, match="pip install umap-learn"):
        make(x, method="UMAP")
    with pytest.raises(UserError, match="no map method 'tsne'"):
        make(x, method="tsne")
    with pytest.raises(ValueError, match="4 embeddings, 3 labels and 4 SMILES"):
        embedding_map("set", "t", x, [0, 1, 0], ["C"] * 4)
    with pytest.raises(ValueError, match="shape"):
        make(np.arange(3.0))
    with pytest.raises(ValueError, match="no embedding to place"):
        make(np.full((2, 2), np.nan))
