"""From a name or a path to an embedder."""

from __future__ import annotations

from pathlib import Path

from molvec.checkpoint import load_model
from molvec.embed.embedder import Embedder
from molvec.errors import UserError
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.nn.presets import build_encoder


def load(model: str | Path, *, device: str = "auto") -> Embedder:
    """Load a model.

    Args:
        model: a run folder, a model folder, or a file of one (``config.json``).
        device: ``"auto"`` (CUDA if there is one), or a torch device.

    Raises:
        UserError: if there is no such model, or it is damaged or of another version.
    """
    folder = model_folder(model)
    config, tensors = load_model(folder)
    try:
        featurizer = MoleculeFeaturizer.from_json(config["featurizer"])
        encoder = build_encoder(
            config["encoder"],
            node_sizes=featurizer.node_sizes,
            edge_sizes=featurizer.edge_sizes,
        )
        encoder.load_state_dict(tensors)
        readout = config["readout"]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"{folder} does not fit this molvec ({_first_line(error)}); "
            "use the version that wrote it, or train again"
        ) from error
    return Embedder(encoder, featurizer, readout=readout, config=config, device=device)


def model_folder(model: str | Path) -> Path:
    """Find the model folder that a name, a run folder or a file stands for.

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
    raise UserError(
        f"there is no model {str(model)!r}; give a run folder, e.g. the one that "
        "`molvec pretrain zinc --output runs/zinc` makes"
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
