"""What a geometry says of an atom's surroundings: targets of the grounding term, per atom."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from molvec.graph import POS

ELEMENTS = (1, 6, 7, 8)
"""Atomic numbers that count by themselves; all others count together."""

CENTERS = (1.1, 1.45, 1.9, 2.5, 3.2, 4.0)
"""Angstrom: bonds with hydrogen, other bonds, H-X-H, two bonds away, three, beyond."""

WIDTH = 0.35
"""Angstrom."""

NUM_ATOM_SURROUNDINGS = (len(ELEMENTS) + 1) * len(CENTERS)


def atom_surroundings(graph: Data) -> Tensor:
    r"""Radial symmetry functions by element, float32 ``[n, NUM_ATOM_SURROUNDINGS]``.

    .. math:: G_{iek} = \sum_{j \neq i,\, z_j = e} \exp\!\big(-(r_{ij} - \mu_k)^2 / \sigma^2\big)

    (Behler and Parrinello 2007, doi:10.1103/PhysRevLett.98.146401.) From the positions as they
    are, so that a student that sees them with noise has to undo it.

    Args:
        graph: of one conformer, from :class:`molvec.featurize.conformer.ConformerFeaturizer` with
            its own vocabulary, in which an element's index is its atomic number.
    """
    pos, element = graph[POS].float(), graph.x[:, 0]
    # By products of matrices distances would be as inexact as positions are far from the origin.
    apart = torch.cdist(pos, pos, compute_mode="donot_use_mm_for_euclid_dist")
    apart.fill_diagonal_(torch.inf)
    near = torch.exp(-(((apart[..., None] - torch.tensor(CENTERS)) / WIDTH) ** 2))  # [n, n, k]
    kind = torch.full_like(element, len(ELEMENTS))
    for place, number in enumerate(ELEMENTS):
        kind[element == number] = place
    kinds = torch.nn.functional.one_hot(kind, len(ELEMENTS) + 1).float()
    return torch.einsum("ijk,je->iek", near, kinds).flatten(1)
