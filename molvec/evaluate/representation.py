"""What a head reads: one vector per molecule, computed once and kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molvec.atomic import atomic_write
from molvec.data.labelled import Labelled
from molvec.provenance import software

Features = NDArray[np.float32]

ECFP = "ECFP4 counts"
DESCRIPTORS = "RDKit descriptors"
PRETRAINED = "pretrained"
RANDOM_START = "random start"
SCRATCH = "trained from scratch"


FEATURES_VERSION = 1
"""Raised with every change of code that changes features or embeddings: old ones are not reused."""


@dataclass(frozen=True)
class Representation:
    """A way to turn SMILES into vectors.

    Attributes:
        name: row of the table.
        key: identifies the numbers: equal keys give equal vectors for equal SMILES.
        compute: SMILES -> float32 ``[num_molecules, dim]``; rows in order.
        scale: whether heads standardise the features (counts are used as they are).
        seed: of a representation that depends on one; ``None`` for all others.
        keep: whether the vectors are worth keeping on disk.
    """

    name: str
    key: str
    compute: Callable[[Sequence[str]], Features]
    scale: bool = True
    seed: int | None = None
    keep: bool = True


def features(representation: Representation, data: Labelled, cache: Path) -> Features:
    """Return the vectors of a data set, from the cache if they were computed before.

    Kept in ``cache/<key>/<sha256 of the data>.npy``, written under another name first. A file
    that cannot be read is computed again.

    Raises:
        UserError: if the cache cannot be written.
    """
    path = cache / representation.key / f"{data.sha256}.npy"
    if representation.keep and path.exists():
        try:
            kept: Features = np.load(path, allow_pickle=False)
            if kept.ndim == 2 and len(kept) == len(data):
                return kept
        except (OSError, ValueError, EOFError):
            pass
    x = representation.compute(data.smiles)
    assert x.shape[0] == len(data), f"{representation.name}: {x.shape} for {len(data)} molecules"
    if representation.keep:
        mend = "set MOLVEC_CACHE to a folder you own"
        atomic_write(path, lambda temporary: _save(temporary, x), mend=mend)
    return x


def ecfp() -> Representation:
    """ECFP4 counts folded to 2,048 positions (Rogers and Hahn 2010, doi:10.1021/ci100050t)."""
    return Representation(
        name=ECFP,
        key=f"ecfp4-counts-2048-{versions_key()}",
        compute=_ecfp,
        scale=False,
        keep=False,  # ten thousand molecules a second, and 8 kB each
    )


def rdkit_descriptors(jobs: int = 1) -> Representation:
    """RDKit's 2D descriptors; NaN where one is not defined for a molecule.

    Args:
        jobs: processes to compute with.
    """
    return Representation(
        name=DESCRIPTORS,
        key=f"descriptors-{versions_key()}",
        compute=lambda smiles: _descriptors(smiles, jobs),
    )


def versions_key() -> str:
    """Hash of what features depend on beside the model: code, molvec, RDKit, torch."""
    text = f"{FEATURES_VERSION} {software('rdkit', 'torch')}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _ecfp(smiles: Sequence[str]) -> Features:
    from molvec.featurize.fingerprint import fingerprint_counts
    from molvec.records import Record, parse

    rows = [fingerprint_counts(parse(Record(i, smiles=text))) for i, text in enumerate(smiles)]
    return np.stack(rows).astype(np.float32, copy=False)


def _descriptors(smiles: Sequence[str], jobs: int) -> Features:
    from joblib import Parallel, delayed

    chunks = [smiles[i : i + 256] for i in range(0, len(smiles), 256)]
    rows = Parallel(n_jobs=jobs)(delayed(_descriptors_of)(chunk) for chunk in chunks)
    return np.concatenate(list(rows))


def _descriptors_of(smiles: Sequence[str]) -> Features:
    from molvec.featurize.descriptors import descriptors
    from molvec.records import Record, parse

    rows = [descriptors(parse(Record(i, smiles=text))) for i, text in enumerate(smiles)]
    return np.stack(rows).astype(np.float32, copy=False)


def _save(path: Path, x: Features) -> None:
    with path.open("wb") as file:  # by name, numpy would add .npy
        np.save(file, x)
