"""Choices between models of conformers, on QM9's validation part: the test part stays unread.

    python -m benchmarks.qm9 --model RUN --output FOLDER [--protocol finetune] [--set lr=1e-3]

The same code as ``molvec benchmark qm9``, from fewer molecules: of ``--valid`` molecules of the
validation part one half chooses, the other half tests.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from molvec.benchmarking.qm9 import PROTOCOLS, benchmark_qm9
from molvec.config import parse_overrides


def main() -> None:
    """Read the command line and score one model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="labels")
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--train", type=int, default=8000, help="molecules that teach")
    parser.add_argument("--valid", type=int, default=4000, help="molecules that choose or test")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="frozen")
    parser.add_argument("--fraction", type=float, action="append", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="a setting of fine-tuning")
    given = parser.parse_args()
    result = benchmark_qm9(
        names=given.names,
        model=given.model,
        output=given.output,
        seeds=given.seeds,
        overrides=parse_overrides(given.set),
        command=shlex.join(["python", "-m", "benchmarks.qm9", *sys.argv[1:]]),
        report=lambda line: print(line, file=sys.stderr, flush=True),
        protocol=(given.protocol,),
        fraction=tuple(given.fraction),
        draws=given.draws,
        part="valid",
        train=given.train,
        valid=given.valid,
    )
    print(result.table)


if __name__ == "__main__":
    main()
