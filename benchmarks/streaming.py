"""Peak memory of one pass over all of ZINC: parse, featurise, mask and collate in two workers.

    python -m benchmarks.streaming

Counts proportional set size (shared pages once) over this process and its workers; Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path

from molvec.data.dataset import MoleculeDataset
from molvec.data.loader import load_batches
from molvec.data.sampler import BucketBatches
from molvec.data.store import open_store
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.masking import MaskSampler


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    members = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            members += family(int(child))
    return members


def memory(pid: int) -> int:
    """Proportional set size in bytes of a process and its descendants."""
    total = 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:  # it has just ended
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:")
    return total * 1024


class Watch(threading.Thread):
    """Samples the memory of this process and its children."""

    def __init__(self, interval: float = 0.5) -> None:
        super().__init__(daemon=True)
        self.interval = interval
        self.samples: list[int] = []
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self.done.wait(self.interval):
            try:
                self.samples.append(memory(os.getpid()))
            except OSError:  # a child ended between listing and reading
                continue


def main() -> None:
    """Stream one epoch and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=None, help="molecules; default all")
    limit = parser.parse_args().limit
    store = open_store("zinc")
    dataset = MoleculeDataset(store, MoleculeFeaturizer())
    batches = BucketBatches(dataset.sizes, batch_size=64, seed=0)
    steps = batches.per_epoch if limit is None else limit // 64
    watch = Watch()
    watch.start()
    began, molecules, failures = time.perf_counter(), 0, 0
    stream = load_batches(dataset, MaskSampler(), batches, start=0, stop=steps, workers=2)
    for loaded in stream:
        molecules += loaded.batch.num_graphs if loaded.batch is not None else 0
        failures += len(loaded.failures)
    seconds = time.perf_counter() - began
    watch.done.set()
    watch.join()
    third = len(watch.samples) // 3
    print(
        json.dumps(
            {
                "molecules": molecules,
                "failures": failures,
                "molecules per second, 2 workers": molecules / seconds,
                "peak memory, GB": max(watch.samples) / 1e9,
                "mean memory of the first third, GB": sum(watch.samples[:third]) / third / 1e9,
                "mean memory of the last third, GB": sum(watch.samples[-third:]) / third / 1e9,
            }
        )
    )


if __name__ == "__main__":
    main()
