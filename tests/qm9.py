"""A small QM9 to test with."""

import numpy as np
import pandas as pd

from molvec.data import qm9_labelled
from molvec.data.qm9 import COLUMNS
from molvec.records import Conformer


def made_up(patch, folder, *, spread=0.0):
    """Put sixty molecules of 2 to 7 hydrogens in the place of QM9; return their sizes.

    Every label is a function of the size. ``spread`` shifts atoms at random, Angstrom.
    """
    sizes = 2 + np.arange(60) % 6
    table = pd.DataFrame({"SMILES": [f"C{'C' * int(n)}" for n in sizes]})
    for name, (column, _, _) in COLUMNS.items():
        table[column] = sizes * (1.0 if name != "u0" else -0.6)
    path = folder / "qm9.csv"
    table.to_csv(path, index=False)
    rng = np.random.default_rng(0)
    store = []
    for i, n in enumerate(sizes):
        line = np.arange(3 * n, dtype=np.float32).reshape(n, 3) * (0.3 if spread else 1.0)
        line += rng.normal(scale=spread, size=line.shape).astype(np.float32)
        store.append(Conformer(f"m{i}", np.ones(n, np.uint8), line))
    patch.setattr(qm9_labelled, "fetch", lambda card: path)
    patch.setattr(qm9_labelled, "open_conformers", lambda name: store)
    patch.setattr(qm9_labelled, "TRAIN", 30)
    patch.setattr(qm9_labelled, "VALID", 15)
    return sizes
