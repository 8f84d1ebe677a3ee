"""From molecules with labels to a fine-tuned model: the one place where its parts are put together.

The split's training part teaches, its validation part chooses the epoch, its test part is predicted
at the end and takes part in no choice.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

import molvec
from molvec.checkpoint import save_model
from molvec.config import dump_settings
from molvec.corpus import labelled_graphs
from molvec.data.labelled import Labelled
from molvec.data.split import Split
from molvec.embed.embedder import find_device
from molvec.embed.load import HEAD, load, of_molecules
from molvec.embed.predict import RESERVED
from molvec.errors import UserError
from molvec.evaluate.metrics import METRICS, TASK_METRICS, Metric
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.kinds import Featurizer
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.graph import Encoder
from molvec.head_start import start_head
from molvec.nn.graph_model import GraphModel
from molvec.nn.head import GraphHead
from molvec.nn.presets import build_encoder
from molvec.nn.readout import READOUTS, graph_width
from molvec.pretraining import encoder_config
from molvec.settings import EncoderSettings, FinetuneSettings, PretrainSettings
from molvec.train.optimizer import build_layered_optimizer, layer_rates
from molvec.train.precision import resolve_precision
from molvec.train.supervised import (
    EpochReport,
    Fitted,
    Part,
    Score,
    SupervisedSettings,
    fit,
    predict,
)

_BETAS = (0.9, 0.999)


@dataclass(frozen=True)
class Finetuned:
    """What fine-tuning gave.

    Attributes:
        best_epoch: counted from 1, chosen on the validation part.
        history: per epoch: epoch, train_loss, valid_loss, valid_score, seconds.
        valid: ``"best"`` and ``"last"`` epoch -> predictions ``[len(split.valid), num_targets]``.
        test: the same for the test part.
        folder: the model folder (best epoch), if an output was given.
        metric: name of the score: ``"roc_auc"``, or ``"rmse"`` in the targets' unit.
        selected_by: ``metric``, or ``"loss"`` if that is not defined on the validation part.
        scores: ``scores["test"]["best"]`` and so on: mean over the targets where it is defined.
        left_out: training molecules larger than ``max_atoms``, which were not learned from.
    """

    best_epoch: int
    history: list[dict[str, float]]
    valid: dict[str, NDArray[np.float64]]
    test: dict[str, NDArray[np.float64]]
    folder: Path | None
    metric: str
    selected_by: str
    scores: dict[str, dict[str, float]]
    left_out: int


def finetune(
    data: Labelled,
    split: Split,
    *,
    model: str | Path | None,
    settings: FinetuneSettings,
    output: Path | None = None,
    from_scratch: bool = False,
    report: EpochReport = lambda line, epochs: None,
) -> Finetuned:
    """Fine-tune a model, or train one from scratch, on molecules with labels.

    On a CPU the same settings and seed give the same numbers on the same machine. torch's own
    random state is left as it was.

    Args:
        data: molecules and targets.
        split: which of them teach, choose the epoch, and test.
        model: what :func:`molvec.load` takes; ``None`` starts from random weights with the
            architecture of ``settings.preset``.
        settings: see :class:`molvec.settings.FinetuneSettings`.
        output: model folder to write at the end; must not exist, or be empty.
        from_scratch: take the architecture and the readout of ``model``, but random weights.
        report: called after every epoch.

    Raises:
        UserError: for a folder, a model, labels or settings that cannot be used; before training,
            save for a loss that is not finite.
    """
    if output is not None:
        check_output(output, list(data.targets.columns))
    device = find_device(settings.device)
    fork = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=fork):
        featurizer, network, config = _build(model, from_scratch, settings, data)
        rows = np.concatenate([split.train, split.valid, split.test])
        graphs = labelled_graphs(data, rows, featurizer)
        train = _usable(split.train, graphs, settings.max_atoms)
        _check_labels(data, split, train)
        optimizer = _optimizer(network.to(device), settings)
        parts = {"train": _part(data, graphs, train), "valid": _part(data, graphs, split.valid)}
        linear = settings.hidden is None and settings.head_start != "random"
        start_head(network, parts["train"], parts["valid"], linear=linear)
        metric = METRICS[TASK_METRICS[data.task][0]]
        fitted = fit(
            network,
            optimizer,
            parts["train"],
            parts["valid"],
            settings=_loop_settings(settings, len(train), device, config["encoder"]["family"]),
            score=_selection(metric, data, train),
            higher_is_better=metric.higher_is_better,
            generator=torch.Generator().manual_seed(settings.seed),
            report=report,
        )
    truth = data.targets.to_numpy(dtype=np.float64)
    predicted: dict[str, dict[str, NDArray[np.float64]]] = {}
    scores: dict[str, dict[str, float]] = {}
    for which, tensors in (("best", fitted.best), ("last", fitted.last)):
        network.load_state_dict(tensors)
        for name, rows in (("valid", split.valid), ("test", split.test)):
            values = predict(network, [graphs[i] for i in rows])
            predicted.setdefault(name, {})[which] = values
            scores.setdefault(name, {})[which] = metric.score(truth[rows], values).mean
    result = Finetuned(
        best_epoch=fitted.best_epoch,
        history=fitted.history,
        valid=predicted["valid"],
        test=predicted["test"],
        folder=output,
        metric=metric.name,
        selected_by=metric.name if fitted.selected_by == "score" else "loss",
        scores=scores,
        left_out=len(split.train) - len(train),
    )
    if output is not None:
        start = None if from_scratch else model
        config["head"] = _describe(data, split, settings, start, result)
        _export(output, config, fitted, settings)
    return result


def _build(
    model: str | Path | None, from_scratch: bool, settings: FinetuneSettings, data: Labelled
) -> tuple[Featurizer, GraphModel, dict[str, Any]]:
    """Return featuriser, network at its start, and what the new model's config says of both."""
    config: dict[str, Any] = {"molvec_version": molvec.__version__}
    start = None if model is None else load(model, device="cpu")
    if start is None:
        chosen = EncoderSettings(preset=settings.preset)
        featurizer: Featurizer = MoleculeFeaturizer()
        config["encoder"] = encoder_config(PretrainSettings(encoder=chosen))
        readout: str = settings.readout or chosen.readout
    else:
        in_space = data.conformers is not None
        fits = in_space and isinstance(start.featurizer, ConformerFeaturizer)
        featurizer = start.featurizer if fits else of_molecules(start)
        config["encoder"] = start.config["encoder"]
        readout = settings.readout or start.readout
    if READOUTS[readout].space and not featurizer.in_space:
        raise UserError(f"readout {readout} needs coordinates; this model reads none")
    if settings.noise and not featurizer.in_space:
        raise UserError("noise is for models in 3D; this one reads no coordinates")
    torch.manual_seed(settings.seed)  # after the load: a start from scratch depends on this alone
    transformer = config["encoder"]["family"] == "graph_transformer"
    dropout = {"dropout": settings.dropout} if transformer else {}
    encoder = build_encoder(
        {**config["encoder"], **dropout},
        node_sizes=featurizer.node_sizes,
        edge_sizes=featurizer.edge_sizes,
    )
    if start is not None and not from_scratch:
        encoder.load_state_dict(start.encoder.state_dict())
        if "training" in start.config:
            config["training"] = start.config["training"]  # how the start was pretrained
    config |= {"featurizer": featurizer.to_json(), "readout": readout}
    freeze(encoder, settings.freeze)
    head = GraphHead(
        width=graph_width(readout, encoder),
        num_targets=data.targets.shape[1],
        task=data.task,
        hidden=settings.hidden,
        dropout=settings.dropout,
    )
    return featurizer, GraphModel(encoder, readout, head), config


def freeze(encoder: Encoder, lowest: int | str) -> None:
    """Fix the embeddings and the ``lowest`` blocks, or all of the encoder (``"encoder"``).

    Raises:
        UserError: if the encoder has fewer blocks.
    """
    layers = encoder.layers()
    depth = len(layers) - 1
    if lowest == 0:
        return
    blocks = depth if isinstance(lowest, str) else lowest
    if blocks > depth:
        raise UserError(f"freeze is {blocks}, but the encoder has {depth} blocks")
    for layer in layers[: blocks + 1]:
        for module in layer:
            module.requires_grad_(False)


def _optimizer(network: GraphModel, settings: FinetuneSettings) -> torch.optim.AdamW:
    layers = network.encoder.layers()
    rates = layer_rates(len(layers), settings.layer_decay)
    return build_layered_optimizer(
        [*zip(layers, rates, strict=True), ([network.head], settings.head_lr_factor)],
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        betas=_BETAS,
    )


def _usable(
    rows: NDArray[np.int64], graphs: Mapping[int, Data], max_atoms: int | None
) -> NDArray[np.int64]:
    """Leave out the training molecules that are too large."""
    if max_atoms is None:
        return rows
    return np.array([i for i in rows if (graphs[i].num_nodes or 0) <= max_atoms], dtype=np.int64)


def _check_labels(data: Labelled, split: Split, train: NDArray[np.int64]) -> None:
    """Refuse parts from which nothing can be learned or chosen."""
    targets = data.targets.to_numpy()
    learned, names = targets[train], ", ".join(map(str, data.targets.columns))
    where = f"the training part of {data.name} ({len(train):,} molecules, split {split.name})"
    if not (~np.isnan(learned)).any():
        raise UserError(f"{where} has no label of {names}; nothing can be learned from it")
    empty = np.isnan(learned).all(0)
    if data.task == "regression" and empty.any():
        lacking = ", ".join(str(n) for n, e in zip(data.targets.columns, empty, strict=True) if e)
        raise UserError(f"{where} has no label of {lacking}; leave it out, or use another split")
    if data.task == "classification":
        both = (learned == 0).any(0) & (learned == 1).any(0)
        if not both.any():
            raise UserError(
                f"{where} has labels of one class only ({names}); nothing can be learned from it. "
                "Use another split, or more data"
            )
    if not (~np.isnan(targets[split.valid])).any():
        raise UserError(
            f"the validation part of {data.name} ({len(split.valid):,} molecules, split "
            f"{split.name}) has no label; use another split, or more data"
        )


def _selection(metric: Metric, data: Labelled, train: NDArray[np.int64]) -> Score:
    """What chooses the epoch: the mean over targets, those of different units counting alike.

    An error is divided by the spread of its target in the training part, and multiplied by the
    mean of the spreads: for one target, the error itself.
    """
    if data.task == "classification":
        return lambda truth, predicted: metric.score(truth, predicted).mean
    spread = np.nanstd(data.targets.to_numpy(dtype=np.float64)[train], axis=0)
    weight = spread.mean() / np.where(spread > 0, spread, spread.mean())

    def score(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
        errors = metric.score(truth, predicted).per_task * weight
        return float(np.nanmean(errors)) if np.isfinite(errors).any() else float("nan")

    return score


def _part(data: Labelled, graphs: Mapping[int, Data], rows: NDArray[np.int64]) -> Part:
    targets = data.targets.to_numpy(dtype=np.float32)[rows]
    return Part([graphs[i] for i in rows], torch.from_numpy(targets))


def _loop_settings(
    settings: FinetuneSettings, molecules: int, device: torch.device, family: str
) -> SupervisedSettings:
    steps = settings.epochs * math.ceil(molecules / settings.batch_size)
    return SupervisedSettings(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        warmup=round(settings.warmup * steps),
        clip=settings.clip,
        patience=settings.patience,
        noise=settings.noise,
        bf16=resolve_precision(settings.precision, device.type, family=family) == "bf16-mixed",
    )


def _describe(
    data: Labelled,
    split: Split,
    settings: FinetuneSettings,
    start: str | Path | None,
    result: Finetuned,
) -> dict[str, Any]:
    """Return ``config["head"]``: how to build the head, and where it comes from."""
    return {
        "task": data.task,
        "targets": [str(name) for name in data.targets.columns],
        "hidden": settings.hidden,
        "start": None if start is None else str(start),
        "data": {"name": data.name, "molecules": len(data), "sha256": data.sha256},
        "split": {"name": split.name, "seed": split.seed, "sha256": split.sha256},
        "settings": settings.model_dump(mode="json"),
        "metric": result.metric,
        "selected_by": result.selected_by,
        "best_epoch": result.best_epoch,
        "left_out": result.left_out,
        "scores": {part: _plain(values) for part, values in result.scores.items()},
        "history": [_plain(line) for line in result.history],
    }


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {key: None if math.isnan(value) else value for key, value in values.items()}


def _export(
    output: Path, config: dict[str, Any], fitted: Fitted, settings: FinetuneSettings
) -> None:
    """Write the model folder, in one go: encoder tensors under their own names, then the head's."""
    prefix = "encoder."
    tensors = {name.removeprefix(prefix): tensor for name, tensor in fitted.best.items()}
    assert all(name.startswith((prefix, HEAD)) for name in fitted.best)
    save_model(output, config=config, tensors=tensors, card=_card(output, config, settings))


def _card(output: Path, config: dict[str, Any], settings: FinetuneSettings) -> str:
    head = config["head"]
    start = f"fine-tuned from `{head['start']}`" if head["start"] else "trained from scratch"
    split = head["split"]["name"]
    lines = [
        f"| {part} | {which} | {'not defined' if value is None else f'{value:.4f}'} |"
        for part, values in head["scores"].items()
        for which, value in values.items()
    ]
    table = "\n".join(["| part | epoch | score |", "| --- | --- | ---: |", *lines])
    return (
        f"# {output.name}\n\n"
        f"A model of {', '.join(f'`{name}`' for name in head['targets'])} ({head['task']}), "
        f"{start} with molvec {config['molvec_version']} on `{head['data']['name']}` "
        f"({head['data']['molecules']:,} molecules, split `{split}`, sha256 "
        f"{head['split']['sha256']}).\n\n"
        f"Predict with `molvec.load({str(output)!r}).predict(smiles)`. These are the weights of "
        f"epoch {head['best_epoch']}, the best by {head['selected_by']} on the validation part.\n\n"
        f"## Scores ({head['metric']})\n\n{table}\n\n"
        f"## Settings\n\n```yaml\n{dump_settings(settings)}```\n"
    )


def check_output(output: Path, targets: Sequence[str]) -> None:
    """Refuse, before training, what could not be written after it; leave nothing behind."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{output} exists and is not empty; choose another --output")
    for name in targets:
        if name in RESERVED:
            raise UserError(
                f"a target cannot be named {name!r}: `molvec predict` writes a column of that "
                "name itself; rename the column"
            )
    try:
        inside = output if output.exists() else output.parent  # as the model will be written
        inside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=inside, prefix=".molvec."):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to {output} ({error.strerror}); choose another --output"
        ) from None
