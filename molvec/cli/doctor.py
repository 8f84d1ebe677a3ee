"""``molvec doctor``: is this installation able to work, and how fast?"""

from __future__ import annotations

import typer


def doctor() -> None:
    """Check versions, device, precision, cache and disk; embed a molecule to be sure."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from molvec.diagnosis import diagnose

    findings = diagnose()
    table = Table(box=None, show_header=False)
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]problem[/]"
        table.add_row(mark, finding.name, Text(finding.text))
    Console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
