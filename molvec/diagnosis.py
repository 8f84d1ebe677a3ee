"""What ``molvec doctor`` looks at."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import molvec


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis."""

    name: str
    ok: bool
    text: str


def diagnose() -> list[Finding]:
    """Run every check; a check that raises is a finding, not a crash."""
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: f"{platform.python_version()} on {platform.machine()}",
        "packages": _packages,
        "torch-scatter": _scatter,
        "device": _device,
        "precision": _precision,
        "cache": _cache,
        "data": _data,
        "self-test": _self_test,
    }
    return [_run(name, check) for name, check in checks.items()]


def _run(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}")


def _packages() -> str:
    names = ("torch", "torch-geometric", "rdkit", "lightning-fabric", "numpy", "pyarrow")
    others = (f"{name} {importlib.metadata.version(name)}" for name in names)
    return ", ".join((f"molvec {molvec.__version__}", *others))


def _scatter() -> str:
    if importlib.util.find_spec("torch_scatter") is None:
        return "not installed; optional, results are the same (pip install 'molvec[scatter]')"
    return importlib.metadata.version("torch-scatter")


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"CUDA: {torch.cuda.get_device_name()}"
    return f"CPU: {torch.get_num_threads()} threads on {os.cpu_count()} cores"


def _precision() -> str:
    from molvec.train.precision import resolve_precision

    training = resolve_precision("auto", "auto")
    return f"training in {training}; equivariant encoders, and embedding, in 32-true"


def _cache() -> str:
    from molvec.data.source import cache_folder

    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder):
        pass
    free = shutil.disk_usage(folder).free / 1e9
    if free < 1:
        raise OSError(f"{folder} has {free:.1f} GB left; set MOLVEC_CACHE to another folder")
    return f"{folder}, {free:,.0f} GB free"


def _data() -> str:
    from molvec.data.card import load_card
    from molvec.data.source import fetch

    mirror = os.environ.get("MOLVEC_MIRROR")
    if mirror and not Path(mirror).is_dir():
        raise OSError(f"MOLVEC_MIRROR is {mirror}, which is no folder")
    fetch(load_card("nci"))
    return f"nci is here; MOLVEC_MIRROR is {mirror or 'not set'}"


def _self_test() -> str:
    import numpy as np

    from molvec.config import parse_settings
    from molvec.embed.embedder import Embedder
    from molvec.featurize.molecule import MoleculeFeaturizer
    from molvec.pretraining import build_model

    featurizer = MoleculeFeaturizer()
    settings = parse_settings({"encoder": {"preset": "tiny"}})
    embedder = Embedder(build_model(settings, featurizer).teacher, featurizer, device="cpu")
    alone = embedder.embed("CCO")
    together = embedder.embed(["c1ccccc1", "CCO", "not a molecule"])
    error = float(np.abs(together[1] - alone[0]).max())
    if error > 1e-5 or not np.isnan(together[2]).all():
        raise RuntimeError(f"ethanol's embedding changed by {error:.1e} in a batch")
    return f"embedded ethanol alone and in a batch; difference {error:.0e} (limit 1e-5)"
