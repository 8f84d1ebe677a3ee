"""Predictors: from what the student saw to what the teacher thinks of the hidden nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import POS
from molvec.nn.attention import Block, PairBias
from molvec.nn.embedding import StructureEmbedding
from molvec.nn.local import LocalBranch, visible_edges
from molvec.nn.packing import pack
from molvec.nn.structure import structure_of


class TransformerPredictor(nn.Module):
    """A narrow Transformer over all nodes: student outputs where visible, mask tokens elsewhere.

    A mask token knows where it is (degree, random walks, path lengths; with a ``reach``, distances
    between the student's own, noisy positions) and nothing of what it is: no node features, and
    no bond types, which tell a hidden atom's element. In a knowledge graph it is the other way
    round: who is hidden is a question only with the relation, and with ``edge_sizes`` the tokens
    read the kinds of all edges, as a bias and as messages. data2vec 2.0 (arXiv 2212.07525) uses a
    small convolutional decoder in this place; on graphs, attention with the path bias is its
    counterpart.

    Args:
        dim: width of the student, and of the targets.
        width: width of the predictor.
        depth: blocks.
        heads: attention heads.
        reach: how far distances in space are told apart, Angstrom; ``None`` for graphs without
            positions.
        edge_sizes: vocabulary sizes of the edge features to read; empty for none.

    Shapes:
        - context: ``[num_visible, dim]``; mask: bool ``[V, num_nodes]``; output:
          ``[V, num_nodes, dim]``.
    """

    def __init__(
        self,
        *,
        dim: int,
        width: int,
        depth: int,
        heads: int,
        reach: float | None = None,
        edge_sizes: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.project = nn.Linear(dim, width)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.structure = StructureEmbedding(width)
        self.bias = PairBias(heads, edge_sizes, reach=reach)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        branches = depth if edge_sizes else 0
        self.local = nn.ModuleList(LocalBranch(width, edge_sizes) for _ in range(branches))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, dim)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, context: Tensor, batch: Batch, mask: Tensor) -> Tensor:
        """Predict the targets of all nodes in every view."""
        structure = structure_of(batch)
        everywhere = torch.ones_like(mask)
        packing = pack(batch, everywhere)
        bias = self.bias(packing, structure, batch.get("edge_attr"), batch.get(POS))
        hidden = mask.flatten()
        visible_slot = (~hidden).nonzero().squeeze(1)
        projected = self.project(context)
        tokens = self.mask_token.to(projected.dtype).expand(len(hidden), -1)
        tokens = tokens.index_copy(0, visible_slot, projected)
        tokens = tokens + self.structure(structure).repeat(len(mask), 1)
        edges = visible_edges(batch, everywhere) if self.local else None
        for i, block in enumerate(self.blocks):
            if edges is not None:
                tokens = self.local[i](tokens, edges)
            tokens, _ = block(tokens, bias, packing)
        return self.out(self.norm(tokens)).unflatten(0, mask.shape)
