r"""The teacher: an exponential moving average of the student.

.. math:: \Delta \leftarrow \tau \Delta + (1 - \tau)\,\theta

Source: data2vec (arXiv 2202.03555), equation 1 and the linear schedule of section 3.2.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def make_teacher(student: ModuleT) -> ModuleT:
    """Copy the student; the copy takes no gradient and stays in evaluation mode."""
    teacher = copy.deepcopy(student)
    teacher.requires_grad_(False)
    return teacher.eval()


@torch.no_grad()
def ema_update(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """Move every teacher parameter by exactly ``1 - decay`` of its distance to the student's.

    Buffers are copied. Both modules must be of the same class and on the same device.
    """
    torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - decay)
    for old, new in zip(teacher.buffers(), student.buffers(), strict=True):
        old.copy_(new)


def ema_decay(step: int, *, start: float, end: float, ramp_steps: int) -> float:
    """Decay after optimiser step ``step``: linear from ``start`` to ``end``, then constant."""
    if step >= ramp_steps:
        return end
    return start + (end - start) * step / ramp_steps
