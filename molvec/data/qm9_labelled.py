"""QM9 as labelled molecules in space, and its usual split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from molvec.data.card import load_card
from molvec.data.conformers import open_conformers
from molvec.data.labelled import Labelled, labels_sha256
from molvec.data.qm9 import COLUMNS, atomization_energy, read_qm9_labels
from molvec.data.source import fetch
from molvec.data.split import Split
from molvec.errors import UserError
from molvec.records import SkipCount

TRAIN, VALID = 110_000, 10_000


def load_qm9(targets: Sequence[str] = tuple(COLUMNS)) -> Labelled:
    """Load QM9 with geometries.

    Args:
        targets: some of :data:`molvec.data.qm9.COLUMNS`, in their units; ``u0`` is that of the
            molecule less those of its free atoms.

    Raises:
        UserError: for an unknown target, or if the data cannot be had.
    """
    unknown = [name for name in targets if name not in COLUMNS]
    if unknown:
        raise UserError(f"QM9 has no label {unknown[0]!r}. Known: {', '.join(COLUMNS)}")
    card = load_card("qm9")
    path = fetch(card)
    store = open_conformers("qm9")
    labels = read_qm9_labels(path)
    if "u0" in targets:
        elements = [store[i].elements for i in range(len(store))]
        labels["u0"] = atomization_energy(labels["u0"].to_numpy(), elements)
    smiles = tuple(pd.read_csv(path, usecols=["SMILES"])["SMILES"])
    rows, values = np.arange(len(store)), labels[list(targets)]
    return Labelled(
        name="qm9",
        task="regression",
        smiles=smiles,
        rows=rows,
        targets=values,
        num_rows=len(store),
        skipped=SkipCount(),
        duplicates=0,
        contradictions=0,
        sha256=labels_sha256("regression", rows, smiles, values),
        conformers=store,
    )


def qm9_split(data: Labelled, *, seed: int = 0) -> Split:
    """110,000 to teach, 10,000 to choose, the rest to test, in an order drawn from the seed.

    The split of most papers since SchNet (Schuett et al. 2018, arXiv 1706.08566) in its sizes.
    """
    order = np.random.default_rng(seed).permutation(len(data))
    cuts = [TRAIN, TRAIN + VALID]
    train, valid, test = (np.sort(part).astype(np.int64) for part in np.split(order, cuts))
    digest = hashlib.sha256(b"".join(part.tobytes() for part in (train, valid, test))).hexdigest()
    return Split("random_110k_10k", seed, train, valid, test, digest)
