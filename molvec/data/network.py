"""A network to learn from: one sample per node, a new one each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from molvec.data.subgraphs import SubgraphSampler
from molvec.featurize.network import NetworkFeaturizer
from molvec.graph import GROUNDING
from molvec.records import Network

TRAINING = 2
"""Tells the random numbers of training samples from those of masks and of inference."""


class NetworkDataset:
    """Graphs around the nodes of a network (a :class:`molvec.data.dataset.GraphDataset`).

    Args:
        sampler: node -> neighbourhood.
        featurizer: neighbourhood -> graph.
        seed: with the epoch and the node's row, the only source of randomness.
        rows: nodes to take samples around; by default all that have a neighbour.
        grounding: ``[num_nodes, size]``, of the whole network: attach the rows of a sample's nodes
            as ``grounding``.
    """

    def __init__(
        self,
        sampler: SubgraphSampler,
        featurizer: NetworkFeaturizer,
        *,
        seed: int = 0,
        rows: NDArray[np.int64] | None = None,
        grounding: NDArray[np.float32] | None = None,
    ) -> None:
        self.sampler = sampler
        self.featurizer = featurizer
        self.seed = seed
        self.grounding = grounding
        joined = np.flatnonzero(sampler.adjacency.degree)
        self.rows: NDArray[np.int64] = joined if rows is None else np.asarray(rows, dtype=np.int64)

    @property
    def sizes(self) -> NDArray[np.integer]:
        """The seed's neighbours, up to the most nodes of a sample: what bounds small ones."""
        return np.minimum(self.sampler.adjacency.degree[self.rows] + 1, self.sampler.nodes)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> int:
        """Return the node's row in the network."""
        return int(self.rows[index])

    def graph(self, index: int, epoch: int = 0) -> Data:
        """Draw and featurise a sample; one without a neighbour is a graph of one node."""
        row = self.row(index)
        rng = np.random.default_rng((self.seed, epoch, row, TRAINING))
        found = self.sampler(row, rng)
        graph = self.featurizer(found)
        if self.grounding is not None:
            graph[GROUNDING] = torch.from_numpy(self.grounding[found.nodes])
        return graph


def network_tensors(network: Network) -> dict[str, Tensor]:
    """Return what a model must carry of a network beside its names, for :func:`network_of`."""
    arrays = {
        "source": network.source,
        "target": network.target,
        "relation": network.relation,
        "weight": network.weight,
        "features": network.features,
    }
    return {
        name: torch.from_numpy(array.copy()) for name, array in arrays.items() if array is not None
    }


def network_of(tensors: Mapping[str, Tensor], featurizer: NetworkFeaturizer) -> Network:
    """Put a network together again.

    Raises:
        KeyError: if a tensor is missing.
    """
    arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in tensors.items()}
    return Network(
        names=featurizer.names,
        source=arrays["source"],
        target=arrays["target"],
        relation=arrays["relation"],
        relations=featurizer.relations,
        weight=arrays.get("weight"),
        features=arrays.get("features"),
        directed=featurizer.directed,
    )
