"""Which numbers training multiplies: float32, or bf16 where the processor is faster with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch

Precision = Literal["32-true", "bf16-mixed"]


def resolve_precision(
    precision: str, accelerator: str, *, family: str = "graph_transformer"
) -> Precision:
    """Pick bf16 where a product of matrices is faster in it than in float32, float32 elsewhere.

    An equivariant encoder is trained in float32: most of its work is on single edges, where casts
    cost more than products gain, and three digits are not enough to turn with a molecule.

    On a CPU that needs AMX tiles, or AMD's AVX-512 BF16 (measured on Zen 5): with Intel's AVX-512
    alone a bf16 product runs at half the rate of a float32 one (``docs/decisions/0004``).

    Args:
        precision: ``"auto"``; anything else is returned as it is.
        accelerator: ``"cpu"``, or ``"auto"`` and others for CUDA where there is one.
        family: of the encoder.
    """
    if precision != "auto":
        return precision  # type: ignore[return-value]
    if family == "equivariant":
        return "32-true"
    if accelerator != "cpu" and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if _cpu_prefers_bf16() else "32-true"


def _cpu_prefers_bf16() -> bool:
    has_amx: Callable[[], bool] = getattr(torch.cpu, "_is_amx_tile_supported", bool)
    capabilities: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    known = capabilities()  # like AMX, not told by an older torch: float32
    amd = str(known.get("cpu_name", "")).startswith("AMD")
    return bool(has_amx()) or (amd and bool(known.get("avx512_bf16")))
