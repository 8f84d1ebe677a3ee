"""Input embedders: categorical node features and topology become one vector per node."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molvec.nn.structure import MAX_DEGREE, WALK_STEPS, Structure


def embed_sum(tables: nn.ModuleList, index: Tensor) -> Tensor:
    """Look up one row per table and add them: one pass over memory, forward and backward.

    Args:
        tables: embeddings of one width.
        index: a column per table, int64 ``[N, len(tables)]``.

    Returns:
        ``[N, dim]``.
    """
    weights: list[Tensor] = list(tables.parameters())
    first = index.new_tensor([0, *map(len, weights)])[:-1].cumsum(0)
    return F.embedding_bag(index + first, torch.cat(weights), mode="sum")


class NodeEmbedding(nn.Module):
    r"""Sum of one learned vector per categorical feature.

    .. math:: e_i = \sum_f T_f[x_{if}]

    Shapes:
        - x: int64 ``[num_nodes, num_features]``; output: ``[num_nodes, dim]``.
    """

    def __init__(self, sizes: tuple[int, ...], dim: int) -> None:
        super().__init__()
        tables = [nn.Embedding(size, dim) for size in sizes]
        for table in tables:
            nn.init.normal_(table.weight, std=len(sizes) ** -0.5)
        self.tables = nn.ModuleList(tables)

    def forward(self, x: Tensor) -> Tensor:
        """Embed the node features."""
        return embed_sum(self.tables, x)


class NetworkEmbedding(nn.Module):
    r"""What a node of a network is beside its degree: who it is, and numbers that describe it.

    .. math:: e_i = T[\text{id}_i] + W f_i

    Args:
        dim: width.
        entities: rows of the table; ``None`` for none.
        features: numbers of a node; ``None`` for none.
        scale: standard deviation of the table at the start. Beside it, degree and structure have
            about 1: a smaller one leaves more of the vectors to what is learned.

    Shapes:
        - node_id: int64 ``[num_nodes]``; features: ``[num_nodes, F]``; output:
          ``[num_nodes, dim]``.
    """

    def __init__(
        self, dim: int, *, entities: int | None, features: int | None, scale: float = 1.0
    ) -> None:
        super().__init__()
        self.entities = None if entities is None else nn.Embedding(entities, dim)
        if self.entities is not None and scale != 1.0:  # 1 is what the table starts with
            nn.init.normal_(self.entities.weight, std=scale)
        self.project = None
        if features is not None:
            self.project = nn.Linear(features, dim, bias=False)
            # What describes a node outweighs its degree: standardised features give numbers of
            # variance 3, where the degree's have 1. With a ninth of it, as a linear layer starts,
            # a random encoder's vectors of proteins know their labels less well.
            nn.init.normal_(self.project.weight, std=(3 / features) ** 0.5)

    def forward(self, node_id: Tensor | None, features: Tensor | None) -> Tensor:
        """Embed the nodes.

        Raises:
            ValueError: if the graphs lack what this network reads.
        """
        parts = []
        if self.entities is not None:
            if node_id is None:
                raise ValueError("this network reads node_id, and the graphs have none")
            parts.append(self.entities(node_id))
        if self.project is not None:
            if features is None:
                raise ValueError("this network reads features, and the graphs have none")
            parts.append(self.project(features))
        return torch.stack(parts).sum(0)


class StructureEmbedding(nn.Module):
    r"""Where a node sits in its graph: degree and random-walk return probabilities.

    .. math:: s_i = T_{\deg}[\deg_i] + W p_i, \quad p_{ik} = [(D^{-1}A)^k]_{ii}

    Args:
        dim: width.
        random_walk: whether to read the return probabilities.

    Shapes:
        - output: ``[num_nodes, dim]``.
    """

    def __init__(self, dim: int, *, random_walk: bool = True) -> None:
        super().__init__()
        self.degree = nn.Embedding(MAX_DEGREE + 1, dim)
        self.walk = nn.Linear(WALK_STEPS, dim, bias=False) if random_walk else None
        nn.init.normal_(self.degree.weight, std=0.5)

    def forward(self, structure: Structure) -> Tensor:
        """Embed the topology of every node of a batch."""
        degree: Tensor = self.degree(structure.degree)
        if self.walk is None:
            return degree
        return degree + self.walk(structure.walk.to(self.walk.weight.dtype))
