"""Does ComplEx learn faster from pretrained vectors than from random ones?

    python -m benchmarks.kg_start codex-s --model runs/benchmark-kg/runs/codex-s-0
    python -m benchmarks.kg_start codex-s --model ... --share 0.1   # learning from few triples

The vectors are turned to their principal axes, the first ``DIM`` of which are scaled together to
the spread of a random start. Everything else is the same: relations, order of questions, schedule.
Beside it stands a start from the vectors of the same network at random start. Validation MRR by
epoch.

With ``--share`` ComplEx learns from so much of the training triples, drawn with each seed. The
vectors, also those at random start, are made with all of them; ranks are filtered by all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from molvec.atomic import atomic_write
from molvec.benchmarking.encoders import ModelFolder
from molvec.benchmarking.kg_cells import COMPLEX_TRAINING, DIM, link_task
from molvec.benchmarking.network_models import network_embedder
from molvec.data.knowledge_graph import load_knowledge_graph
from molvec.evaluate.link_models import ComplEx
from molvec.evaluate.link_training import fit_links
from molvec.evaluate.markdown_table import table_lines
from molvec.evaluate.ranks import both_sides
from molvec.provenance import describe

SCALE = 0.1
"""Standard deviation of the starts, that of a random one."""


def main() -> None:
    """Train from each start and write the curves."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="of a knowledge graph")
    parser.add_argument("--model", type=Path, required=True, help="a run on its training triples")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--every", type=int, default=2, help="epochs between two looks")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the training triples")
    arguments = parser.parse_args()
    if not 0 < arguments.share <= 1:
        parser.error(f"--share must be above 0 and at most 1, got {arguments.share:g}")
    machine = describe()
    graph = load_knowledge_graph(arguments.name)
    task = link_task(graph)
    names = list(graph.names)
    model = ModelFolder(arguments.model)
    embedder = network_embedder(arguments.model, graph.network, graph.name)
    training = replace(
        COMPLEX_TRAINING, epochs=arguments.epochs, every=arguments.every, patience=arguments.epochs
    )
    found = []
    for seed in range(arguments.seeds):
        taught = task.with_share(arguments.share, seed=seed)
        starts = {
            "random": None,
            "random encoder": principal(model.random_embedder(seed).embed(names), DIM),
            "pretrained": principal(embedder.embed(names), DIM),
        }
        for name, start in starts.items():
            torch.manual_seed(seed)
            table = ComplEx(len(names), len(graph.relations), DIM, start=start, scale=SCALE)
            fit = fit_links(table, taught, training, seed=seed)
            test = both_sides(table, task.test, task.known).metrics()
            found.append(
                {"start": name, "seed": seed, "curve": fit.curve, "epoch": fit.epoch, "test": test}
            )
            print(f"{name}, seed {seed}: {fit.mrr:.4f} in epoch {fit.epoch}")
    few = f" --share {arguments.share:g}" if arguments.share < 1 else ""
    seeds = f" --seeds {arguments.seeds}" if arguments.seeds > 1 else ""
    document = {
        "command": f"python -m benchmarks.kg_start {arguments.name} --model {arguments.model}"
        f"{few}{seeds}",
        "machine": machine,
        "model": model.about(),
        "runs": found,
    }
    write(arguments.output, arguments.name, document, share=arguments.share)


def principal(vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Turn standardised vectors to their first principal axes, of a random start's spread in all.

    Shapes: ``[n, F]`` to ``[n, dim]``; where ``F`` is less than ``dim`` the rest is 0.
    """
    x = vectors - vectors.mean(0)
    x = x / np.maximum(x.std(0), 1e-6)
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    kept = left[:, :dim] * sizes[:dim]
    kept *= SCALE / kept.std()
    out = np.zeros((len(x), dim), dtype=np.float32)
    out[:, : kept.shape[1]] = kept
    return out


def write(output: Path, name: str, document: Mapping[str, object], *, share: float = 1.0) -> None:
    """Write ``kg-start-NAME.md`` and ``.json``; of a share of 0.1, ``kg-start-NAME-10.md``."""
    runs = document["runs"]
    assert isinstance(runs, list)
    epochs = [epoch for epoch, _ in runs[0]["curve"]]
    body = []
    for start in dict.fromkeys(run["start"] for run in runs):
        curves = np.array(
            [[mrr for _, mrr in run["curve"]] for run in runs if run["start"] == start]
        )
        tests = [run["test"]["mrr"] for run in runs if run["start"] == start]
        mean = [f"{value:.3f}" for value in curves.mean(0)]
        spread = f" ± {np.std(tests, ddof=1):.3f}" if len(tests) > 1 else ""
        body.append([start, *mean, f"{np.mean(tests):.3f}{spread}"])
    header = ["start", *(str(epoch) for epoch in epochs), "test, best epoch"]
    taught = "" if share == 1 else f", learning from {share:.0%} of the training triples"
    text = "\n".join(
        [
            f"`{document['command']}`",
            "",
            f"{name}{taught}: validation MRR of ComplEx after so many epochs, by the start of its "
            "table.",
            "",
            *table_lines(header, body),
            "",
        ]
    )
    path = output / f"kg-start-{name}{'' if share == 1 else f'-{100 * share:g}'}"
    atomic_write(path.with_suffix(".md"), lambda p: p.write_text(text, encoding="utf-8"))
    record = json.dumps(document, indent=1) + "\n"
    atomic_write(path.with_suffix(".json"), lambda p: p.write_text(record))


if __name__ == "__main__":
    main()
