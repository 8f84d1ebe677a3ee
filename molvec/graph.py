"""The contract: what a graph holds, what an encoder takes and gives.

A graph is a PyG ``Data`` object, a batch a PyG ``Batch``; nodes are tokens, laid out flat without
padding. Every layer above reads and writes only the fields named here.

==============  =======================================  ==========================================
field           dtype and shape                          meaning
==============  =======================================  ==========================================
``x``           int64 ``[num_nodes, num_node_features]``  categorical node features; column ``j``
                                                         indexes the ``j``-th declared vocabulary
``pos``         float32 ``[num_nodes, 3]``               coordinates in Angstrom
``student_pos`` float32 ``[num_nodes, 3]``               coordinates as the student sees them,
                                                         with noise (optional)
``edge_index``  int64 ``[2, num_edges]``                 row 0 source, row 1 target; an undirected
                                                         edge is stored twice; sorted by target
``student_edges`` bool ``[num_edges]``           False where the student does not see the edge
                                                         (optional)
``edge_attr``   int64 ``[num_edges, num_edge_features]``  categorical edge features
``node_id``     int64 ``[num_nodes]``                    row of the entity table (samples of one
                                                         big graph); index 0 stands for hidden
``features``    float32 ``[num_nodes, F]``               numbers that describe a node of a
                                                         network (optional)
``batch``       int64 ``[num_nodes]``                    graph of each node, non-decreasing
``grounding``   float32 ``[num_graphs, size]``           what a graph tells of itself, for the
                                                         objective's grounding term (optional);
                                                         ``[num_nodes, size]`` for what is asked
                                                         of every node
==============  =======================================  ==========================================
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

POS = "pos"
STUDENT_POS = "student_pos"
STUDENT_EDGES = "student_edges"
GROUNDING = "grounding"
NODE_ID = "node_id"
FEATURES = "features"
STRUCTURE = "structure"
"""What an encoder keeps on a batch of all that follows from ``edge_index`` alone."""

MASK = 0
"""Index 0 of every categorical feature: the token that stands for a hidden value."""


class EncoderOutput(NamedTuple):
    """What an encoder returns: invariant node representations, one row per encoded node.

    Rows follow the order of the encoded nodes: all nodes when ``visible`` is ``None``, otherwise
    the visible ones, view by view.

    Shapes:
        - ``output``: ``[num_nodes, dim]``; what the predictor and ``embed`` read.
        - ``hidden_states``: one ``[num_nodes, hidden_dim]`` per block; what the targets average.
        - ``embedded``: ``[num_nodes, dim]``; what the first block received (for diagnostics).
    """

    output: Tensor
    hidden_states: tuple[Tensor, ...]
    embedded: Tensor


class Encoder(nn.Module):
    """Anything that turns a batch of graphs into node representations.

    ``visible`` is bool ``[num_nodes]``, or ``[num_views, num_nodes]`` for several maskings of the
    same batch in one call; ``False`` hides a node: its features, and the features of its edges,
    must not influence any output. ``None`` means that every node is visible. ``dim`` is the width
    of what it returns, ``depth`` the number of hidden states and ``hidden_dim`` their width.
    """

    dim: int
    depth: int

    @property
    def hidden_dim(self) -> int:
        """Width of the hidden states: ``dim``, unless an encoder says otherwise."""
        return self.dim

    def forward(self, batch: Batch, visible: Tensor | None = None) -> EncoderOutput:
        """Encode the visible nodes of a batch."""
        raise NotImplementedError

    def layers(self) -> list[list[nn.Module]]:
        """Return all parts from the input up, for layer-wise learning rates and freezing.

        ``depth + 1`` layers: what comes before the first block, then every block; what comes
        after the last block belongs to it.
        """
        raise NotImplementedError


def validate(graph: Data) -> None:
    """Check one graph (or batch) against the contract.

    Raises:
        ValueError: naming the first field that breaks the contract, and how.
    """
    x, edge_index, edge_attr = graph.x, graph.edge_index, graph.edge_attr
    if x is None or x.dim() != 2 or x.dtype != torch.int64:
        raise ValueError("x must be int64 [num_nodes, num_node_features]")
    if x.shape[0] == 0:
        raise ValueError("a graph needs at least one node")
    if edge_index is None or edge_index.dtype != torch.int64 or edge_index.shape[:1] != (2,):
        raise ValueError("edge_index must be int64 [2, num_edges]")
    num_edges = edge_index.shape[1]
    if edge_attr is None or edge_attr.dtype != torch.int64 or edge_attr.shape[:1] != (num_edges,):
        raise ValueError(f"edge_attr must be int64 [{num_edges}, num_edge_features]")
    if num_edges:
        if int(edge_index.min()) < 0 or int(edge_index.max()) >= x.shape[0]:
            raise ValueError(f"edge_index must lie in [0, {x.shape[0]})")
        if bool((edge_index[1].diff() < 0).any()):
            raise ValueError("edge_index must be sorted by target (row 1)")
    pos = graph.get(POS)
    if pos is not None and (pos.shape != (x.shape[0], 3) or not pos.is_floating_point()):
        raise ValueError(f"pos must be float [{x.shape[0]}, 3]")
    node_id, features = graph.get(NODE_ID), graph.get(FEATURES)
    if node_id is not None and (node_id.shape != x.shape[:1] or node_id.dtype != torch.int64):
        raise ValueError(f"node_id must be int64 [{x.shape[0]}]")
    if features is not None and (
        features.dim() != 2 or len(features) != len(x) or features.dtype != torch.float32
    ):
        raise ValueError(f"features must be float32 [{x.shape[0]}, F]")
