"""What a structure says of a residue's surroundings: targets of the grounding term, per residue."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from molvec.featurize.protein import BONDED, RESIDUE
from molvec.graph import POS

PAIRS = ((-4, 0), (-3, 0), (-2, 0), (0, 2), (0, 3), (0, 4), (-1, 1), (-1, 2), (-2, 1), (-2, 2))
"""Places along the chain, counted from the residue; the distance between each two is a target."""

RADII = (7.0, 10.0, 14.0, 20.0)
"""Angstrom; how many residues lie within each is a target."""

COMPOSITION = 14.0
"""Angstrom; which residues lie within is a target."""

NUM_SURROUNDINGS = len(PAIRS) + len(RADII) + RESIDUE.sizes[0]


def surroundings(graph: Data) -> Tensor:
    """Distances along the chain, how crowded it is, and with what; float32 ``[n, size]``.

    Ten distances between CA atoms up to four residues apart (Angstrom; NaN across an end or a gap
    of the chain), four numbers of neighbours, and the share of each kind of residue among those
    within 14 Angstrom. All from the positions as they are, so that a student that sees them with
    noise has to undo it.

    Args:
        graph: of one chain, from :class:`molvec.featurize.ProteinFeaturizer`.
    """
    pos = graph[POS].float()
    apart = torch.cdist(pos, pos)
    n = len(pos)
    piece = torch.zeros(n)
    if n > 1:
        piece[1:] = (apart.diagonal(1) > BONDED).cumsum(0)
    place = torch.arange(n)
    columns = []
    for first, second in PAIRS:
        a, b = place + first, place + second
        inside = (a >= 0) & (b < n)
        a, b = a.clamp(0, n - 1), b.clamp(0, n - 1)
        along = inside & (piece[a] == piece[b])
        columns.append(torch.where(along, apart[a, b], torch.nan))
    columns += [(apart <= radius).sum(1).float() for radius in RADII]
    near = (apart <= COMPOSITION).float()
    kinds = torch.nn.functional.one_hot(graph.x[:, 0], RESIDUE.sizes[0]).float()
    share = near @ kinds / near.sum(1, keepdim=True)
    return torch.cat([torch.stack(columns, dim=1), share], dim=1)
