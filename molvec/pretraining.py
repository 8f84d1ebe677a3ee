"""From settings to a trained model: the one place where all parts of a run are put together."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

import molvec
from molvec.checkpoint import save_model
from molvec.config import dump_settings, load_settings
from molvec.corpus import (
    build_featurizer,
    grounding_shared,
    grounding_size,
    grounding_weights,
    open_corpus,
)
from molvec.data.card import list_cards
from molvec.data.loader import MaskedBatch, load_batches
from molvec.data.network_card import list_networks
from molvec.data.sampler import BucketBatches
from molvec.embed.load import CARRIED
from molvec.errors import UserError
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.kinds import Featurizer
from molvec.featurize.protein import ProteinFeaturizer
from molvec.graph import Encoder
from molvec.masking import CoordinateNoise, EdgeMask, MaskSampler
from molvec.nn.predictor import TransformerPredictor
from molvec.nn.presets import PRESETS, build_encoder
from molvec.objective import Data2Vec
from molvec.objective.student import MaskTokenStudent, Predictor, VisibleStudent
from molvec.settings import GRAPH_GROUNDINGS, PretrainSettings
from molvec.train.history import Checkpoints
from molvec.train.log import MetricsLog
from molvec.train.loop import LoopSettings, Report, nothing_to_learn, train
from molvec.train.optimizer import build_optimizer
from molvec.train.precision import resolve_precision
from molvec.train.state import Progress, restore


@dataclass(frozen=True)
class Run:
    """A finished or interrupted run: its folder, what it did, and where its model is."""

    folder: Path
    settings: PretrainSettings
    progress: Progress
    rows: int  # in the data
    left_out: str = ""  # what could not be read when the data was opened, and why

    @property
    def model(self) -> Path:
        """The model folder, for :func:`molvec.load`."""
        return self.folder / "model"

    @property
    def skipped(self) -> str:
        """How many of the rows seen so far were skipped, and why; empty if none was."""
        skipped = self.progress.skipped
        seen = skipped.summary(min(self.progress.molecules + len(skipped), self.rows))
        return "\n".join(text for text in (self.left_out, seen) if text)


def pretrain(
    settings: PretrainSettings,
    *,
    output: Path,
    report: Report = lambda progress, values, steps: None,
    rows: Any = None,
) -> Run:
    """Start a run in a new folder.

    Args:
        settings: see :mod:`molvec.settings`.
        output: the run folder; must not exist, or be empty.
        report: called at every logged step.
        rows: numbers of the data's rows to learn from; all by default.

    Raises:
        UserError: for data or a folder that cannot be used.
        CollapsedError: if training collapses; checkpoints and log stay.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(
            f"{output} exists and is not empty: continue that run with --resume {output}, "
            "or choose another --output"
        )
    return _run(findable(settings), output, report=report, rows=rows, resume=False)


def resume(
    output: Path, *, report: Report = lambda progress, values, steps: None, rows: Any = None
) -> Run:
    """Continue a run from its newest intact checkpoint, with the settings it was started with.

    On the CPU the result equals, bit for bit, that of a run that was never interrupted. A run
    killed before its first checkpoint starts again from the beginning.

    Raises:
        UserError: if the folder holds no run, or checkpoints but no usable one.
    """
    if not (output / "config.yaml").exists():
        raise UserError(f"{output} is not a run folder: it has no config.yaml")
    settings = load_settings(output / "config.yaml")
    return _run(settings, output, report=report, rows=rows, resume=True)


def findable(settings: PretrainSettings) -> PretrainSettings:
    """Make the path of a data file absolute: a run may be resumed from another folder."""
    source, extra = settings.data.source, settings.data.extra
    found = {
        "source": _absolute(source),
        "extra": {_absolute(s): n for s, n in extra.items()},
        "leave_out": settings.data.leave_out and _absolute(settings.data.leave_out),
        "features": settings.data.features and _absolute(settings.data.features),
    }
    return settings.model_copy(update={"data": settings.data.model_copy(update=found)})


def _absolute(source: str) -> str:
    prefix = "file:" if source.startswith("file:") else ""
    path = Path(source.removeprefix("file:")).expanduser()
    if (not prefix and source in (*list_cards(), *list_networks())) or not path.exists():
        return source
    return f"{prefix}{path.resolve()}"


def _run(
    settings: PretrainSettings, output: Path, *, report: Report, rows: Any, resume: bool
) -> Run:
    corpus = open_corpus(settings, rows)
    dataset, featurizer = corpus.dataset, corpus.featurizer
    torch.manual_seed(settings.seed)
    model = build_model(settings, featurizer)
    optimizer = build_optimizer(
        model,
        lr=settings.optimizer.lr,
        weight_decay=settings.optimizer.weight_decay,
        betas=settings.optimizer.betas,
    )
    fabric = _fabric(settings)
    checkpoints = Checkpoints(output / "checkpoints", keep=settings.keep)
    progress = Progress(data=corpus.identity)
    if resume and checkpoints.steps():
        step, tree = checkpoints.load_latest()
        if tree["progress"].get("data") != progress.data:
            raise UserError(
                f"{settings.data.source} has changed since {output} was started; "
                "put the old file back, or start a new run"
            )
        try:
            progress = restore(tree, model, optimizer)
        except (KeyError, RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"{checkpoints.path(step)} does not fit {output / 'config.yaml'} ({reason}); "
                "was it edited?"
            ) from error
    if not resume:
        _make_folder(output, settings)
    sampler = BucketBatches(dataset.sizes, batch_size=settings.batch_size, seed=settings.seed)
    masks = MaskSampler(**settings.mask.model_dump(exclude={"noise", "edges"}), seed=settings.seed)
    noise: CoordinateNoise | EdgeMask | None = None
    if settings.mask.noise:
        noise = CoordinateNoise(settings.mask.noise, settings.seed)
    elif settings.mask.edges:
        noise = EdgeMask(settings.mask.edges, settings.seed)

    def batches(start: int, stop: int) -> Iterable[MaskedBatch]:
        loader = load_batches(
            dataset,
            masks,
            sampler,
            start=start,
            stop=stop,
            workers=settings.data.workers,
            noise=noise,
        )
        for batch in loader:
            if progress.molecules == 0 and progress.step >= 2 * sampler.per_epoch:
                raise nothing_to_learn(progress)  # a third look at the data would not help
            yield batch

    try:
        with MetricsLog(output, start=progress.step, tensorboard=settings.tensorboard) as log:
            train(
                model,
                optimizer,
                fabric=fabric,
                batches=batches,
                settings=_loop_settings(settings),
                progress=progress,
                checkpoints=checkpoints,
                log=log,
                report=report,
            )
    except UserError:
        if progress.molecules == 0 and not checkpoints.steps():
            _remove_unstarted(output)
        raise
    run = Run(output, settings, progress, rows=len(dataset), left_out=corpus.left_out)
    export(run, model, featurizer, carried=corpus.carried)
    return run


def build_model(settings: PretrainSettings, featurizer: Featurizer) -> Data2Vec:
    """Build student, teacher and loss at random start."""
    config = {**encoder_config(settings), **featurizer.encoder_inputs}
    if settings.student.dropout:  # of the run; an exported model has none
        config["dropout"] = settings.student.dropout
    encoder = build_encoder(
        config,
        node_sizes=featurizer.node_sizes,
        edge_sizes=featurizer.edge_sizes,
    )
    student: VisibleStudent | MaskTokenStudent
    if settings.student.kind == "visible":
        predictor = build_predictor(settings, encoder, featurizer.edge_sizes)
        student = VisibleStudent(encoder, predictor)
    else:
        student = MaskTokenStudent(encoder)
    depth = encoder.depth
    top_k = settings.objective.top_k or depth
    if top_k > depth:
        raise UserError(f"objective.top_k is {top_k}, but the encoder has {depth} blocks")
    return Data2Vec(
        student,
        top_k=top_k,
        loss=settings.objective.loss,
        target=settings.objective.target,
        shrinkage=settings.objective.shrinkage,
        visible_weight=settings.objective.visible_weight,
        graph_weight=settings.objective.graph_weight,
        grounding_weight=settings.objective.grounding_weight,
        grounding_size=grounding_size(settings, featurizer),
        grounding_view=settings.objective.grounding_view,
        grounding_loss="bits" if settings.objective.grounding == "fingerprint" else "values",
        grounding_level="graph" if settings.objective.grounding in GRAPH_GROUNDINGS else "node",
        grounding_shared=grounding_shared(settings),
        grounding_scale=settings.objective.grounding_scale,
        grounding_weights=grounding_weights(settings),
        link_weight=settings.objective.link_weight,
        edge_kinds=featurizer.edge_sizes[0] if featurizer.edge_sizes else 0,
    )


def build_predictor(
    settings: PretrainSettings, encoder: Encoder, edge_sizes: tuple[int, ...] = ()
) -> Predictor:
    """Build what fills the gaps, of the encoder's family.

    Args:
        settings: of the run.
        encoder: whose output it reads.
        edge_sizes: of the edge features, for a predictor that reads them.
    """
    chosen = settings.student
    size = {"dim": encoder.dim, "width": chosen.predictor_width, "depth": chosen.predictor_depth}
    if settings.encoder.family == "equivariant":
        from molvec.nn.equivariant_predictor import EquivariantPredictor

        config = encoder_config(settings)
        space = {name: config[name] for name in ("lmax", "cutoff", "neighbours")}
        return EquivariantPredictor(**size, **space, target_dim=encoder.hidden_dim)
    reach = settings.encoder.reach
    read = edge_sizes if chosen.predictor_edges else ()
    return TransformerPredictor(**size, heads=chosen.predictor_heads, reach=reach, edge_sizes=read)


def encoder_config(settings: PretrainSettings) -> dict[str, Any]:
    """Resolve preset and overrides to the encoder's plain arguments."""
    chosen = settings.encoder
    size = dict(PRESETS[chosen.family][chosen.preset])
    for name in ("dim", "depth", "heads", "lmax"):
        value = getattr(chosen, name)
        if value is not None and name not in size:
            raise UserError(f"encoder.{name} has no meaning for a {chosen.family}")
        if value is not None:
            size[name] = value
    if chosen.family == "equivariant":
        featurizer = build_featurizer(settings.data)
        assert isinstance(featurizer, ConformerFeaturizer | ProteinFeaturizer)
        space = {"cutoff": featurizer.cutoff, "neighbours": featurizer.max_neighbours}
        if chosen.norms:
            size["norms"] = True
        return {"family": chosen.family, **size, **space}
    if size["dim"] % size["heads"]:
        raise UserError(
            f"encoder.dim ({size['dim']}) must be a multiple of encoder.heads ({size['heads']})"
        )
    options: dict[str, Any] = {} if chosen.reach is None else {"reach": chosen.reach}
    if chosen.entity_scale != 1:
        options["entity_scale"] = chosen.entity_scale
    if not chosen.random_walk:
        options["random_walk"] = False
    return {"family": chosen.family, **size, "local": chosen.local, **options}


def _fabric(settings: PretrainSettings) -> Fabric:
    try:
        precision = resolve_precision(
            settings.precision, settings.accelerator, family=settings.encoder.family
        )
        return Fabric(accelerator=settings.accelerator, devices=1, precision=precision)
    except RuntimeError as error:
        raise UserError(f"cannot use accelerator {settings.accelerator!r}: {error}") from error


def export(
    run: Run,
    model: Data2Vec,
    featurizer: Featurizer,
    *,
    carried: Mapping[str, Tensor] | None = None,
) -> None:
    """Write the run's model folder, with what it must carry of the data."""
    settings, progress = run.settings, run.progress
    encoder = model.teacher if settings.export == "teacher" else model.student.encoder
    config = {
        "molvec_version": molvec.__version__,
        "featurizer": featurizer.to_json(),
        "encoder": {**encoder_config(settings), **featurizer.encoder_inputs},
        "readout": settings.encoder.readout,
        "training": {
            "settings": settings.model_dump(mode="json"),
            "steps": progress.step,
            "molecules": progress.molecules,
            "views": progress.views,
            "seconds": round(progress.seconds, 1),
            "torch": torch.__version__,
            "machine": platform.machine(),
        },
    }
    tensors = encoder.state_dict() | {CARRIED + name: t for name, t in (carried or {}).items()}
    save_model(run.model, config=config, tensors=tensors, card=_card(run))


def _card(run: Run) -> str:
    settings, progress = run.settings, run.progress
    return (
        f"# {run.folder.name}\n\n"
        f"A {settings.encoder.preset} {settings.encoder.family} pretrained with data2vec "
        f"(molvec {molvec.__version__}) on `{settings.data.source}`: {progress.step:,} steps, "
        f"{progress.molecules:,} {settings.data.graphs}, {progress.views:,} masked views, seed "
        f"{settings.seed}.\n\nLoad it with `molvec.load({str(run.model)!r})`.\n\n"
        f"## Settings\n\n```yaml\n{dump_settings(settings)}```\n"
    )


def _loop_settings(settings: PretrainSettings) -> LoopSettings:
    return LoopSettings(
        steps=settings.steps,
        lr=settings.optimizer.lr,
        warmup=round(settings.optimizer.warmup * settings.steps),
        clip=settings.optimizer.clip,
        ema_start=settings.ema.start,
        ema_end=settings.ema.end,
        ema_ramp=round(settings.ema.ramp * settings.steps),
        log_every=settings.log_every,
        checkpoint_every=settings.checkpoint_every,
    )


def _make_folder(output: Path, settings: PretrainSettings) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        (output / "config.yaml").write_text(dump_settings(settings), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"cannot write to {output} ({error.strerror}); choose another --output"
        ) from None


def _remove_unstarted(output: Path) -> None:
    """Remove what a run that learned nothing wrote, so that its command can be given again."""
    for name in ("config.yaml", "metrics.jsonl"):
        (output / name).unlink(missing_ok=True)
    shutil.rmtree(output / "tensorboard", ignore_errors=True)
    with suppress(OSError):  # the checkpoints' folder, other files
        output.rmdir()
