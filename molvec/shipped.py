"""Models that come with the package: loaded by name, without a network."""

from __future__ import annotations

from pathlib import Path

DEFAULT_MODEL = "zinc-2d"
"""What ``molvec embed`` uses when no model is named."""


def shipped_models() -> dict[str, Path]:
    """Return the folders of the shipped models by name."""
    weights = Path(__file__).parent / "weights"
    return {path.parent.name: path.parent for path in sorted(weights.glob("*/config.json"))}
