"""Which data sets make a suite."""

from __future__ import annotations

CLASSIFICATION = ("bbbp", "bace", "clintox", "sider", "tox21", "toxcast", "hiv")
REGRESSION = ("esol", "freesolv", "lipophilicity")

SUITES: dict[str, tuple[str, ...]] = {
    "moleculenet": CLASSIFICATION + REGRESSION,
    # MUV (93,087 molecules), QM7 and QM8 on top: hours instead of minutes on two cores.
    "moleculenet-full": (*CLASSIFICATION, "muv", *REGRESSION, "qm7", "qm8"),
    # What label efficiency is usually shown on: small sets, one to a few tasks.
    "moleculenet-small": ("bbbp", "bace", "clintox", "esol", "freesolv", "lipophilicity"),
}
"""Data sets by suite, in the order of their columns; sources: Wu et al. 2018 (MoleculeNet),
doi:10.1039/C7SC02664A, and Hu et al. 2020, arXiv 1905.12265, for the eight classification sets."""

_TREES = 500
# One forest a target: 500 trees and three seeds for every set would take two hours on two cores.
# Regression tries a third of the features per split, which costs seven times as much.
_FEWER_TREES = {
    "esol": 200,
    "freesolv": 200,
    "lipophilicity": 100,
    "sider": 100,
    "tox21": 100,
    "hiv": 100,
    "qm7": 100,
    "qm8": 100,
    "muv": 100,
    "toxcast": 30,
}
_ONE_SEED = {"toxcast", "muv"}  # a mean over many targets hardly depends on the seed


def trees_for(dataset: str | None) -> int:
    """Trees of a random forest: 500, fewer where rows or targets are many.

    Args:
        dataset: of the suite; ``None`` for a user's own table.
    """
    return _TREES if dataset is None else _FEWER_TREES.get(dataset, _TREES)


def frozen_seeds(dataset: str | None, seeds: int) -> int:
    """How many forests, and networks at random start: as many as seeds, one with many targets."""
    return 1 if dataset in _ONE_SEED else seeds
