"""The graph Transformer: dense attention within each graph, biased by paths and bonds."""

from __future__ import annotations

from torch import Tensor, nn
from torch_geometric.data import Batch

from molvec.graph import FEATURES, NODE_ID, POS, Encoder, EncoderOutput
from molvec.nn.attention import Block, PairBias
from molvec.nn.embedding import NetworkEmbedding, NodeEmbedding, StructureEmbedding
from molvec.nn.local import LocalBranch, visible_edges
from molvec.nn.packing import pack
from molvec.nn.structure import structure_of


class GraphTransformer(Encoder):
    """Encoder for graphs (the contract is :class:`molvec.graph.Encoder`).

    With a ``reach`` it also reads distances between positions: what it returns does not change as
    the points turn or shift, and costs attention over all pairs, about ``depth`` numbers per head
    and pair for the backward pass.

    Topology (degree, random walks, shortest paths) is computed on the full graph; features of
    hidden nodes and of their edges never enter, as only rows and columns of visible nodes do.

    Args:
        node_sizes: vocabulary sizes of the node features.
        edge_sizes: vocabulary sizes of the edge features.
        dim: width; a multiple of ``heads``.
        depth: number of blocks.
        heads: attention heads.
        local: add a GINE message-passing branch over visible edges to every block.
        dropout: share of numbers dropped on the branches of every block, in training mode.
        reach: add a bias for the distance in space, which is 0 from here on, Angstrom; ``None``
            for graphs without positions.
        entities: add a vector of its own for every ``node_id``, of which there are so many.
        features: add a projection of ``batch.features``, so many numbers a node.
        entity_scale: standard deviation of the entities' vectors at the start.
        random_walk: whether a node's input has its random-walk return probabilities.

    Shapes:
        - output and each of ``depth`` hidden states: ``[T, dim]``, with ``T`` visible nodes over
          all views, view by view in node order.
    """

    def __init__(
        self,
        *,
        node_sizes: tuple[int, ...],
        edge_sizes: tuple[int, ...],
        dim: int,
        depth: int,
        heads: int,
        local: bool = False,
        dropout: float = 0.0,
        reach: float | None = None,
        entities: int | None = None,
        features: int | None = None,
        entity_scale: float = 1.0,
        random_walk: bool = True,
    ) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"dim ({dim}) must be a multiple of heads ({heads})")
        self.dim = dim
        self.depth = depth
        self.nodes = NodeEmbedding(node_sizes, dim)
        self.structure = StructureEmbedding(dim, random_walk=random_walk)
        self.bias = PairBias(heads, edge_sizes, reach=reach)
        self.blocks = nn.ModuleList(Block(dim, heads, dropout=dropout) for _ in range(depth))
        self.local = nn.ModuleList(LocalBranch(dim, edge_sizes) for _ in range(depth * local))
        self.norm = nn.LayerNorm(dim)
        self.identity = (
            None
            if entities is None and features is None
            else NetworkEmbedding(dim, entities=entities, features=features, scale=entity_scale)
        )

    def layers(self) -> list[list[nn.Module]]:
        """Return all parts from the input up; the pair bias is of the first, see ``Encoder``."""
        blocks: list[list[nn.Module]] = [[block] for block in self.blocks]
        for layer, local in zip(blocks, self.local, strict=False):  # no branches, or one each
            layer.append(local)
        layers = [[self.nodes, self.structure, self.bias], *blocks]
        layers[-1].append(self.norm)
        if self.identity is not None:
            layers[0].append(self.identity)
        return layers

    def forward(self, batch: Batch, visible: Tensor | None = None) -> EncoderOutput:
        """Encode the visible nodes; ``visible`` is ``[num_nodes]`` or ``[V, num_nodes]``."""
        structure = structure_of(batch)
        packing = pack(batch, visible)
        bias = self.bias(packing, structure, batch.edge_attr, batch.get(POS))
        inputs = self.nodes(batch.x) + self.structure(structure)  # [num_nodes, dim]
        if self.identity is not None:
            inputs = inputs + self.identity(batch.get(NODE_ID), batch.get(FEATURES))
        tokens = inputs if visible is None else inputs.index_select(0, packing.node)
        embedded = tokens
        edges = visible_edges(batch, visible) if self.local else None
        hidden_states = []
        for i, block in enumerate(self.blocks):
            if edges is not None:
                tokens = self.local[i](tokens, edges)
            tokens, ffn = block(tokens, bias, packing)
            hidden_states.append(ffn)
        return EncoderOutput(self.norm(tokens), tuple(hidden_states), embedded)
