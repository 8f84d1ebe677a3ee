"""Networks that tests share."""

import numpy as np

from molvec.featurize.network import NetworkFeaturizer
from molvec.records import make_network


def triples(nodes=24, relations=3, edges=90, seed=0):
    """Distinct random triples as text."""
    rng = np.random.default_rng(seed)
    rows = {(h, r, t) for h, r, t in rng.integers((nodes, relations, nodes), size=(edges, 3))}
    return "".join(f"n {h}\tr{r}\tn {t}\n" for h, r, t in sorted(rows))


def knowledge(features=False):
    """Five nodes in a line, two of them joined twice and one alone."""
    return make_network(
        ["a", "b", "c", "d", "alone"],
        np.array([0, 1, 2, 0]),
        np.array([1, 2, 3, 1]),
        relation=np.array([0, 1, 0, 1]),
        relations=["likes", "knows"],
        features=np.arange(10, dtype=np.float32).reshape(5, 2) if features else None,
        directed=True,
    )


def featurizer_of(network, **arguments):
    size = 0 if network.features is None else network.features.shape[1]
    return NetworkFeaturizer(
        network.names, network.relations, directed=network.directed, features=size, **arguments
    )
