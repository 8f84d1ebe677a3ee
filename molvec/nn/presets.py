"""Sizes by name, and the one function that builds each family from plain settings."""

from __future__ import annotations

from typing import Any

from molvec.graph import Encoder

PRESETS: dict[str, dict[str, dict[str, int]]] = {
    "graph_transformer": {
        "tiny": {"dim": 64, "depth": 3, "heads": 4},
        "small": {"dim": 256, "depth": 6, "heads": 8},  # 4.8 M parameters
        "base": {"dim": 512, "depth": 12, "heads": 8},  # 38 M parameters
    },
    "equivariant": {
        "tiny": {"dim": 32, "depth": 2, "lmax": 1},
        "small": {"dim": 128, "depth": 4, "lmax": 1},
        "base": {"dim": 256, "depth": 6, "lmax": 2},
    },
}
"""Sizes by family and name."""


def _graph_transformer(**arguments: Any) -> Encoder:
    from molvec.nn.graph_transformer import GraphTransformer

    return GraphTransformer(**arguments)


def _equivariant(**arguments: Any) -> Encoder:
    from molvec.nn.equivariant_encoder import EquivariantEncoder  # e3nn takes a second to import

    return EquivariantEncoder(**arguments)


ENCODERS = {"graph_transformer": _graph_transformer, "equivariant": _equivariant}


def build_encoder(
    config: dict[str, Any], *, node_sizes: tuple[int, ...], edge_sizes: tuple[int, ...]
) -> Encoder:
    """Build an encoder from ``{"family": ..., **constructor arguments}``.

    Raises:
        ValueError: for an unknown family.
    """
    arguments = dict(config)
    family = arguments.pop("family")
    if family not in ENCODERS:
        raise ValueError(f"unknown encoder family {family!r}; known: {', '.join(ENCODERS)}")
    return ENCODERS[family](node_sizes=node_sizes, edge_sizes=edge_sizes, **arguments)
