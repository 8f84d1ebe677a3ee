"""A model as a representation, and the same network before it learned anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molvec.checkpoint import load_model
from molvec.data.source import sha256_of
from molvec.embed.embedder import Embedder
from molvec.embed.load import EMBEDDERS, carried_tensors, load, model_folder, of_molecules
from molvec.errors import UserError
from molvec.evaluate.representation import (
    PRETRAINED,
    RANDOM_START,
    Features,
    Representation,
    versions_key,
)
from molvec.featurize.kinds import featurizer_from_json
from molvec.nn.presets import build_encoder


class ModelFolder:
    """A model on disk, known by a hash of all that its embeddings depend on.

    Args:
        model: a run, a model folder, or the name of a shipped model.
        device: where to embed.

    Raises:
        UserError: if there is no such model.
    """

    def __init__(self, model: str | Path, *, device: str = "auto") -> None:
        self.given = str(model)
        self.folder = model_folder(model)
        self.device = device
        self.config, tensors = load_model(self.folder)
        self._carried = carried_tensors(tensors)
        self.weights_sha256 = sha256_of(self.folder / "model.safetensors")

    @property
    def architecture(self) -> dict[str, Any]:
        """What a network of the same shape needs: encoder, featuriser, readout."""
        return {name: self.config[name] for name in ("encoder", "featurizer", "readout")}

    @property
    def architecture_key(self) -> str:
        """Hash of the architecture."""
        return _hash(json.dumps(self.architecture, sort_keys=True))

    @property
    def random_key(self) -> str:
        """Hash of all that the network at random start depends on, but for the seed.

        That is the architecture, and of a network its edges, features and positions.
        """
        if not self._carried:
            return self.architecture_key
        digest = hashlib.sha256(self.architecture_key.encode())
        for name, tensor in sorted(self._carried.items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def grounding(self) -> str | None:
        """What the grounding term of its pretraining predicted; ``None`` without one."""
        settings = (self.config.get("training") or {}).get("settings", {})
        objective = settings.get("objective", {})
        return objective["grounding"] if objective.get("grounding_weight") else None

    @property
    def key(self) -> str:
        """Hash of architecture and weights, as they were when this object was made."""
        return _hash(self.architecture_key + self.weights_sha256)

    def about(self) -> dict[str, Any]:
        """What identifies the model, as plain data."""
        return {
            "path": self.given,  # as in the command: a shipped model's folder says nothing
            "key": self.key,
            "weights_sha256": self.weights_sha256,
            "encoder": self.config["encoder"],
            "readout": self.config["readout"],
            "training": self.config.get("training"),
        }

    def check_unchanged(self) -> None:
        """Refuse to go on if the weights on disk are no longer those the key stands for.

        Raises:
            UserError: if they changed.
        """
        if sha256_of(self.folder / "model.safetensors") != self.weights_sha256:
            raise UserError(f"{self.folder} changed while the suite ran; run it again")

    def require_molecules(self) -> None:
        """Refuse a model of anything else.

        Raises:
            UserError: if it is one.
        """
        of_molecules(load(self.folder, device=self.device))

    def representation(self) -> Representation:
        """Return the model's embeddings as a representation."""
        embedder = load(self.folder, device=self.device)
        self.check_unchanged()
        key = f"model-{self.key}-{versions_key()}"
        return Representation(PRETRAINED, key, _embedding(embedder))

    def random_start(self, seed: int) -> Representation:
        """Return the same network before training, drawn with ``seed``, as a representation."""
        key = f"random-{self.random_key}-{seed}-{versions_key()}"
        return Representation(RANDOM_START, key, _embedding(self.random_embedder(seed)), seed=seed)

    def random_embedder(self, seed: int) -> Embedder:
        """Return the same network before training, drawn with ``seed``."""
        featurizer = featurizer_from_json(self.config["featurizer"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = build_encoder(
                self.config["encoder"],
                node_sizes=featurizer.node_sizes,
                edge_sizes=featurizer.edge_sizes,
            )
        kind = EMBEDDERS[featurizer.kind]
        arguments = {"readout": self.config["readout"], "device": self.device}
        return kind(encoder, featurizer, data=self._carried, **arguments)


def _embedding(embedder: Embedder) -> Callable[[Sequence[str]], Features]:
    def compute(smiles: Sequence[str]) -> Features:
        x: Features = embedder.embed(list(smiles), on_error="raise")
        finite = np.isfinite(x).all(axis=1)
        if not finite.all():
            raise UserError(
                f"the model's embedding of {smiles[int(np.argmin(finite))]} is not finite: its "
                "weights are damaged, or its training diverged"
            )
        return x

    return compute


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
