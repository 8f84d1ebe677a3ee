"""molvec: data2vec for graphs and 3D point clouds.

``molvec.load(model).embed(smiles)`` embeds molecules; ``molvec.pretrain(settings, output=...)``
makes a model; ``molvec.finetune(...)`` teaches it labels; ``molvec.benchmark(...)`` says whether it
is any good. Everything is imported on first use, so ``import molvec`` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = {
    "load": "molvec.embed",
    "Embedder": "molvec.embed",
    "MolvecTransformer": "molvec.embed",
    "pretrain": "molvec.pretraining",
    "resume": "molvec.pretraining",
    "finetune": "molvec.finetuning",
    "load_settings": "molvec.config",
    "PretrainSettings": "molvec.settings",
    "FinetuneSettings": "molvec.settings",
    "benchmark": "molvec.benchmarking",
    "BenchmarkSettings": "molvec.benchmarking",
    "UserError": "molvec.errors",
}

__all__ = ["__version__", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'molvec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
