"""Counting what was skipped, and saying why in one paragraph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

_NUMBERS = re.compile(r"(?<!limit of )(?<!\d,)\b\d+(?:,\d{3})*(?: \d+)*\b")
_MAX_TEXT = 80  # characters kept of an example: enough to recognise it
_MAX_REASONS = 5  # reasons spelled out in the summary


@dataclass(slots=True)
class SkipCount:
    """Failures by reason, with the first few examples of each.

    Reasons that differ only in numbers (atom indices, sizes) are one reason: "312 atoms, more than
    the limit of 256" counts as "… atoms, more than the limit of 256".

    Attributes:
        max_examples: how many examples to keep per reason.
        counts: number of rows per reason.
        examples: per reason, ``(row index, text)`` of the first rows.
    """

    max_examples: int = 3
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.counts.total()

    def add(self, index: int, text: str | None, reason: str) -> None:
        """Count row ``index`` (from 0), whose content was ``text``, as skipped for ``reason``."""
        group = _NUMBERS.sub("…", reason)
        self.counts[group] += 1
        examples = self.examples.setdefault(group, [])
        if len(examples) < self.max_examples:
            examples.append((index, (text or "")[:_MAX_TEXT]))

    def merge(self, other: SkipCount) -> None:
        """Add the counts of another part of the same input, e.g. of another worker."""
        self.counts.update(other.counts)
        for group, examples in other.examples.items():
            both = self.examples.get(group, []) + examples
            self.examples[group] = sorted(both)[: self.max_examples]

    def summary(self, total: int) -> str:
        """Say how many of ``total`` rows were skipped and why, commonest reason first.

        Row numbers count from 0, as in the output. Returns ``""`` if nothing was skipped.
        """
        if not self.counts:
            return ""
        return f"skipped {len(self):,} of {total:,} rows: {self._reasons(self._rows)}"

    def named_summary(self, of: str) -> str:
        """Say the same of inputs that are known by name rather than by row.

        Args:
            of: what they are a part of, e.g. ``"12 files"``.
        """
        if not self.counts:
            return ""
        return f"skipped {len(self):,} of {of}: {self._reasons(self._names)}"

    def _reasons(self, examples: Callable[[str, int], str]) -> str:
        ranked = self.counts.most_common()
        parts = [f"{n:,} {reason} ({examples(reason, n)})" for reason, n in ranked[:_MAX_REASONS]]
        rest = ranked[_MAX_REASONS:]
        if rest:
            rows = sum(count for _, count in rest)
            parts.append(f"{rows:,} for {len(rest)} other reason{'s' * (len(rest) > 1)}")
        return ", ".join(parts)

    def _rows(self, reason: str, count: int) -> str:
        rows = [str(index) for index, _ in self.examples[reason]]
        more = ["..."] * (count > len(rows))
        return f"row{'s' * (count > 1)} {', '.join(rows + more)}"

    def _names(self, reason: str, count: int) -> str:
        names = [text for _, text in self.examples[reason]]
        return ", ".join(names + ["..."] * (count > len(names)))
