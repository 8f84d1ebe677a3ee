"""node2vec: the usual embedding of a network's nodes, as a baseline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.data.walks import Walks, walk_texts
from molvec.errors import UserError
from molvec.records import Network

DIM, WALKS, LENGTH, CONTEXT = 128, 10, 80, 10
"""Settings of the paper: width, walks from each node, their length, nodes to either side."""
NEGATIVES = 5


def node2vec(
    network: Network, *, seed: int, p: float = 1.0, q: float = 1.0, epochs: int = 1
) -> NDArray[np.float32]:
    """Embed every node: ``[num_nodes, 128]``; nodes without an edge get zeros.

    Walks are molvec's (:class:`molvec.data.walks.Walks`), the skip-gram with negative samples is
    gensim's, which the authors' own program uses, too. PyG's Node2Vec cannot be had without
    pyg-lib, which is not on PyPI. One thread, so that a seed gives the same numbers.

    Args:
        network: its edges.
        seed: of the walks and of the skip-gram.
        p: see :class:`Walks`.
        q: see :class:`Walks`.
        epochs: passes over the walks.

    Raises:
        UserError: if gensim is not installed.
    """
    try:
        from gensim.models import Word2Vec
    except ImportError:
        raise UserError("node2vec needs gensim: pip install 'molvec[networks]'") from None
    walks = Walks(network, p=p, q=q)
    texts = list(walk_texts(walks, WALKS, LENGTH, seed))
    model = Word2Vec(
        texts,
        vector_size=DIM,
        window=CONTEXT,
        min_count=1,
        sg=1,
        hs=0,
        negative=NEGATIVES,
        epochs=epochs,
        seed=seed,
        workers=1,
        hashfxn=_hash,
    )
    vectors = np.zeros((len(network), DIM), dtype=np.float32)
    for node in walks.joined:
        vectors[node] = model.wv[str(node)]
    return vectors


def _hash(value: Any) -> int:
    """Python's own hash of a text differs from process to process."""
    return sum((i + 1) * ord(letter) for i, letter in enumerate(str(value)))
