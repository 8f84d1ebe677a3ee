"""From a path to an embedder; what is no model, and what was one once."""

import json
import shutil

import pytest

import molvec
from molvec.embed import load
from molvec.embed.load import model_folder
from molvec.errors import UserError


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run.model, tmp_path / "copy")


def edit(folder, change):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def test_run_model_or_file(run):
    for path in (run.folder, str(run.folder), run.model, run.model / "config.json"):
        assert model_folder(path) == run.model
    assert model_folder(run.model / "model.safetensors") == run.model
    assert molvec.load(run.folder).dim == 64


def test_training_travels_with_the_model(run, embedder):
    assert embedder.config["training"]["steps"] == 40
    assert embedder.config["molvec_version"] == molvec.__version__
    assert embedder.node_dim == embedder.dim == 64


def test_vocabulary_travels_with_the_model(copy):
    """A model keeps the vocabulary it was trained with, whatever this version's own is."""

    def forget_fluorine(config):
        elements = config["featurizer"]["atom"]["element"]
        elements[elements.index(9)] = 999

    before = load(copy).embed(["CF", "CCl"])
    edit(copy, forget_fluorine)
    after = load(copy).embed(["CF", "CCl"])
    assert abs(after[0] - before[0]).max() > 1e-3
    assert abs(after[1] - before[1]).max() == 0


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "missing or damaged"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "missing or damaged"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(
                (folder / "model.safetensors").read_bytes()[:-100]
            ),
            "missing or damaged",
        ),
        (lambda folder: (folder / "config.json").write_text('{"format'), "damaged or unreadable"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe"), "damaged or unreadable"),
        (lambda folder: (folder / "config.json").write_text("[]"), "damaged"),
        (
            lambda folder: edit(folder, lambda c: c.update(format_version=2)),
            "has format version 2, this molvec reads 1; use the molvec version that wrote it",
        ),
        (
            lambda folder: edit(folder, lambda c: c.pop("format_version")),
            "format version None",
        ),
        (lambda folder: edit(folder, lambda c: c.pop("encoder")), "KeyError: 'encoder'"),
        (
            lambda folder: edit(folder, lambda c: c["encoder"].update(depth=4)),
            "RuntimeError: .*loading state_dict",
        ),
        (
            lambda folder: edit(folder, lambda c: c["encoder"].update(dim=32)),
            "RuntimeError: .*loading state_dict",
        ),
        (lambda folder: edit(folder, lambda c: c["encoder"].update(wings=2)), "wings"),
        (
            lambda folder: edit(folder, lambda c: c["encoder"].update(family="mamba")),
            "unknown encoder family 'mamba'",
        ),
        (lambda folder: edit(folder, lambda c: c.update(encoder=[1])), "does not fit"),
        (lambda folder: edit(folder, lambda c: c.update(readout="median")), "readout 'median'"),
        (lambda folder: edit(folder, lambda c: c["featurizer"].update(atom=[])), "does not fit"),
        (
            lambda folder: edit(folder, lambda c: c["featurizer"]["atom"].pop("ring")),
            "atom features must be",
        ),
    ],
)
def test_damaged_model(damage, message, copy):
    damage(copy)
    with pytest.raises(UserError, match=message) as caught:
        load(copy)
    assert len(str(caught.value).splitlines()) == 1


def test_no_model(run, tmp_path):
    with pytest.raises(UserError, match=r"there is no model 'zink-2d'\. Did you mean 'zinc-2d'\?"):
        load("zink-2d")
    with pytest.raises(UserError, match="is not a model: expected a run folder or a model folder"):
        load(tmp_path)
    (tmp_path / "config.yaml").touch()
    with pytest.raises(UserError, match=r"has no model yet; finish it: molvec pretrain --resume"):
        load(tmp_path)
    (tmp_path / "file.pt").touch()
    with pytest.raises(UserError, match="is not a model"):
        load(tmp_path / "file.pt")
