"""Suites of other things than labelled molecules: each a function of its own, named in one dict.

``molvec benchmark NAME ...`` calls what stands in ``SPECIAL`` under its first word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from molvec.benchmarking.datasets import Report


@dataclass(frozen=True)
class SuiteResult:
    """What came out.

    Attributes:
        table: the main tables, in Markdown, as in ``folder/results.md``.
        folder: with ``results.csv``, ``results.md`` and ``results.json``.
        failures: what could not be computed, and why.
    """

    table: str
    folder: Path
    failures: tuple[str, ...] = ()


class Suite(Protocol):
    """What a suite is called with."""

    def __call__(
        self,
        *,
        names: Sequence[str],
        model: str | None,
        output: Path,
        seeds: int,
        jobs: int,
        overrides: Mapping[str, Any],
        command: str,
        report: Report,
    ) -> SuiteResult:
        """Run it, or the rest of one that was interrupted.

        Args:
            names: data sets, or labels, as given after the suite's name; none for all of them.
            model: a run or a model folder; ``None`` pretrains one for each data set, where a suite
                does that.
            output: folder for everything; the same call continues there.
            seeds: 0 to ``seeds - 1``.
            jobs: processes.
            overrides: settings of pretraining or of fine-tuning, by dotted key.
            command: how to repeat this, for the record.
            report: receives one line for each step.

        Raises:
            UserError: for anything that cannot be used.
        """
        ...


def _ppi(**arguments: Any) -> SuiteResult:
    from molvec.benchmarking.ppi import benchmark_ppi

    return benchmark_ppi(**arguments)


def _kg(**arguments: Any) -> SuiteResult:
    from molvec.benchmarking.kg import benchmark_kg

    return benchmark_kg(**arguments)


def _qm9(**arguments: Any) -> SuiteResult:
    from molvec.benchmarking.qm9 import benchmark_qm9

    return benchmark_qm9(**arguments)


SPECIAL: dict[str, Callable[..., SuiteResult]] = {"kg": _kg, "ppi": _ppi, "qm9": _qm9}
"""Suite -> :class:`Suite`; imported when it is called, as each pulls in what it needs."""

OPTIONS: dict[str, tuple[str, ...]] = {"qm9": ("protocol", "fraction", "draws")}
"""Suite -> what it takes beside the arguments of :class:`Suite`, only where the user gave it."""
