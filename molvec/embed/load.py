"""From a name or a path to an embedder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from molvec.checkpoint import load_model
from molvec.embed.chains import ChainEmbedder
from molvec.embed.conformers import ConformerEmbedder
from molvec.embed.embedder import Embedder
from molvec.embed.network import NetworkEmbedder
from molvec.errors import UserError, did_you_mean
from molvec.featurize.kinds import featurizer_from_json
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.nn.head import GraphHead
from molvec.nn.presets import build_encoder
from molvec.nn.readout import READOUTS, graph_width
from molvec.shipped import shipped_models

EMBEDDERS: dict[str, type[Embedder]] = {
    "molecule": Embedder,
    "conformer": ConformerEmbedder,
    "protein": ChainEmbedder,
    "network": NetworkEmbedder,
}
"""By what a model was trained on, the ``kind`` of its featuriser."""

HEAD = "head."
"""What the names of a head's tensors begin with."""
CARRIED = "network."
"""What the names of tensors begin with that a model carries of its data, the edges of a network;
all but these and a head's are the encoder's."""


def load(model: str | Path, *, device: str = "auto") -> Embedder:
    """Load a model.

    Args:
        model: a run folder, a model folder, a file of one (``config.json``), or the name of a
            shipped model.
        device: ``"auto"`` (CUDA if there is one), or a torch device.

    Raises:
        UserError: if there is no such model, or it is damaged or of another version.
    """
    folder = model_folder(model)
    config, tensors = load_model(folder)
    try:
        featurizer = featurizer_from_json(config["featurizer"])
        encoder = build_encoder(
            config["encoder"],
            node_sizes=featurizer.node_sizes,
            edge_sizes=featurizer.edge_sizes,
        )
        encoder.load_state_dict(encoder_tensors(tensors))
        readout = config["readout"]
        wide = graph_width(readout, encoder) if readout in READOUTS else encoder.dim
        head = _head(config, tensors, width=wide)
        targets = config["head"]["targets"] if head is not None else ()
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"{folder} does not fit this molvec ({_first_line(error)}); "
            "use the version that wrote it, or train again"
        ) from error
    try:
        return EMBEDDERS[featurizer.kind](
            encoder,
            featurizer,
            readout=readout,
            config=config,
            device=device,
            head=head,
            targets=targets,
            data=carried_tensors(tensors),
        )
    except KeyError as error:
        raise UserError(f"{folder} is damaged: it lacks {error} of the network") from None


def of_molecules(embedder: Embedder) -> MoleculeFeaturizer:
    """Return the featuriser of a model of molecules.

    Raises:
        UserError: if it is a model of something else.
    """
    if not isinstance(embedder.featurizer, MoleculeFeaturizer):
        raise UserError(f"this needs a model of molecules, not of {embedder.featurizer.kind}s")
    return embedder.featurizer


def encoder_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the encoder's part of a model's tensors."""
    others = (HEAD, CARRIED)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(others)}


def carried_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what a model's tensors hold of its data, by name: the edges of a network."""
    return {n.removeprefix(CARRIED): t for n, t in tensors.items() if n.startswith(CARRIED)}


def _head(config: dict[str, Any], tensors: dict[str, Tensor], *, width: int) -> GraphHead | None:
    """Build the head of a fine-tuned model; ``None`` for a model without one."""
    if "head" not in config:
        return None
    described = config["head"]
    head = GraphHead(
        width=width,
        num_targets=len(described["targets"]),
        task=described["task"],
        hidden=described["hidden"],
    )
    head.load_state_dict(
        {name.removeprefix(HEAD): t for name, t in tensors.items() if name.startswith(HEAD)}
    )
    return head


def model_folder(model: str | Path) -> Path:
    """Find the model folder that a run folder, a model folder, a file or a name stands for.

    What is on disk comes before a shipped model of the same name.

    Raises:
        UserError: if there is none.
    """
    path = Path(model)
    if path.is_file() and (path.parent / "config.json").exists():
        return path.parent
    for folder in (path, path / "model"):
        if (folder / "config.json").exists():
            return folder
    if (path / "config.yaml").exists():
        raise UserError(
            f"the run {path} has no model yet; finish it: molvec pretrain --resume {path}"
        )
    if path.exists():
        raise UserError(f"{path} is not a model: expected a run folder or a model folder")
    shipped = shipped_models()
    if str(model) in shipped:
        return shipped[str(model)]
    raise UserError(
        f"there is no model {str(model)!r}.{did_you_mean(str(model), shipped)} Give the name of a "
        f"shipped one ({', '.join(shipped)}), or a run folder, e.g. the one that "
        "`molvec pretrain zinc --output runs/zinc` makes"
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
