"""The demo: pretrain on molecules that RDKit ships, probe, compare with random start, report."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rdkit import Chem, rdBase

import molvec
from molvec.config import load_settings
from molvec.data.store import SmilesStore, open_store
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.errors import Stopped, UserError
from molvec.evaluate.probe import probe_table
from molvec.evaluate.properties import FUNCTIONAL_GROUPS, PROPERTIES, compute_properties
from molvec.evaluate.report import write_report
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.pretraining import Run, build_model, pretrain, resume
from molvec.records import Record, parse
from molvec.settings import PretrainSettings
from molvec.train.log import read_lines
from molvec.train.loop import Report

HELD_OUT = 0.2
SPLIT_SEED = 1


@dataclass(frozen=True)
class DemoResult:
    """The run, the probe's table and the report."""

    run: Run
    table: pd.DataFrame
    report: Path


def run_demo(
    output: Path,
    *,
    steps: int | None = None,
    seed: int = 0,
    report: Report = lambda progress, values, steps: None,
) -> DemoResult:
    """Run the demo in a folder; an interrupted or finished demo is continued, not repeated.

    One fifth of the molecules is held out: neither pretraining nor the probe's fit sees it.

    Raises:
        UserError: if the folder cannot be used.
        Stopped: on Ctrl-C or SIGTERM; the run is kept.
    """
    # float32 everywhere: the same table on every processor, as nearly as can be.
    overrides = {"seed": seed, "precision": "32-true"}
    if steps is not None:
        overrides["steps"] = steps
    settings = load_settings("nci", overrides)
    store = open_store("nci")
    mols = molecules(store)
    train, test = split(mols, held_out=HELD_OUT, seed=SPLIT_SEED)
    folder = output / "run"
    if (folder / "config.yaml").exists():
        if load_settings(folder / "config.yaml") != settings:
            raise UserError(f"{folder} holds a run with other settings; remove it or use --output")
        run = resume(folder, report=report, rows=train)
    else:
        run = pretrain(settings, output=folder, report=report, rows=train)
    if run.progress.stopped_by is not None:
        text = f"stopped at step {run.progress.step:,}; the same command continues"
        raise Stopped(text, run.progress.stopped_by)

    pretrained, random = load(folder), random_start(settings)
    embeddings = {"pretrained": pretrained.embed(mols), "random start": random.embed(mols)}
    groups = compute_properties(mols, FUNCTIONAL_GROUPS)
    table = probe_table(embeddings, groups, train, test)
    table.to_csv(output / "probe.csv", index=False)
    path = write_report(
        output / "report.html",
        title="molvec demo",
        intro=f"data2vec on {len(train):,} molecules of the NCI set that RDKit ships, without "
        f"labels. A ridge regression on the frozen embeddings then counts functional groups "
        f"in {len(test):,} held-out molecules; random start is the same network before training.",
        table=table,
        history=pd.DataFrame(read_lines(folder / "metrics.jsonl")),
        embedding=embeddings["pretrained"][test],
        smiles=[store[int(i)] for i in test],
        color=compute_properties(mols, ["logP"])["logP"].to_numpy()[test],
        color_label=f"logP ({PROPERTIES['logP'].unit})",
        settings=settings.model_dump(mode="json"),
        facts=_facts(run, settings),
        notes=[run.skipped],
    )
    return DemoResult(run, table, path)


def split(
    mols: Sequence[Chem.Mol | None], *, held_out: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows at random into a training and a held-out part, both sorted.

    Rows whose molecule is held out in another row are in neither.
    """
    names = ["" if mol is None else Chem.MolToSmiles(mol) for mol in mols]
    order = np.random.default_rng(seed).permutation(len(mols))
    cut = round(held_out * len(mols))
    unseen = {names[i] for i in order[:cut]} - {""}
    train = [i for i in order[cut:] if names[i] not in unseen]
    return np.sort(np.array(train, dtype=np.int64)), np.sort(order[:cut])


def molecules(store: SmilesStore) -> list[Chem.Mol | None]:
    """Parse every row; ``None`` where a row is no molecule."""
    parsed: list[Chem.Mol | None] = []
    for row in range(len(store)):
        try:
            parsed.append(parse(Record(index=row, smiles=store[row])))
        except ValueError:
            parsed.append(None)
    return parsed


def random_start(settings: PretrainSettings) -> Embedder:
    """Return the network of a run as it was before the first step."""
    featurizer = MoleculeFeaturizer()
    torch.manual_seed(settings.seed)
    encoder = build_model(settings, featurizer).teacher
    return Embedder(encoder, featurizer, readout=settings.encoder.readout)


def _facts(run: Run, settings: PretrainSettings) -> dict[str, str]:
    return {
        "command": f"molvec demo --seed {settings.seed} --steps {settings.steps}",
        "molvec": molvec.__version__,
        "torch": torch.__version__,
        "rdkit": rdBase.rdkitVersion,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "molecules seen": f"{run.progress.molecules:,}",
        "training time": f"{run.progress.seconds:,.0f} s",
    }
