"""Plain data on disk: nested dicts, lists, numbers, strings and tensors. Nothing is pickled.

A saved tree is a folder of two files: ``tree.json`` holds the structure, with a reference in place
of every tensor, and ``tensors.safetensors`` holds the tensors. A model folder is ``config.json``,
``model.safetensors`` and ``card.md``. Folders are written under a temporary name and renamed, so a
killed process leaves the old one or the new one, never half of one (but for the moment between two
renames, when neither is there).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from molvec.errors import UserError

FORMAT_VERSION = 1
_TENSOR = "__tensor__"

Tree = dict[str, Any]
"""JSON values and tensors, nested in dicts with string keys and in lists."""


def save_tree(folder: Path, tree: Mapping[str, Any]) -> None:
    """Write a tree to ``folder``, replacing what is there.

    Raises:
        TypeError: for a value that is neither JSON nor a tensor.
        UserError: if the disk is full or the folder is not writable.
    """
    tensors: dict[str, Tensor] = {}
    plain = _detach(tree, "", tensors)
    document = json.dumps({"format_version": FORMAT_VERSION, "tree": plain}, allow_nan=True)

    def write(temporary: Path) -> None:
        (temporary / "tree.json").write_text(document, encoding="utf-8")
        _write_tensors(tensors, temporary / "tensors.safetensors", temporary / "tree.json")

    _replace_folder(folder, write)


def load_tree(folder: Path) -> Tree:
    """Read what :func:`save_tree` wrote; tensors arrive on the CPU.

    Raises:
        UserError: if the folder is missing, damaged or of another format version.
    """
    document = _read_json(folder / "tree.json")
    _check_version(document, folder)
    tensors = _read_tensors(folder / "tensors.safetensors")
    try:
        tree = _attach(document["tree"], tensors)
    except KeyError as error:
        raise UserError(f"{folder} is damaged: it lacks {error}") from None
    assert isinstance(tree, dict)
    return tree


def save_model(
    folder: Path, *, config: Mapping[str, Any], tensors: Mapping[str, Tensor], card: str
) -> None:
    """Write a model folder: ``config.json``, ``model.safetensors``, ``card.md``."""
    document = json.dumps({"format_version": FORMAT_VERSION, **config}, indent=2)

    def write(temporary: Path) -> None:
        (temporary / "config.json").write_text(document + "\n", encoding="utf-8")
        own = {name: _own(tensor) for name, tensor in tensors.items()}
        _write_tensors(own, temporary / "model.safetensors", temporary / "config.json")
        (temporary / "card.md").write_text(card, encoding="utf-8")

    _replace_folder(folder, write)


def load_model(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a model folder: its config and its tensors.

    Raises:
        UserError: if the folder is no model folder, is damaged, or needs a newer molvec.
    """
    config = _read_json(folder / "config.json")
    _check_version(config, folder)
    return config, _read_tensors(folder / "model.safetensors")


def _own(tensor: Tensor) -> Tensor:
    """Return a contiguous CPU copy; safetensors refuses memory shared between names."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def _detach(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Replace tensors by references; ``path`` names them."""
    if isinstance(value, Tensor):
        while path in tensors:  # {"a/b": ...} beside {"a": {"b": ...}}
            path += "_"
        tensors[path] = _own(value)
        return {_TENSOR: path}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"keys must be strings at {path or 'the root'}")
        return {key: _detach(item, f"{path}/{key}", tensors) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_detach(item, f"{path}/{i}", tensors) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"cannot save {type(value).__name__} at {path}")


def _attach(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if _TENSOR in value:
            return tensors[value[_TENSOR]]
        return {key: _attach(item, tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_attach(item, tensors) for item in value]
    return value


def _write_tensors(tensors: dict[str, Tensor], path: Path, beside: Path) -> None:
    """Write tensors; whoever may read the file beside them may read them, too."""
    save_file(tensors, path)  # for the owner's eyes only
    shutil.copymode(beside, path)


def _replace_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Fill a temporary sibling with ``write``, then put it in the place of ``folder``.

    An empty folder is filled where it stands: it may be a mount, or where a shell is.
    """
    given, folder = folder, folder.absolute()
    empty = folder.is_dir() and not any(folder.iterdir())
    temporary = (folder if empty else folder.parent) / f".{folder.name}.{os.getpid()}.tmp"
    retired = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        write(temporary)
        for path in temporary.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if empty:
            last = "config.json", "tree.json"  # without which a folder is no model and no tree
            for path in sorted(temporary.iterdir(), key=lambda path: path.name in last):
                path.rename(folder / path.name)
            return
        if folder.exists():
            folder.rename(retired)
        temporary.rename(folder)
    except (OSError, SafetensorError) as error:
        raise UserError(f"cannot write {given}: {_reason(error)}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if retired.exists() and not folder.exists():
            retired.rename(folder)
        shutil.rmtree(retired, ignore_errors=True)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path.parent} has no {path.name}: not a molvec model or checkpoint"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged or unreadable: {error}") from error
    if not isinstance(document, dict):
        raise UserError(f"{path} is damaged: expected an object")
    return document


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} is missing or damaged: {error}") from error


def _check_version(document: Mapping[str, Any], folder: Path) -> None:
    version = document.get("format_version")
    if version != FORMAT_VERSION:
        raise UserError(
            f"{folder} has format version {version}, this molvec reads {FORMAT_VERSION}; "
            "use the molvec version that wrote it, or train again"
        )
