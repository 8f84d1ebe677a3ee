"""AdamW, with weight decay on matrices only, and with a rate for every layer if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def build_optimizer(
    module: nn.Module,
    *,
    lr: float,
    weight_decay: float,
    betas: tuple[float, float],
) -> torch.optim.AdamW:
    """Build AdamW over the parameters that take a gradient.

    Biases, norms, embedding tables and single tokens are not decayed.
    """
    groups = _groups([module], weight_decay)
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True)


def build_layered_optimizer(
    layers: Sequence[tuple[Sequence[nn.Module], float]],
    *,
    lr: float,
    weight_decay: float,
    betas: tuple[float, float],
) -> torch.optim.AdamW:
    """Build AdamW whose layers learn at different rates; decay acts as in `build_optimizer`.

    Args:
        layers: modules, and the factor on ``lr`` for their parameters. Each parameter group keeps
            its factor as ``"rate"``: a schedule sets ``group["lr"] = lr * group["rate"] * ...``.
        lr: the rate of a layer of factor 1.
        weight_decay: of matrices.
        betas: of Adam.
    """
    groups = [
        {**group, "lr": lr * rate, "rate": rate}
        for modules, rate in layers
        for group in _groups(modules, weight_decay)
        if group["params"]
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True)


def layer_rates(num_layers: int, decay: float) -> list[float]:
    r"""Return the factor of each layer, lowest first: the last learns at 1, each below at less.

    .. math:: r_l = \mathrm{decay}^{L - 1 - l}, \qquad l = 0, \dots, L - 1

    Source: layer-wise learning-rate decay of ULMFiT (arXiv 1801.06146) as BEiT (arXiv 2106.08254)
    and data2vec use it for fine-tuning.
    """
    return [decay ** (num_layers - 1 - layer) for layer in range(num_layers)]


def _groups(modules: Sequence[nn.Module], weight_decay: float) -> list[dict[str, Any]]:
    """Split the trained parameters of some modules into those that decay and those that do not."""
    tables = {
        id(parameter)
        for module in modules
        for child in module.modules()
        if isinstance(child, nn.Embedding)
        for parameter in child.parameters()
    }
    trained = [p for module in modules for p in module.parameters() if p.requires_grad]
    decayed = [p for p in trained if p.dim() >= 2 and id(p) not in tables]
    kept = [p for p in trained if p.dim() < 2 or id(p) in tables]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
