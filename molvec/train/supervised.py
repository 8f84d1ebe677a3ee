"""The supervised loop: graphs with labels, a validation part that says when to stop.

The test part is no argument of anything here: predictions for it are made afterwards, with
:func:`predict`, from the weights that the validation part chose.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch_geometric.data import Batch, Data

from molvec.errors import UserError
from molvec.graph import POS
from molvec.nn.budget import by_size
from molvec.nn.graph_model import GraphModel
from molvec.nn.head import GraphHead
from molvec.train.schedule import warmup_cosine

POOL = 8
"""Batches per pool: within a pool graphs are sorted by size. Few, so that batches stay mixed."""

Score = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""(truth, predicted), both ``[num_graphs, num_targets]`` -> one number; NaN if not defined."""

EpochReport = Callable[[dict[str, float], int], None]
"""Called after every epoch with its line of the history and the number of epochs planned."""


@dataclass(frozen=True)
class Part:
    """Graphs and their targets.

    Shapes:
        - ``targets``: float32 ``[num_graphs, num_targets]``, NaN where missing.
    """

    graphs: Sequence[Data]
    targets: Tensor


@dataclass(frozen=True)
class SupervisedSettings:
    """How long and how fast. ``warmup`` counts steps; ``patience`` counts epochs, None is never.

    ``noise`` is added to the coordinates of what is learned from, anew in every epoch, Angstrom.
    ``bf16`` lets the encoder multiply in bf16 while it learns; validation is float32.
    """

    epochs: int
    batch_size: int
    lr: float
    warmup: int
    clip: float
    patience: int | None
    noise: float = 0.0
    bf16: bool = False


@dataclass(frozen=True)
class Fitted:
    """Weights of the best epoch and of the last, and how they came about.

    ``selected_by`` is ``"score"``, or ``"loss"`` where the score is not defined on the validation
    part (a ROC-AUC with labels of one class only). Epochs count from 1; ``history`` has a line
    per epoch: epoch, train_loss, valid_loss, valid_score (NaN if not defined), seconds.
    """

    best_epoch: int
    selected_by: str
    history: list[dict[str, float]]
    best: dict[str, Tensor]
    last: dict[str, Tensor]


def fit(
    model: GraphModel,
    optimizer: torch.optim.Optimizer,
    train: Part,
    valid: Part,
    *,
    settings: SupervisedSettings,
    score: Score,
    higher_is_better: bool,
    generator: torch.Generator,
    report: EpochReport = lambda line, epochs: None,
) -> Fitted:
    """Train, and keep the weights of the epoch that is best on the validation part.

    Args:
        model: encoder, readout and head; its head knows the scale of features and targets.
        optimizer: its groups have a ``"rate"``, see `build_layered_optimizer`.
        train: what to learn from.
        valid: what chooses the epoch.
        settings: schedule and length.
        score: measured on the validation part after every epoch.
        higher_is_better: whether a larger score is a better one.
        generator: of the order of graphs and of noise; dropout draws from torch's own.
        report: called after every epoch.

    Raises:
        UserError: if the loss is not finite.
    """
    sizes = [int(graph.num_nodes or 0) for graph in train.graphs]
    steps = settings.epochs * math.ceil(len(sizes) / settings.batch_size)
    truth = valid.targets.double().numpy()
    assert bool((~valid.targets.isnan()).any())
    history: list[dict[str, float]] = []
    selected_by, best_value, best_epoch, best = "score", -math.inf, 0, weights(model)
    step = 0
    for epoch in range(1, settings.epochs + 1):
        began = time.monotonic()
        model.train()
        total, labels = 0.0, 0
        for batch in shuffled_batches(sizes, settings.batch_size, generator):
            factor = warmup_cosine(step, steps=steps, warmup=settings.warmup)
            for group in optimizer.param_groups:
                group["lr"] = settings.lr * group["rate"] * factor
            loss, count = _step(model, optimizer, train, batch, sizes, settings, generator)
            total, labels, step = total + loss, labels + count, step + 1

        outputs = in_batches(model, valid.graphs, model)
        if not math.isfinite(total) or not bool(outputs.isfinite().all()):
            raise UserError(f"the loss is not finite in epoch {epoch}; lower the learning rate, lr")
        valid_loss, valid_labels = summed_loss(model.head, outputs, valid.targets)
        line = {
            "epoch": epoch,
            "train_loss": total / max(labels, 1),
            "valid_loss": float(valid_loss) / valid_labels,
            "valid_score": score(truth, _values(model, outputs)),
            "seconds": time.monotonic() - began,
        }
        history.append(line)
        report(line, settings.epochs)
        if epoch == 1 and math.isnan(line["valid_score"]):
            selected_by = "loss"
        sign = 1.0 if higher_is_better and selected_by == "score" else -1.0
        value = sign * line[f"valid_{selected_by}"]
        if value > best_value:
            best_value, best_epoch, best = value, epoch, weights(model)
        if settings.patience is not None and epoch - best_epoch >= settings.patience:
            break
    assert best_epoch > 0
    return Fitted(best_epoch, selected_by, history, best, weights(model))


def predict(model: GraphModel, graphs: Sequence[Data]) -> NDArray[np.float64]:
    """Predict in evaluation mode: probabilities of class 1, or values in the targets' unit.

    Returns:
        ``[num_graphs, num_targets]``, in the order of the graphs.
    """
    return _values(model, in_batches(model, graphs, model))


def weights(model: GraphModel) -> dict[str, Tensor]:
    """Copy the model's weights to the CPU."""
    return {
        name: tensor.detach().to("cpu", copy=True) for name, tensor in model.state_dict().items()
    }


def shuffled_batches(
    sizes: Sequence[int], batch_size: int, generator: torch.Generator
) -> Iterator[list[int]]:
    """Yield the batches of one epoch: every graph once, mildly bucketed by size.

    The last batch of a pool may be smaller; batches of a pool come in random order.
    """
    order = torch.randperm(len(sizes), generator=generator).tolist()
    for start in range(0, len(order), POOL * batch_size):
        pool = sorted(order[start : start + POOL * batch_size], key=lambda i: sizes[i])
        starts = range(0, len(pool), batch_size)
        for k in torch.randperm(len(starts), generator=generator).tolist():
            yield pool[starts[k] : starts[k] + batch_size]


def summed_loss(head: GraphHead, outputs: Tensor, targets: Tensor) -> tuple[Tensor, int]:
    """Sum the loss over the labels that are there, and count them.

    Binary cross-entropy for classification, squared error of standardised values for regression.

    Shapes:
        - outputs, targets: ``[num_graphs, num_targets]``; NaN targets are missing: no loss, no
          gradient.
    """
    targets = targets.to(outputs.device)
    present = ~targets.isnan()
    wanted = head.standardise(targets).nan_to_num(0.0)
    if head.task == "classification":
        losses = F.binary_cross_entropy_with_logits(outputs, wanted, reduction="none")
    else:
        losses = (outputs - wanted) ** 2
    return losses.masked_fill(~present, 0.0).sum(), int(present.sum())


@torch.no_grad()
def in_batches(
    model: GraphModel, graphs: Sequence[Data], function: Callable[[Batch], Tensor]
) -> Tensor:
    """Apply the model, or a part of it, in evaluation mode: ``[num_graphs, width]``, in order."""
    model.eval()
    device = model.head.out.weight.device
    order, rows = [], []
    for members in by_size([int(graph.num_nodes or 0) for graph in graphs]):
        rows.append(function(_collate(graphs, members, device)).float())
        order.extend(members)
    together = torch.cat(rows)
    return torch.empty_like(together).index_copy(
        0, torch.tensor(order, device=together.device), together
    )


def _step(
    model: GraphModel,
    optimizer: torch.optim.Optimizer,
    train: Part,
    batch: list[int],
    sizes: list[int],
    settings: SupervisedSettings,
    generator: torch.Generator,
) -> tuple[float, int]:
    """One optimiser step; return the summed loss and the number of labels.

    A batch with very large graphs passes in several parts whose gradients add up to the same.
    """
    labels = int((~train.targets[batch].isnan()).sum())
    if labels == 0:
        return 0.0, 0
    total, device = 0.0, model.head.out.weight.device
    for part in by_size([sizes[i] for i in batch]):
        members = [batch[k] for k in part]
        together = _collate(train.graphs, members, device)
        if settings.noise:
            shift = torch.randn(together[POS].shape, generator=generator).to(together[POS])
            together[POS] = together[POS] + settings.noise * shift
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=settings.bf16):
            vectors = model.features(together)
        outputs = model.head(vectors.float())
        loss, _ = summed_loss(model.head, outputs, train.targets[members])
        (loss / labels).backward()
        total += loss.item()
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(trained, settings.clip)
    optimizer.step()
    optimizer.zero_grad()
    return total, labels


def _collate(graphs: Sequence[Data], members: list[int], device: torch.device) -> Batch:
    return Batch.from_data_list([graphs[i] for i in members]).to(device)


def _values(model: GraphModel, outputs: Tensor) -> NDArray[np.float64]:
    return model.head.to_values(outputs).double().cpu().numpy()
