"""What a run of the suite consists of, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molvec.data.card import list_labelled
from molvec.data.labelled import Task
from molvec.data.split import SPLITS
from molvec.errors import UserError, did_you_mean
from molvec.evaluate.heads import DEFAULT_HEADS, HEADS
from molvec.evaluate.suite import SUITES
from molvec.settings import FinetuneSettings

PROTOCOLS = ("frozen", "finetune", "label-efficiency")
FRACTIONS = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class UserTable:
    """A user's own labelled molecules; see :func:`molvec.data.labelled.read_labelled`."""

    path: Path
    targets: tuple[str, ...]
    task: Task
    smiles_column: str | None = None


@dataclass(frozen=True)
class BenchmarkSettings:
    """What to run.

    Attributes:
        datasets: names of cards; empty if ``table`` is given.
        table: the user's own data instead.
        protocols: some of ``PROTOCOLS``.
        heads: for frozen features, some of ``HEADS``.
        split: one of ``SPLITS``.
        seeds: 0 to ``seeds - 1``, of forests, random starts, fine-tuning and seeded splits. What
            does not depend on a seed runs once.
        trees: of a random forest; ``None`` for the suite's number.
        fractions: of the training labels, for label efficiency.
        draws: how many subsets of each fraction.
        trained: in label efficiency, also train encoders (fine-tuned and from scratch).
        dedupe: one row per molecule.
        finetune: of the fine-tuning protocol.
        scratch_preset: encoder trained from scratch when there is no model.
        jobs: processes for forests and descriptors.
    """

    datasets: tuple[str, ...] = ()
    table: UserTable | None = None
    protocols: tuple[str, ...] = ("frozen",)
    heads: tuple[str, ...] = DEFAULT_HEADS
    split: str = "scaffold_hu"
    seeds: int = 3
    trees: int | None = None
    fractions: tuple[float, ...] = FRACTIONS
    draws: int = 5
    trained: bool = True
    dedupe: bool = False
    finetune: FinetuneSettings = field(default_factory=FinetuneSettings)
    jobs: int = 1

    def __post_init__(self) -> None:
        for name in ("datasets", "protocols", "heads", "fractions"):  # twice would count twice
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))
        _known("protocol", self.protocols, PROTOCOLS)
        _known("head", self.heads, HEADS)
        _known("split", (self.split,), tuple(SPLITS))
        _known("data set", self.datasets, list_labelled())
        if bool(self.datasets) == (self.table is not None):
            raise UserError("give either a suite or data sets, or your own --data, not both")
        if not self.protocols:
            raise UserError(f"name a protocol: {', '.join(PROTOCOLS)}")
        if self.finetune.seed != 0:
            raise UserError("seeds of fine-tuning are 0 to --seeds - 1; do not set seed")
        if min(self.seeds, self.draws, self.jobs) < 1:
            raise UserError("seeds, draws and jobs must be at least 1")
        if not all(0 < fraction <= 1 for fraction in self.fractions):
            raise UserError("fractions of the labels must be above 0 and at most 1")


def choose_data(
    suite: Sequence[str],
    data: Path | None,
    *,
    smiles_column: str | None,
    targets: Sequence[str],
    task: str | None,
) -> tuple[list[str], dict[str, Any]]:
    """Turn what a user names into settings: suites and data sets, or a table of one's own.

    Returns:
        Names for the output folder, and ``datasets`` or ``table`` of :class:`BenchmarkSettings`.

    Raises:
        UserError: if both or incomplete ones are given.
    """
    if data is None:
        if targets or smiles_column or task:
            raise UserError("--target, --task and --smiles-column go with --data FILE")
        names = list(suite) or ["moleculenet"]
        return names, {"datasets": suite_datasets(names)}
    if suite:
        raise UserError(f"give either {' '.join(suite)} or --data {data}, not both")
    if not targets:
        raise UserError("name the columns to predict: --target NAME, repeatable")
    if task not in ("classification", "regression"):
        raise UserError("say what the targets are: --task classification or --task regression")
    table = UserTable(data, tuple(targets), task, smiles_column)  # type: ignore[arg-type]
    return [data.name.partition(".")[0]], {"table": table}


def suite_datasets(names: Sequence[str]) -> tuple[str, ...]:
    """Expand names of suites and data sets, in order, each data set once."""
    expanded: list[str] = []
    for name in names:
        _known("suite or data set", [name], [*SUITES, *list_labelled()])
        expanded += SUITES.get(name, (name,))
    return tuple(dict.fromkeys(expanded))


def _known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UserError(f"there is no {what} {name!r}.{hint} Known: {', '.join(known)}")
