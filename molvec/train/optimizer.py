"""AdamW, with weight decay on matrices only."""

from __future__ import annotations

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
    tables = {
        id(parameter)
        for child in module.modules()
        if isinstance(child, nn.Embedding)
        for parameter in child.parameters()
    }
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    decayed = [p for p in trained if p.dim() >= 2 and id(p) not in tables]
    kept = [p for p in trained if p.dim() < 2 or id(p) in tables]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True)
