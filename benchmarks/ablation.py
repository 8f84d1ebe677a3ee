"""A ladder of ablations: the same small budget for every arm, judged without the test parts.

    python -m benchmarks.ablation benchmarks/ablations/grounding.yaml
    python -m benchmarks.ablation benchmarks/ablations/grounding.yaml --seed 1   # this seed alone

A ladder is a YAML file: ``question``, ``recipe``, ``set`` (settings of every arm), ``seeds``,
``arms`` (name -> settings that differ from the first arm, the base), and ``readings`` (name -> what
we make of it). Every arm is pretrained with every seed; linear heads on the frozen embeddings are
then cross-validated, see :mod:`benchmarks.folds`. Writes ``.json`` and ``.md`` beside the ladder.
Runs and their scores are kept under ``--runs``, so an interrupted ladder continues, and two
processes may work on different seeds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from rdkit import RDLogger

from benchmarks.folds import CLASSIFICATION, DATASETS, REGRESSION, cross_validated, folds
from benchmarks.probe import curve
from molvec.atomic import atomic_write
from molvec.config import PretrainSettings, dump_settings, load_settings
from molvec.data.labelled import load_labelled
from molvec.demo import random_start
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.evaluate.markdown_table import table_lines
from molvec.pretraining import pretrain, resume
from molvec.provenance import describe

RANDOM_START = "base at random start"


@dataclass(frozen=True)
class Ladder:
    """A question, its arms (name -> overrides; the first is the base) and what came out."""

    path: Path
    question: str
    recipe: str
    seeds: tuple[int, ...]
    arms: dict[str, dict[str, Any]]
    readings: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Ladder:
        """Read a YAML file; an unknown key is an error."""
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        common = tree.pop("set", {})
        arms = {name: {**common, **(changes or {})} for name, changes in tree.pop("arms").items()}
        readings = tree.pop("readings", None) or {}
        unknown = set(readings) - set(arms) - {RANDOM_START}
        if unknown:
            raise SystemExit(f"{path}: readings of arms that do not exist: {sorted(unknown)}")
        return cls(path, seeds=tuple(tree.pop("seeds")), arms=arms, readings=readings, **tree)

    def settings(self, arm: str, seed: int) -> PretrainSettings:
        """Return the settings of one run."""
        return load_settings(self.recipe, {**self.arms[arm], "seed": seed})


def main() -> None:
    """Run what is missing of a ladder and write its tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ladder", type=Path)
    parser.add_argument("--seed", type=int, action="append", help="only these seeds")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    arguments = parser.parse_args()

    RDLogger.DisableLog("rdApp.*")
    ladder = Ladder.read(arguments.ladder)
    machine = describe()
    for seed in arguments.seed or ladder.seeds:
        for arm in ladder.arms:
            scores_of(ladder.settings(arm, seed), arguments.runs, machine)
        scores_of(
            ladder.settings(next(iter(ladder.arms)), seed), arguments.runs, machine, at_random=True
        )
    if arguments.seed is None or set(arguments.seed) == set(ladder.seeds):
        write(ladder, arguments.runs, machine)


def folder_of(settings: PretrainSettings, runs: Path) -> Path:
    """Where a run is kept: equal settings are run once, whatever ladder they are an arm of."""
    return runs / hashlib.sha256(dump_settings(settings).encode()).hexdigest()[:16]


def scores_of(
    settings: PretrainSettings, runs: Path, machine: dict[str, str], *, at_random: bool = False
) -> dict[str, Any]:
    """Pretrain and score one run, or what is missing of that; ``at_random`` is its random start."""
    folder = folder_of(settings, runs)
    kept = folder.with_suffix(".random.json" if at_random else ".json")
    if kept.exists():
        result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return result
    training: dict[str, float] = {}
    if at_random:
        embedder = random_start(settings)
    else:
        started = (folder / "config.yaml").exists()
        run = resume(folder) if started else pretrain(settings, output=folder)
        if run.progress.stopped_by is not None:
            raise SystemExit(f"stopped in {folder}; the same command continues")
        embedder = load(folder)
        training = {**curve(folder), "seconds": run.progress.seconds}
    document = {
        "settings": settings.model_dump(mode="json"),
        "machine": machine,
        "training": training,
        "scores": {name: fold_scores(name, embedder) for name in DATASETS},
    }
    text = json.dumps(document, indent=1)
    kept.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(kept, lambda path: path.write_text(text, encoding="utf-8"), mend="choose --runs")
    shown = {name: f"{np.mean(scores):.3f}" for name, scores in document["scores"].items()}
    print(kept, shown, flush=True)
    return document


def fold_scores(name: str, embedder: Embedder) -> list[float]:
    """ROC-AUC or RMSE of every fold of a data set."""
    data = load_labelled(name)
    return cross_validated(data, folds(data), embedder.embed(list(data.smiles)))


def table(scores: dict[str, list[dict[str, list[float]]]]) -> pd.DataFrame:
    """One row per arm: means over folds and seeds, and how it differs from the first arm.

    ``roc_auc`` averages the classification sets; ``rmse`` is the geometric mean, over the
    regression sets, of the ratio to the first arm. The spread of both is the standard deviation
    over seeds, pooled over arms; a difference counts if it exceeds twice its standard error.

    Args:
        scores: arm -> one ``{data set: scores of its folds}`` per seed.
    """
    means = {
        arm: pd.DataFrame([{name: np.mean(v) for name, v in seed.items()} for seed in seeds])
        for arm, seeds in scores.items()
    }
    base = next(iter(means.values()))
    auc = {arm: 100 * frame[list(CLASSIFICATION)].mean(axis=1) for arm, frame in means.items()}
    log_rmse = {
        arm: np.log(frame[list(REGRESSION)] / base[list(REGRESSION)].mean()).mean(axis=1)
        for arm, frame in means.items()
    }
    rows = []
    for arm, frame in means.items():
        row: dict[str, Any] = {"arm": arm, **frame.mean()}
        for column, values in (("roc_auc", auc), ("log_rmse", log_rmse)):
            row[column] = values[arm].mean()
            first = next(iter(values.values()))
            runs = 1 / len(values[arm]) + 1 / len(first)
            row[f"{column}_difference"] = row[column] - first.mean()
            row[f"{column}_error"] = np.sqrt(pooled_variance(values) * runs)
        rows.append(row)
    return pd.DataFrame(rows).set_index("arm")


def pooled_variance(values: dict[str, pd.Series]) -> float:
    """Variance over seeds, averaged over arms with their degrees of freedom."""
    free = sum(len(v) - 1 for v in values.values())
    return float(sum(((v - v.mean()) ** 2).sum() for v in values.values()) / free)


def write(ladder: Ladder, runs: Path, machine: dict[str, str]) -> None:
    """Write every score as JSON, and the tables as Markdown."""
    arms = {arm: [ladder.settings(arm, seed) for seed in ladder.seeds] for arm in ladder.arms}
    documents = {arm: [scores_of(s, runs, machine) for s in each] for arm, each in arms.items()}
    base = next(iter(ladder.arms))
    documents[RANDOM_START] = [scores_of(s, runs, machine, at_random=True) for s in arms[base]]
    stem = ladder.path.with_suffix("")
    stem.with_suffix(".json").write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")
    lines = [f"# {ladder.question}", "", f"`python -m benchmarks.ablation {ladder.path}`", ""]
    budget = ladder.settings(base, 0)
    lines += [
        f"{budget.steps * budget.batch_size:,} molecules of `{budget.data.source}` an arm, seeds "
        f"{', '.join(map(str, ladder.seeds))}; linear heads on frozen embeddings, five folds by "
        "scaffold, no test parts. ROC-AUC, and RMSE for the last three sets; in bold what differs "
        "from the first row by more than twice the standard error over seeds.",
    ]
    scores = {arm: [each["scores"] for each in seeds] for arm, seeds in documents.items()}
    lines += ["", *rows(table(scores))]
    lines += ["", "## Training", "", *training_rows(documents)]
    if ladder.readings:
        lines += ["", "## Reading", ""]
        lines += [f"- *{name}*: {text}" for name, text in ladder.readings.items()]
    stem.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def rows(frame: pd.DataFrame) -> list[str]:
    """Markdown rows of a table."""
    body = []
    for arm, row in frame.iterrows():
        difference, error = row["roc_auc_difference"], row["roc_auc_error"]
        auc = f"{row['roc_auc']:.1f} ({difference:+.1f} ± {error:.1f})"
        rmse = f"{np.exp(row['log_rmse']):.3f} (± {row['log_rmse_error']:.3f})"
        cells = [
            _bold(auc, difference, error),
            _bold(rmse, row["log_rmse_difference"], row["log_rmse_error"]),
            *(f"{row[name]:.3f}" for name in DATASETS),
        ]
        body.append([str(arm), *cells])
    return table_lines(["arm", "ROC-AUC x 100", "RMSE, ratio", *DATASETS], body)


def _bold(text: str, difference: float, error: float) -> str:
    return f"**{text}**" if abs(difference) > 2 * error else text


def training_rows(documents: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Markdown rows of what the runs logged, averaged over seeds."""
    names = ("loss, last tenth", "effective_rank, first tenth", "effective_rank, last tenth")
    body = []
    for arm, each in documents.items():
        if arm == RANDOM_START:
            continue
        frame = pd.DataFrame([document["training"] for document in each])
        rate = (frame["molecules"] / frame["seconds"]).mean()
        body.append([arm, *(f"{frame[name].mean():.2f}" for name in names), f"{rate:.0f}"])
    return table_lines(["arm", *names, "molecules/s"], body)


if __name__ == "__main__":
    main()
