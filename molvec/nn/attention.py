"""Pre-norm Transformer blocks whose attention reads a bias for every pair of nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molvec.nn.distance import DistanceBias
from molvec.nn.embedding import embed_sum
from molvec.nn.packing import Packing
from molvec.nn.structure import MAX_DISTANCE, Structure


class PairBias(nn.Module):
    r"""One learned number per head for what lies between two nodes.

    .. math:: b_{hij} = D_h[\text{distance}_{ij}] + \sum_f E_{hf}[\text{edge}_{ijf}]

    (summed over the edges, too, where several join the same two nodes).

    Computed once per call and shared by all blocks (Graphormer, arXiv 2106.05234). With a
    ``reach``, a function of the distance in space is added: :class:`DistanceBias`.

    Args:
        heads: attention heads.
        edge_sizes: vocabulary sizes of the edge features; empty for topology alone.
        reach: how far distances in space are told apart, Angstrom; ``None`` for graphs without
            positions.

    Shapes:
        - pos: ``[num_nodes, 3]``; output: ``[R, heads, W, W]``, ``-inf`` towards unused slots.
    """

    def __init__(
        self, heads: int, edge_sizes: tuple[int, ...] = (), *, reach: float | None = None
    ) -> None:
        super().__init__()
        self.distance = nn.Embedding(MAX_DISTANCE + 2, heads)
        self.edge = nn.ModuleList(nn.Embedding(size, heads) for size in edge_sizes)
        self.space = None if reach is None else DistanceBias(heads, reach)

    def forward(
        self,
        packing: Packing,
        structure: Structure,
        edge_attr: Tensor | None,
        pos: Tensor | None = None,
    ) -> Tensor:
        """Return the additive attention mask for packed rows; ``pos`` is read with a reach."""
        bias = F.embedding(packing.pairs(structure.distance), self.distance.weight)
        if self.edge:
            assert edge_attr is not None
            per_edge = embed_sum(self.edge, edge_attr)
            if structure.parallel is not None:  # all edges between two nodes count
                per_edge = torch.zeros_like(per_edge).index_add(0, structure.parallel, per_edge)
            none = per_edge.new_zeros(1, per_edge.shape[1])
            edge = packing.pairs(structure.edge)  # [R, W, W]
            bias = bias + F.embedding(edge, torch.cat((none, per_edge)))
        if self.space is not None:
            if pos is None:
                raise ValueError("this network reads distances, and the graphs have no positions")
            bias = bias + self.space(packing, pos)
        unused = ~packing.used[:, None, None, :] & packing.used.any(1)[:, None, None, None]
        return bias.permute(0, 3, 1, 2).masked_fill(unused, float("-inf"))


class Block(nn.Module):
    r"""Pre-norm Transformer block on flat tokens.

    .. math::
        h = x + \mathrm{Attention}(\mathrm{LN}(x), b), \qquad
        f = \mathrm{FFN}(\mathrm{LN}(h)), \qquad x' = h + f

    Returns ``x'`` and ``f``: data2vec's targets average the feed-forward output before the
    residual add (arXiv 2202.03555, section 3.3 and table 4).

    ``dropout`` (for fine-tuning; 0 in pretraining) acts on what the two branches add to the
    tokens, in training mode alone.

    Shapes:
        - tokens: ``[T, dim]``; bias: ``[R, heads, W, W]``; both outputs: ``[T, dim]``.
    """

    def __init__(self, dim: int, heads: int, ffn_ratio: int = 4, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.norm_ffn = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, ffn_ratio * dim)
        self.contract = nn.Linear(ffn_ratio * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, bias: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
        """Apply the block; see the class for what it returns."""
        qkv = packing.pad(self.qkv(self.norm_attention(tokens)))  # [R, W, 3 dim]
        q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        attended = self.out(packing.flatten(mixed.transpose(1, 2).flatten(2)))
        tokens = tokens + self.dropout(attended)
        ffn = self.contract(F.gelu(self.expand(self.norm_ffn(tokens))))
        return tokens + self.dropout(ffn), ffn
