"""Featurisers by the kind of data, and back from a model's ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.featurize.network import NetworkFeaturizer
from molvec.featurize.protein import ProteinFeaturizer

Featurizer = MoleculeFeaturizer | ConformerFeaturizer | ProteinFeaturizer | NetworkFeaturizer

FEATURIZERS: dict[str, type[Featurizer]] = {
    MoleculeFeaturizer.kind: MoleculeFeaturizer,
    ConformerFeaturizer.kind: ConformerFeaturizer,
    ProteinFeaturizer.kind: ProteinFeaturizer,
    NetworkFeaturizer.kind: NetworkFeaturizer,
}


def featurizer_from_json(config: Mapping[str, Any]) -> Featurizer:
    """Build the featuriser that ``to_json`` described.

    Raises:
        ValueError: for an unknown kind.
        KeyError: if something is missing.
    """
    kind = config["kind"]
    if kind not in FEATURIZERS:
        raise ValueError(f"unknown kind of data {kind!r}; known: {', '.join(FEATURIZERS)}")
    return FEATURIZERS[kind].from_json(config)
