"""node2vec: near nodes have near vectors; without gensim there is a message."""

import sys

import numpy as np
import pytest

from molvec.errors import UserError
from molvec.evaluate.node2vec import node2vec
from tests.data.test_positions import cliques


def test_communities_and_seeds():
    pytest.importorskip("gensim")
    found = node2vec(cliques(), seed=0, epochs=5)
    assert found.shape == (17, 128)
    assert (found[16] == 0).all()
    unit = found[:16] / np.linalg.norm(found[:16], axis=1, keepdims=True)
    similar = unit @ unit.T
    assert similar[1:8, 1:8].mean() > similar[1:8, 9:16].mean() + 0.1
    np.testing.assert_array_equal(found, node2vec(cliques(), seed=0, epochs=5))
    assert (found != node2vec(cliques(), seed=1, epochs=5)).any()


def test_without_gensim(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(UserError, match=r"pip install 'molvec\[networks\]'"):
        node2vec(cliques(), seed=0)
