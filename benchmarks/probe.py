"""Does pretraining pay? The frozen probe over seeds, against the same network at random start.

    python -m benchmarks.probe zinc --seeds 3 --output benchmarks/results

For every seed: pretrain with the recipe, embed the 5,000 NCI molecules that RDKit ships, fit a
ridge regression for each property on four fifths of them and score it on the rest. With the recipe
``nci`` the held-out fifth is left out of pretraining too. Writes ``probe-RECIPE.json`` and
``.md``; runs are kept under ``--runs`` and continued, so an interrupted benchmark loses nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from molvec.config import load_settings, parse_overrides
from molvec.data.store import open_store
from molvec.demo import HELD_OUT, SPLIT_SEED, molecules, random_start, split
from molvec.embed.load import load
from molvec.evaluate.probe import compare, probe_table
from molvec.evaluate.properties import FUNCTIONAL_GROUPS, compute_properties
from molvec.pretraining import pretrain, resume
from molvec.provenance import describe
from molvec.train.log import read_lines


def main() -> None:
    """Run all seeds and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--runs", type=Path, default=Path("runs/probe"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()

    machine = describe()  # now: the tree may change while this runs
    mols = molecules(open_store("nci"))
    train, test = split(mols, held_out=HELD_OUT, seed=SPLIT_SEED)
    properties = compute_properties(mols)
    tables, curves = {}, {}
    for seed in range(arguments.seeds):
        settings = load_settings(arguments.recipe, {**parse_overrides(arguments.set), "seed": seed})
        rows = train if settings.data.source == "nci" else None
        folder = arguments.runs / f"{arguments.recipe}-{seed}"
        if (folder / "config.yaml").exists():
            run = resume(folder, rows=rows)
        else:
            run = pretrain(settings, output=folder, rows=rows)
        if run.progress.stopped_by is not None:
            raise SystemExit(f"stopped in {folder}; the same command continues")
        embeddings = {
            "pretrained": load(folder).embed(mols),
            "random start": random_start(settings).embed(mols),
        }
        tables[seed] = probe_table(embeddings, properties, train, test)
        curves[seed] = curve(folder)
        print(tables[seed].pivot(index="property", columns="representation", values="r2"))
    comparison = compare(tables)
    write(arguments, machine, comparison, curves)


def curve(folder: Path) -> dict[str, float]:
    """First and last tenth of a run's log, averaged: does the loss fall, does the rank grow?"""
    history = pd.DataFrame(read_lines(folder / "metrics.jsonl"))
    tenth = max(len(history) // 10, 1)
    result = {"molecules": float(history["molecules"].iloc[-1])}
    for name in ("loss", "target_std", "prediction_std", "effective_rank"):
        result[f"{name}, first tenth"] = float(history[name].iloc[:tenth].mean())
        result[f"{name}, last tenth"] = float(history[name].iloc[-tenth:].mean())
    return result


def write(
    arguments: argparse.Namespace,
    machine: dict[str, str],
    comparison: pd.DataFrame,
    curves: dict[int, dict[str, float]],
) -> None:
    """Write and print ``probe-RECIPE``."""
    changes = "".join(f" --set {item}" for item in arguments.set)
    command = f"python -m benchmarks.probe {arguments.recipe} --seeds {arguments.seeds}{changes}"
    document = {
        "command": command,
        "machine": machine,
        "comparison": json.loads(comparison.to_json(orient="records")),
        "training": {str(seed): values for seed, values in curves.items()},
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    stem = arguments.output / f"probe-{arguments.recipe}"
    stem.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
    lines = [f"# Frozen probe, recipe `{arguments.recipe}`", "", f"`{command}`", ""]
    lines += [f"- {key}: {value}" for key, value in document["machine"].items()]
    lines += [
        "",
        f"R² on held-out NCI molecules, mean ± standard deviation over {arguments.seeds} seeds.",
    ]
    in_groups = comparison["property"].isin(FUNCTIONAL_GROUPS)
    lines += family("Functional groups: the demo's properties", comparison[in_groups])
    lines += family("Bulk properties: nearly sums over atoms", comparison[~in_groups])
    training = pd.DataFrame(curves)
    lines += ["", "| training | " + " | ".join(f"seed {s}" for s in curves) + " |"]
    lines += ["| --- |" + " ---: |" * len(curves)]
    for name, values in training.iterrows():
        lines.append(f"| {name} | " + " | ".join(f"{v:,.3f}" for v in values) + " |")
    text = "\n".join(lines) + "\n"
    stem.with_suffix(".md").write_text(text)
    print(text)


def family(title: str, comparison: pd.DataFrame) -> list[str]:
    """Markdown table of one family of properties."""
    lines = [
        "",
        f"## {title}",
        "",
        "| property | pretrained | random start | difference | beyond the spread |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for row in comparison.itertuples():
        lines.append(
            f"| {row.property} | {row.mean:.3f} ± {row.std:.3f} "
            f"| {row.baseline_mean:.3f} ± {row.baseline_std:.3f} | {row.difference:+.3f} "
            f"| {'yes' if row.larger_than_spread else 'no'} |"
        )
    return lines


if __name__ == "__main__":
    main()
