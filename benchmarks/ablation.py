"""A ladder of ablations: the same small budget for every arm, judged without the test parts.

    python -m benchmarks.ablation benchmarks/ablations/grounding.yaml
    python -m benchmarks.ablation benchmarks/ablations/grounding.yaml --seed 1   # this seed alone

A ladder is a YAML file: ``question``, ``recipe``, ``set`` (settings of every arm), ``seeds``,
``arms`` (name -> settings that differ from the first arm, the base), and ``readings`` (name -> what
we make of it). Every arm is pretrained with every seed and read by linear heads on what it gives
when frozen: molecules with all labels and with a tenth of them, cross-validated as in
:mod:`benchmarks.folds`, and atoms, as in :mod:`benchmarks.atoms`. Writes ``.json`` and ``.md``
beside the ladder. Runs and their scores are kept under ``--runs``, so an interrupted ladder
continues, and two processes may work on different seeds.
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

from benchmarks.atoms import probe, questions
from benchmarks.folds import CLASSIFICATION, DATASETS, REGRESSION, cross_validated, folds
from benchmarks.probe import curve
from molvec.atomic import atomic_write
from molvec.config import load_settings
from molvec.data.labelled import load_labelled
from molvec.demo import random_start
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.evaluate.markdown_table import table_lines
from molvec.pretraining import pretrain, resume
from molvec.provenance import describe
from molvec.settings import PretrainSettings

RANDOM_START = "base at random start"
FEW = 0.1  # share of the labels


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
    chosen = json.dumps(settings.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    return runs / hashlib.sha256(chosen.encode()).hexdigest()[:16]


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
        **scores(embedder),
    }
    text = json.dumps(document, indent=1)
    kept.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(kept, lambda path: path.write_text(text, encoding="utf-8"), mend="choose --runs")
    print(
        kept, {name: f"{np.mean(each):.3f}" for name, each in document["all"].items()}, flush=True
    )
    return document


def scores(embedder: Embedder) -> dict[str, Any]:
    """Score molecules (``"all"`` and ``"few"`` labels, by data set and fold) and ``"atoms"``."""
    result: dict[str, Any] = {"all": {}, "few": {}}
    for name in DATASETS:
        data = load_labelled(name)
        parts, x = folds(data), embedder.embed(list(data.smiles))
        result["all"][name] = cross_validated(data, parts, x)
        result["few"][name] = cross_validated(data, parts, x, share=FEW)
    mols, truth, three = questions()
    return {**result, "atoms": probe(embedder.embed(mols, level="node"), truth, three)}


def measures(documents: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, pd.Series]]:
    """Return ``{measure: {arm: value per seed}}``.

    ``roc_auc`` averages the classification sets, times 100; ``rmse`` is the geometric mean, over
    the regression sets, of the ratio to the first arm; ``atoms`` averages the questions about
    atoms, times 100.
    """
    result: dict[str, dict[str, pd.Series]] = {}
    for labels in ("all", "few"):
        means = {
            arm: pd.DataFrame(
                [{name: np.mean(v) for name, v in seed[labels].items()} for seed in seeds]
            )
            for arm, seeds in documents.items()
        }
        base = next(iter(means.values()))[list(REGRESSION)].mean()
        suffix = "" if labels == "all" else f", {FEW:.0%} of labels"
        result[f"ROC-AUC x 100{suffix}"] = {
            arm: 100 * frame[list(CLASSIFICATION)].mean(axis=1) for arm, frame in means.items()
        }
        result[f"RMSE ratio x 100{suffix}"] = {
            arm: 100 * np.exp(np.log(frame[list(REGRESSION)] / base).mean(axis=1))
            for arm, frame in means.items()
        }
    result["atoms x 100"] = {
        arm: 100 * pd.Series([np.mean(list(seed["atoms"].values())) for seed in seeds])
        for arm, seeds in documents.items()
    }
    return result


def table(values: dict[str, dict[str, pd.Series]]) -> pd.DataFrame:
    """One row per arm and measure: mean over seeds, difference from the first arm, its error.

    The error is the standard error of the difference, from the variance over seeds pooled over
    arms: a difference counts if it exceeds twice that.

    Args:
        values: measure -> arm -> one value per seed.
    """
    rows = []
    for measure, arms in values.items():
        first = next(iter(arms.values()))
        for arm, each in arms.items():
            error = np.sqrt(pooled_variance(arms) * (1 / len(each) + 1 / len(first)))
            rows.append((arm, measure, each.mean(), each.mean() - first.mean(), error))
    columns = ["arm", "measure", "mean", "difference", "error"]
    return pd.DataFrame(rows, columns=columns).set_index(["arm", "measure"])


def pooled_variance(values: dict[str, pd.Series]) -> float:
    """Variance over seeds, averaged over arms with their degrees of freedom; NaN of one seed."""
    free = sum(len(v) - 1 for v in values.values())
    if free == 0:
        return float("nan")
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
    chosen = [ladder.settings(arm, 0) for arm in ladder.arms]
    sizes = dict.fromkeys(f"{each.steps * each.batch_size:,}" for each in chosen)
    lines += [
        f"{' or '.join(sizes)} molecules of `{budget.data.source}` an arm, seeds "
        f"{', '.join(map(str, ladder.seeds))}; linear heads on what is frozen, no test parts. "
        f"ROC-AUC: mean of {', '.join(CLASSIFICATION)}. RMSE: {', '.join(REGRESSION)}, geometric "
        "mean against the first row. Both over five folds by scaffold. Atoms: mean of three R² and "
        "two ROC-AUC. In brackets, the difference from the first row; in bold if it is more than "
        "twice its standard error over seeds.",
    ]
    frame = table(measures(documents))
    lines += ["", *rows(frame)]
    lines += ["", "## By data set", "", *dataset_rows(documents)]
    lines += ["", "## By question about atoms", "", *atom_rows(documents)]
    lines += ["", "## Training", "", *training_rows(documents)]
    if ladder.readings:
        lines += ["", "## Reading", ""]
        lines += [f"- *{name}*: {text}" for name, text in ladder.readings.items()]
    stem.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def rows(frame: pd.DataFrame) -> list[str]:
    """Draw every arm's measures as Markdown."""
    names = list(dict.fromkeys(frame.index.get_level_values("measure")))
    body = []
    for arm in dict.fromkeys(frame.index.get_level_values("arm")):
        cells = []
        for name in names:
            mean, difference, error = frame.loc[(arm, name)]
            known = "" if np.isnan(error) else f" ± {error:.1f}"  # of one seed there is none
            text = f"{mean:.1f} ({difference:+.1f}{known})"
            cells.append(f"**{text}**" if abs(difference) > 2 * error else text)
        body.append([arm, *cells])
    return table_lines(["arm", *names], body)


def dataset_rows(documents: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Draw the mean over folds and seeds, all labels / few of them, by data set."""
    body = []
    for arm, seeds in documents.items():
        means = [
            [f"{np.mean([each[labels][name] for each in seeds]):.3f}" for labels in ("all", "few")]
            for name in DATASETS
        ]
        body.append([arm, *(" / ".join(pair) for pair in means)])
    return table_lines([f"all labels / {FEW:.0%}", *DATASETS], body)


def atom_rows(documents: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Draw the mean over seeds of every question about atoms."""
    names = list(next(iter(documents.values()))[0]["atoms"])
    body = [
        [arm, *(f"{np.mean([each['atoms'][name] for each in seeds]):.3f}" for name in names)]
        for arm, seeds in documents.items()
    ]
    return table_lines(["arm", *names], body)


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
