"""``molvec finetune``: teach a model what your labels say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from molvec.errors import UserError

if TYPE_CHECKING:
    from molvec.data.labelled import Labelled
    from molvec.data.split import Split
    from molvec.finetuning import Finetuned


def finetune(
    card: Annotated[
        str | None, typer.Argument(help="A data set with labels, e.g. bace; else give --data.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the fine-tuned model.")
    ] = ...,  # type: ignore[assignment]
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A run folder or a model folder.")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Random weights in place of --model.")
    ] = False,
    preset: Annotated[
        str | None, typer.Option(help="Encoder size from scratch: tiny, small, base.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Your molecules: a table, also .gz.")] = None,
    smiles_column: Annotated[str | None, typer.Option(help="Column of --data with SMILES.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="Column of --data to predict; repeatable.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="What the targets are: classification or regression.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="scaffold_hu, scaffold_balanced or random.")
    ] = "scaffold_hu",
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Merge rows of the same molecule first.")
    ] = False,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training part.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Molecules per step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The only source of randomness.")] = 0,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting, e.g. --set layer_decay=0.8; repeatable."),
    ] = None,
) -> None:
    """Fine-tune a model on molecules with labels; choose the epoch on a validation part."""
    from molvec.cli.display import EpochsDisplay
    from molvec.config import load_finetune_settings, parse_overrides

    if (model is None) is not from_scratch:
        raise UserError("give either --model RUN to start from, or --from-scratch")
    if preset is not None and model is not None:
        raise UserError("--preset goes with --from-scratch; a model has its own architecture")
    named = {
        "preset": preset,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "device": device,
        "seed": seed,
    }
    overrides = {key: value for key, value in named.items() if value is not None}
    more = parse_overrides(set_ or [])
    if "seed" in more:
        raise UserError("give --seed N, not --set seed: the split takes it too")
    settings = load_finetune_settings(overrides | more)
    _check_source(card, data, smiles_column, target, task)

    from molvec.data.split import make_split
    from molvec.embed.load import model_folder
    from molvec.finetuning import check_output
    from molvec.finetuning import finetune as start
    from molvec.train.interrupt import stopped_at_once

    check_output(output, target or [])
    if model is not None:
        model_folder(model)  # a wrong path is said before a long table is read
    labelled = _read(card, data, smiles_column, target, task)
    if dedupe:
        labelled = labelled.deduplicated()
    parts = make_split(labelled, split, seed=seed)
    for line in (*labelled.summary(), *_split_lines(parts)):
        typer.echo(line)
    with (
        stopped_at_once(f"stopped; nothing was written to {output}"),
        EpochsDisplay(f"fine-tuning in {output}") as display,
    ):
        tuned = start(
            labelled,
            parts,
            model=model,
            settings=settings,
            output=output,
            report=display.update,
        )
    for line in _result_lines(tuned, len(parts.train)):
        typer.echo(line)


def _check_source(
    card: str | None,
    data: Path | None,
    smiles_column: str | None,
    target: list[str] | None,
    task: str | None,
) -> None:
    if (card is None) == (data is None):
        raise UserError(
            "say what to learn from: the name of a data set (molvec finetune bace), or "
            "--data FILE --target COLUMN --task classification"
        )
    if card is not None and (smiles_column or target or task):
        raise UserError(f"--smiles-column, --target and --task go with --data; {card} has its own")
    if data is not None and not target:
        raise UserError("say what to predict: --target COLUMN (repeatable)")
    if data is not None and task not in ("classification", "regression"):
        raise UserError("say what the targets are: --task classification or --task regression")


def _read(
    card: str | None,
    data: Path | None,
    smiles_column: str | None,
    target: list[str] | None,
    task: str | None,
) -> Labelled:
    from molvec.data.labelled import load_labelled, read_labelled

    if card is not None:
        return load_labelled(card)
    assert data is not None
    assert target is not None
    return read_labelled(
        data,
        smiles_column=smiles_column,
        targets=target,
        task=task,  # type: ignore[arg-type]
    )


def _split_lines(split: Split) -> list[str]:
    seed = "" if split.seed is None else f", seed {split.seed}"
    return [
        f"split {split.name}{seed}: {len(split.train):,} train, {len(split.valid):,} validation, "
        f"{len(split.test):,} test (sha256 {split.sha256})"
    ]


def _result_lines(tuned: Finetuned, molecules: int) -> list[str]:
    """What came out: scores of the best and of the last epoch."""
    epochs = len(tuned.history)
    lines = []
    if tuned.left_out:
        lines.append(
            f"{tuned.left_out:,} of {molecules:,} training molecules are larger than max_atoms: "
            "predicted, but not learned from"
        )
    if tuned.selected_by != tuned.metric:
        lines.append(
            f"{tuned.metric} is not defined on the validation part (labels of one class only): "
            "the epoch was chosen by the validation loss"
        )
    for which, epoch in (("best", tuned.best_epoch), ("last", epochs)):
        valid, test = (_number(tuned.scores[part][which]) for part in ("valid", "test"))
        name = f"{which} epoch ({epoch} of {epochs})"
        lines.append(f"{name:<26} {tuned.metric}  validation {valid}  test {test}")
    seconds = sum(line["seconds"] for line in tuned.history)
    lines.append(
        f"{epochs} epoch{'s' * (epochs > 1)} in {seconds:,.0f} s; "
        f"model of the best in {tuned.folder}"
    )
    return lines


def _number(value: float) -> str:
    return "not defined" if value != value else f"{value:.4f}"
