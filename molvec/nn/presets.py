"""Sizes by name, and the one function that builds each family from plain settings."""

from __future__ import annotations

from typing import Any

from molvec.nn.graph_transformer import GraphTransformer

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"dim": 64, "depth": 3, "heads": 4},
    "small": {"dim": 256, "depth": 6, "heads": 8},  # 4.8 M parameters
    "base": {"dim": 512, "depth": 12, "heads": 8},  # 38 M parameters
}

ENCODERS = {"graph_transformer": GraphTransformer}


def build_encoder(
    config: dict[str, Any], *, node_sizes: tuple[int, ...], edge_sizes: tuple[int, ...]
) -> GraphTransformer:
    """Build an encoder from ``{"family": ..., **constructor arguments}``.

    Raises:
        ValueError: for an unknown family.
    """
    arguments = dict(config)
    family = arguments.pop("family")
    if family not in ENCODERS:
        raise ValueError(f"unknown encoder family {family!r}; known: {', '.join(ENCODERS)}")
    return ENCODERS[family](node_sizes=node_sizes, edge_sizes=edge_sizes, **arguments)
