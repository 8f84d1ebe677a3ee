"""Learning rate over a run: linear warm-up, then half a cosine down to a floor."""

from __future__ import annotations

import math


def warmup_cosine(step: int, *, steps: int, warmup: int, floor: float = 0.01) -> float:
    """Factor on the peak learning rate for optimiser step ``step`` (0-based) of ``steps``.

    Rises linearly over ``warmup`` steps to 1, then falls along a cosine to ``floor``.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
