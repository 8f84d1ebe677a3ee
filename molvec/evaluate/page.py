"""Render a page to one HTML file that needs no network, no library and no other file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molvec.atomic import atomic_write


def write_page(path: str | Path, template: str, **values: Any) -> Path:
    """Render a template of this folder; the file appears complete or not at all.

    Every value is escaped, and a value that the template needs and does not get is an error.

    Args:
        path: the HTML file; its folder is made if need be.
        template: file name of the template.
        values: what the template shows.

    Returns:
        The path written.

    Raises:
        UserError: the file cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template(template).render(**values).strip() + "\n"
    path = Path(path)
    atomic_write(path, lambda temporary: temporary.write_text(html, encoding="utf-8"))
    return path


def flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return names and values as text, nested mappings as dotted names."""
    flat: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat += flatten(value, f"{name}.")
        else:
            flat.append((name, str(value)))
    return flat
