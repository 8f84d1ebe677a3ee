"""Where and with what a number was measured: every result file carries this."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import molvec

_PACKAGES = ("torch", "torch-geometric", "rdkit", "scikit-learn", "numpy")


def describe() -> dict[str, str]:
    """Return commit, versions, processor and threads."""
    import torch

    return {
        "commit": commit(),
        "molvec": molvec.__version__,
        "python": platform.python_version(),
        **{name.replace("-", "_"): _version(name) for name in _PACKAGES},
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
    }


def software(*packages: str) -> str:
    """Return versions in one line, for keys of what is kept on disk: "molvec 0.1.0, torch 2.13"."""
    versions = (f"{name} {_version(name)}" for name in packages)
    return ", ".join((f"molvec {molvec.__version__}", *versions))


def commit() -> str:
    """Return the commit of the source tree this runs from, or "none" for an installed package.

    "-dirty" is added if files differ from the commit.
    """
    folder = Path(__file__).resolve().parents[1]
    if not (folder / ".git").exists():
        return "none"
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return "none"
    return done.stdout.strip() or "none"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # unusual ways of installing leave no metadata
        return "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
