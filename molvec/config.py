"""Settings in YAML, on the command line and in Python: the same names, the same checks.

Recipes are YAML files in ``configs/``; a run folder keeps its resolved settings in
``config.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from molvec.errors import UserError, did_you_mean
from molvec.settings import FinetuneSettings, PretrainSettings

Settings = TypeVar("Settings", PretrainSettings, FinetuneSettings)


def recipes_folder() -> Path:
    """Return the folder of the recipes: inside an installed package, or the repository's."""
    package = Path(__file__).resolve().parent
    installed = package / "_configs"
    return installed if installed.is_dir() else package.parent / "configs"


def list_recipes() -> list[str]:
    """Return the names of the shipped recipes, sorted."""
    return sorted(path.stem for path in recipes_folder().glob("*.yaml"))


def load_settings(
    recipe: str | Path | None = None, overrides: Mapping[str, Any] | None = None
) -> PretrainSettings:
    """Read a recipe and apply overrides.

    Args:
        recipe: name of a shipped recipe, or a YAML file; the defaults if ``None``.
        overrides: dotted key -> value, e.g. ``{"optimizer.lr": 3e-4}``.

    Raises:
        UserError: naming the key that is wrong, and the nearest one that exists.
    """
    tree: dict[str, Any] = {} if recipe is None else _read_yaml(_recipe_path(recipe))
    return parse_settings(_overridden(tree, overrides))


def load_finetune_settings(
    overrides: Mapping[str, Any] | None = None, *, file: Path | None = None
) -> FinetuneSettings:
    """Apply overrides to the defaults, or to a YAML file of fine-tuning settings.

    Raises:
        UserError: naming the key that is wrong, and the nearest one that exists.
    """
    tree: dict[str, Any] = {} if file is None else _read_yaml(file)
    return _parse(_overridden(tree, overrides), FinetuneSettings)


def parse_settings(tree: Mapping[str, Any]) -> PretrainSettings:
    """Validate plain nested settings."""
    return _parse(tree, PretrainSettings)


def parse_overrides(assignments: Sequence[str]) -> dict[str, Any]:
    """Turn ``["mask.ratio=0.6"]`` into ``{"mask.ratio": 0.6}``; values are read as YAML."""
    overrides = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise UserError(f"--set takes KEY=VALUE, e.g. mask.ratio=0.6; got {assignment!r}")
        overrides[key.strip()] = _parse_yaml(value, f"the value of {key}")
    return overrides


def dump_settings(settings: PretrainSettings | FinetuneSettings) -> str:
    """Return settings as YAML that :func:`load_settings` reads back."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)


def _parse(tree: Mapping[str, Any], kind: type[Settings]) -> Settings:
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise UserError("; ".join(_explain(item, kind) for item in error.errors())) from None


def _overridden(tree: dict[str, Any], overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    for key, value in (overrides or {}).items():
        _set(tree, key, value)
    return tree


def _recipe_path(recipe: str | Path) -> Path:
    path = Path(recipe)
    if path.suffix in {".yaml", ".yml"}:
        return path
    known = list_recipes()
    if str(recipe) not in known:
        raise UserError(
            f"there is no recipe {str(recipe)!r}.{did_you_mean(str(recipe), known)} "
            f"Known: {', '.join(known)}. For your own molecules: molvec pretrain --data FILE"
        )
    return recipes_folder() / f"{recipe}.yaml"


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the recipe {path}: {error}") from None
    tree = _parse_yaml(text, str(path))
    if tree is None:
        raise UserError(f"the recipe {path} is empty")
    if not isinstance(tree, dict):
        raise UserError(f"the recipe {path} must be a mapping of settings")
    return tree


def _parse_yaml(text: str, what: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{what} is not valid YAML: {' '.join(str(error).split())}") from None


def _set(tree: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise UserError(f"{key}: {parent} is a single value, not a group of settings")
    tree[last] = value


def _explain(error: Any, kind: type[BaseModel]) -> str:
    """One line for one pydantic error, with a suggestion for a misspelt key."""
    *parents, last = [str(part) for part in error["loc"]] or [""]
    key = ".".join([*parents, last])
    if error["type"] == "value_error" and isinstance(error.get("input"), dict):
        return f"{key}{key and ': '}{error['ctx']['error']}"  # of a group as a whole
    if error["type"] != "extra_forbidden":
        return f"setting {key}: {error['msg']}, got {error.get('input')!r}"
    group: Any = kind
    for parent in parents:
        group = group.model_fields[parent].annotation
    known = list(group.model_fields)
    return f"unknown setting {key!r}.{did_you_mean(last, known)} Known: {', '.join(known)}"
