"""How fast each stage is, and how much memory streaming takes.

    python -m benchmarks.speed --output benchmarks/results

Rates are medians over rounds in which the contenders take turns, so that a ratio holds when the
machine's speed drifts. Writes ``speed.json`` and ``speed.md``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rdkit import Chem, RDLogger
from torch.utils.flop_counter import FlopCounterMode
from torch_geometric.data import Batch
from torch_geometric.utils import from_smiles

from molvec.config import load_settings
from molvec.data.dataset import MoleculeDataset
from molvec.data.loader import collate, load_batches
from molvec.data.sampler import BucketBatches
from molvec.data.store import SmilesStore, open_store
from molvec.embed.embedder import Embedder
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.masking import MaskSampler
from molvec.objective import Data2Vec, ema_update
from molvec.pretraining import build_model
from molvec.provenance import describe
from molvec.records import Record, parse
from molvec.settings import PretrainSettings
from molvec.train.optimizer import build_optimizer

SEED = 0
ROUNDS = 7


def take_turns(jobs: dict[str, Callable[[], int]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median rate (items per second) of each job; a job returns how many items it did."""
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    for round_ in range(rounds + 1):
        for name, job in jobs.items():
            began = time.perf_counter()
            count = job()
            if round_:  # the first round warms up
                rates[name].append(count / (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in rates.items()}


def featurising(smiles: list[str], store: SmilesStore, rows: np.ndarray) -> dict[str, float]:
    """Molecules per second: RDKit alone, PyG, molvec on one core, molvec's loader on two."""
    featurizer = MoleculeFeaturizer()
    records = [Record(index=i, smiles=text) for i, text in enumerate(smiles)]
    dataset = MoleculeDataset(store, featurizer, rows=rows)
    jobs = {
        "RDKit MolFromSmiles": lambda: len([Chem.MolFromSmiles(text) for text in smiles]),
        "PyG from_smiles": lambda: len([from_smiles(text) for text in smiles]),
        "molvec parse": lambda: len([parse(record) for record in records]),
        "molvec parse + featurise": lambda: len([featurizer(parse(r)) for r in records]),
    }
    torch.set_num_threads(1)
    rates = take_turns(jobs)
    graphs = [featurizer(parse(record)) for record in records]
    sampler = MaskSampler(seed=SEED)
    masks = [sampler(graph, epoch=0, sample=i) for i, graph in enumerate(graphs)]
    samples = list(zip(graphs, masks, strict=True))
    more = {
        "4 subgraph masks": lambda: len(
            [sampler(graph, epoch=0, sample=i) for i, graph in enumerate(graphs)]
        ),
        "collate (batches of 64)": lambda: sum(
            collate(samples[i : i + 64]).batch.num_graphs for i in range(0, len(samples), 64)
        ),
    }
    rates |= take_turns(more, rounds=3)
    torch.set_num_threads(2)
    steps = len(rows) // 64
    batches = BucketBatches(dataset.sizes, batch_size=64, seed=SEED)
    began = time.perf_counter()
    for _ in load_batches(dataset, sampler, batches, start=0, stop=steps, workers=2):
        pass
    rates["loader, 2 workers, all of the above"] = steps * 64 / (time.perf_counter() - began)
    return rates


def training(smiles: list[str], settings: PretrainSettings) -> dict[str, float]:
    """Steps of ``small``: data2vec 2 against data2vec 1 on the same batch, and the FLOP rate."""
    featurizer = MoleculeFeaturizer()
    by_size = sorted(smiles, key=len)
    middle = len(by_size) // 2
    chosen = by_size[middle : middle + settings.batch_size]
    graphs = [featurizer(parse(Record(index=i, smiles=s))) for i, s in enumerate(chosen)]
    batch = Batch.from_data_list(graphs)

    def stepper(kind: str, views: int) -> tuple[Data2Vec, torch.Tensor, Callable[[], int]]:
        chosen_kind = settings.student.model_copy(update={"kind": kind})
        torch.manual_seed(SEED)
        model = build_model(settings.model_copy(update={"student": chosen_kind}), featurizer)
        sampler = MaskSampler(settings.mask.kind, settings.mask.ratio, views, SEED)
        mask = torch.cat([sampler(g, epoch=0, sample=i) for i, g in enumerate(graphs)], dim=1)
        optimizer = build_optimizer(model, lr=1e-4, weight_decay=0.01, betas=(0.9, 0.98))

        def step() -> int:
            if "structure" in batch:
                del batch["structure"]  # a new batch brings none
            model(batch, mask).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            ema_update(model.teacher, model.student.encoder, 0.999)
            return views * len(graphs)

        return model, mask, step

    model, mask, visible = stepper("visible", settings.mask.views)
    _, _, token = stepper("mask_token", 1)
    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)

    def product() -> int:
        for _ in range(8):
            left @ right
        return 8 * 2 * 2048**3

    rates = take_turns({"visible": visible, "mask_token": token, "product": product})
    with FlopCounterMode(display=False) as counter:
        model(batch, mask).loss.backward()
    flops = counter.get_total_flops()
    step_rate = rates["visible"] / (settings.mask.views * len(graphs)) * flops
    return {
        "data2vec 2, views per second": rates["visible"],
        "data2vec 1, views per second": rates["mask_token"],
        "views per second, data2vec 2 / data2vec 1": rates["visible"] / rates["mask_token"],
        "molecules per second, data2vec 2": rates["visible"] / settings.mask.views,
        "GFLOP per step": flops / 1e9,
        "GFLOP/s of the training step": step_rate / 1e9,
        "GFLOP/s of a 2048 x 2048 float32 product": rates["product"] / 1e9,
        "training step / product": step_rate / rates["product"],
    }


def embedding(smiles: list[str], settings: PretrainSettings) -> dict[str, float]:
    """Molecules per second from SMILES to vectors."""
    featurizer = MoleculeFeaturizer()
    rates = {}
    for preset in ("tiny", "small"):
        encoder = settings.encoder.model_copy(update={"preset": preset})
        model = build_model(settings.model_copy(update={"encoder": encoder}), featurizer)
        embedder = Embedder(model.teacher, featurizer)
        job = {preset: lambda embedder=embedder: len(embedder.embed(smiles))}
        rates |= {f"SMILES to embedding, {name}": r for name, r in take_turns(job, 3).items()}
    return rates


def streaming() -> dict[str, float]:
    """Peak memory and rate of one pass over all of ZINC, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.streaming"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure everything and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--molecules", type=int, default=2000)
    parser.add_argument("--skip-streaming", action="store_true")
    arguments = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    machine = describe()  # now: the tree may change while this runs
    settings = load_settings("zinc")
    store = open_store(settings.data.source)
    rows = np.sort(np.random.default_rng(SEED).permutation(len(store))[: arguments.molecules])
    smiles = [store[int(row)] for row in rows]
    many = np.sort(np.random.default_rng(SEED + 1).permutation(len(store))[:20_000])

    results = {
        "molecules per second, one core": featurising(smiles, store, many),
        "training step, preset small, two cores": training(smiles, settings),
        "embedding, two cores, molecules per second": embedding(smiles, settings),
    }
    if not arguments.skip_streaming:
        results["streaming all of ZINC"] = streaming()
    rates = results["molecules per second, one core"]
    pyg = rates["PyG from_smiles"]
    results["parse + featurise against PyG from_smiles"] = {
        "one core each": rates["molvec parse + featurise"] / pyg,
        "two workers, with masks and collating, against one core": rates[
            "loader, 2 workers, all of the above"
        ]
        / pyg,
        "RDKit's parser alone against it": rates["RDKit MolFromSmiles"] / pyg,
    }
    write(arguments.output, machine, results)


def write(folder: Path, machine: dict[str, str], results: dict[str, dict[str, float]]) -> None:
    """Write ``speed.json`` and ``speed.md``, and print the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "seed": SEED, "results": results}
    (folder / "speed.json").write_text(json.dumps(document, indent=2) + "\n")
    lines = ["# Speed", "", "`python -m benchmarks.speed --output benchmarks/results`", ""]
    lines += [f"- {key}: {value}" for key, value in document["machine"].items()]
    for section, rows in results.items():
        lines += ["", f"## {section}", "", "| what | value |", "| --- | ---: |"]
        lines += [f"| {name} | {_number(value)} |" for name, value in rows.items()]
    text = "\n".join(lines) + "\n"
    (folder / "speed.md").write_text(text)
    print(text)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    main()
