"""Vectors of molecules in space without a network: baselines to stand beside a model's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from molvec.records import Conformer


def element_counts(conformers: Sequence[Conformer]) -> NDArray[np.float32]:
    """How many atoms of each element there are, float32 ``[num_molecules, num_elements]``.

    Columns are the elements that occur, by atomic number.
    """
    present = sorted({int(z) for conformer in conformers for z in np.unique(conformer.elements)})
    counts = [[(conformer.elements == z).sum() for z in present] for conformer in conformers]
    return np.array(counts, dtype=np.float32)


def pooled(targets: Iterable[Tensor]) -> NDArray[np.float32]:
    """Mean and sum over atoms of a grounding term's targets, ``[num_molecules, 2 * size]``.

    What a model knows that learned to predict these numbers and nothing else. A number that is
    missing for a molecule is 0.

    Args:
        targets: of each molecule, ``[n, size]``.
    """
    rows = []
    for each in targets:
        atoms = each.nan_to_num(0.0)
        rows.append(np.concatenate([atoms.mean(0).numpy(), atoms.sum(0).numpy()]))
    return np.stack(rows)
