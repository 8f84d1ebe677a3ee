"""Plain data on disk: all of it back, all or nothing, and no change of structure by accident."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

import molvec.checkpoint
from molvec.checkpoint import FORMAT_VERSION, load_model, load_tree, save_model, save_tree
from molvec.errors import UserError
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.pretraining import build_model, pretrain
from molvec.train.optimizer import build_optimizer
from molvec.train.state import restore, training_state

GOLDEN = Path(__file__).parent / "checkpoint_structure.json"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- trees ------------------------------------------------------------------------------------


def test_plain_values(tmp_path):
    tree = {
        "none": None,
        "bool": True,
        "int": 2**62,
        "float": 0.1,
        "text": "Grüße\n",
        "list": [1, [2.5, {"deep": "x"}], []],
        "empty": {},
        "": {"/": {".": 1}},
    }
    save_tree(tmp_path / "a", tree)
    loaded = load_tree(tmp_path / "a")
    assert loaded == tree
    assert type(loaded["bool"]) is bool
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["tensors.safetensors", "tree.json"]


def test_not_finite_floats(tmp_path):
    save_tree(tmp_path / "a", {"x": [float("nan"), float("inf"), -float("inf")]})
    nan, inf, minus = load_tree(tmp_path / "a")["x"]
    assert nan != nan
    assert (inf, minus) == (float("inf"), -float("inf"))


def test_tuples_become_lists(tmp_path):
    save_tree(tmp_path / "a", {"x": (1, (2, 3))})
    assert load_tree(tmp_path / "a") == {"x": [1, [2, 3]]}


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
        torch.tensor([True, False]),
        torch.tensor([2**60, -1]),
        torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        torch.tensor([1.5], dtype=torch.float16),
        torch.tensor([1e-300], dtype=torch.float64),
        torch.arange(4, dtype=torch.uint8),
        torch.tensor(3.5),
        torch.tensor(7),
        torch.zeros(0),
        torch.zeros(2, 0, 3, dtype=torch.int64),
        torch.arange(6).reshape(2, 3).T,
        torch.arange(10.0)[::3],
        torch.tensor([float("nan"), float("inf")]),
    ],
    ids=lambda tensor: f"{tensor.dtype}-{tuple(tensor.shape)}",
)
def test_tensors(tensor, tmp_path):
    save_tree(tmp_path / "a", {"x": tensor, "deep": [{"y": tensor}]})
    loaded = load_tree(tmp_path / "a")
    for found in (loaded["x"], loaded["deep"][0]["y"]):
        assert found.dtype == tensor.dtype
        assert found.shape == tensor.shape
        assert torch.equal(found.nan_to_num(9), tensor.nan_to_num(9))


def test_shared_memory_and_gradients(tmp_path):
    weight = torch.nn.Parameter(torch.randn(4))
    save_tree(tmp_path / "a", {"x": weight, "same": weight, "part": weight[:2]})
    loaded = load_tree(tmp_path / "a")
    assert torch.equal(loaded["x"], weight)
    assert torch.equal(loaded["same"], weight)
    assert torch.equal(loaded["part"], weight[:2])
    assert not loaded["x"].requires_grad


def test_names_that_look_alike(tmp_path):
    tree = {"a/b": torch.tensor(1), "a": {"b": torch.tensor(2)}, "a/b_": torch.tensor(3)}
    save_tree(tmp_path / "a", tree)
    loaded = load_tree(tmp_path / "a")
    assert (loaded["a/b"], loaded["a"]["b"], loaded["a/b_"]) == (1, 2, 3)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"a": {"b": [0, object()]}}, "cannot save object at /a/b/1"),
        ({"a": {1: 2}}, "keys must be strings at /a"),
        ({1: 2}, "keys must be strings at the root"),
        ({"set": {3}}, "cannot save set at /set"),
    ],
)
def test_what_is_no_plain_data(tree, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save_tree(tmp_path / "a", tree)
    assert names(tmp_path) == []


# --- all or nothing ---------------------------------------------------------------------------


def test_replace(tmp_path):
    save_tree(tmp_path / "a", {"x": 1})
    save_tree(tmp_path / "a", {"x": 2})
    assert load_tree(tmp_path / "a") == {"x": 2}
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_while_writing(error, tmp_path, monkeypatch):
    save_tree(tmp_path / "a", {"x": 1})

    def fail(tensors, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(molvec.checkpoint, "save_file", fail)
    expected = UserError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        save_tree(tmp_path / "a", {"x": 2})
    assert load_tree(tmp_path / "a") == {"x": 1}
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_failure_between_the_two_renames(error, tmp_path, monkeypatch):
    save_tree(tmp_path / "a", {"x": 1})
    rename = Path.rename

    def fail(self, target):
        if self.suffix == ".tmp":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises((UserError, KeyboardInterrupt)):
        save_tree(tmp_path / "a", {"x": 2})
    assert load_tree(tmp_path / "a") == {"x": 1}
    assert names(tmp_path) == ["a"]


def test_killed_while_writing(tmp_path):
    """A process that dies while it writes leaves the old folder as it was."""
    save_tree(tmp_path / "a", {"x": 1})
    child = os.fork()
    if child == 0:
        molvec.checkpoint.save_file = lambda tensors, path: os._exit(9)
        save_tree(tmp_path / "a", {"x": 2})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert load_tree(tmp_path / "a") == {"x": 1}


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*file.a: "):
        save_tree(tmp_path / "file" / "a", {"x": 1})


# --- damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("tree.json", "", "damaged or unreadable"),
        ("tree.json", "[1]", "expected an object"),
        ("tree.json", '{"format_version": 1}', "it lacks 'tree'"),
        ("tree.json", '{"tree": {}}', "format version None"),
        ("tree.json", '{"format_version": 99, "tree": {}}', "has format version 99, .* reads 1"),
        (
            "tree.json",
            '{"format_version": 1, "tree": {"x": {"__tensor__": "/y"}}}',
            "it lacks '/y'",
        ),
        ("tensors.safetensors", "", "missing or damaged"),
        ("tensors.safetensors", "abcdefgh" * 20, "missing or damaged"),
    ],
)
def test_damaged_tree(file, content, message, tmp_path):
    save_tree(tmp_path / "a", {"x": torch.zeros(3)})
    (tmp_path / "a" / file).write_text(content)
    with pytest.raises(UserError, match=message):
        load_tree(tmp_path / "a")


def test_missing_files(tmp_path):
    with pytest.raises(UserError, match=r"has no tree\.json: not a molvec model or checkpoint"):
        load_tree(tmp_path)
    with pytest.raises(UserError, match=r"has no config\.json"):
        load_model(tmp_path)
    save_tree(tmp_path / "a", {"x": 1})
    (tmp_path / "a" / "tensors.safetensors").unlink()
    with pytest.raises(UserError, match="missing or damaged"):
        load_tree(tmp_path / "a")


# --- model folders ----------------------------------------------------------------------------


def test_model_folder(tmp_path):
    weight = torch.randn(3, 2)
    save_model(
        tmp_path / "m",
        config={"readout": "mean", "nested": {"x": [1]}},
        tensors={"w": weight, "v": weight},
        card="# Karte, ü",
    )
    assert names(tmp_path / "m") == ["card.md", "config.json", "model.safetensors"]
    config, tensors = load_model(tmp_path / "m")
    assert config == {"format_version": FORMAT_VERSION, "readout": "mean", "nested": {"x": [1]}}
    assert torch.equal(tensors["w"], weight)
    assert torch.equal(tensors["v"], weight)
    assert (tmp_path / "m" / "card.md").read_text(encoding="utf-8") == "# Karte, ü"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_who_may_read_one_file_may_read_all(umask, tmp_path):
    before = os.umask(umask)
    try:
        save_model(tmp_path / "model", config={}, tensors={"w": torch.ones(2)}, card="")
        save_tree(tmp_path / "tree", {"w": torch.ones(2)})
    finally:
        os.umask(before)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 5
    assert {path.stat().st_mode & 0o777 for path in files} == {0o666 & ~umask}


def test_model_of_another_version(tmp_path):
    save_model(tmp_path / "m", config={}, tensors={"w": torch.zeros(1)}, card="")
    path = tmp_path / "m" / "config.json"
    path.write_text(json.dumps({"format_version": FORMAT_VERSION + 1}))
    with pytest.raises(UserError, match=f"version {FORMAT_VERSION + 1}, this molvec reads"):
        load_model(tmp_path / "m")


# --- structure --------------------------------------------------------------------------------


def shape_of(value):
    """Names and kinds of a tree, without its numbers."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}, {value.dim()}D"
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape_of(value[0]), "..."] if value else []
    return type(value).__name__


def structure(make_settings, folder):
    """What a small run saves: one block, every optional part switched on."""
    settings = make_settings(
        {
            "encoder.depth": 1,
            "encoder.local": True,
            "objective.graph_weight": 0.5,
            "objective.grounding_weight": 0.5,
        },
        steps=2,
    )
    pretrain(settings, output=folder)
    tree = load_tree(folder / "checkpoints" / "step-00000002")
    states = tree["optimizer"]["state"]
    tree["optimizer"]["state"] = {"0": states["0"]}  # the others are alike
    for group in tree["optimizer"]["param_groups"]:
        # What torch itself adds to a group differs from version to version.
        for name in set(group) - {"lr", "betas", "eps", "weight_decay", "params"}:
            del group[name]
    config, _ = load_model(folder / "model")
    config["training"].pop("settings")  # config.yaml: strict, see test_config.py
    return {
        "format_version": FORMAT_VERSION,
        "checkpoint": shape_of(tree),
        "config.json": shape_of(config),
    }


def test_structure(make_settings, tmp_path):
    """What is saved may change only together with FORMAT_VERSION.

    ``checkpoint_structure.json`` holds what format 1 looks like. If this test fails, an older
    checkpoint or model can no longer be read. Change it back, or raise FORMAT_VERSION and write
    the new structure: MOLVEC_WRITE_STRUCTURE=1 pytest tests/test_checkpoint.py
    """
    found = structure(make_settings, tmp_path / "run")
    if os.environ.get("MOLVEC_WRITE_STRUCTURE"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def test_state_goes_round(make_settings, run, tmp_path):
    """Saved, loaded and restored into fresh objects, a state is the same."""
    settings, featurizer = run.settings, MoleculeFeaturizer()
    source = run.folder / "checkpoints" / "step-00000040"
    torch.manual_seed(99)
    model = build_model(settings, featurizer)
    optimizer = build_optimizer(model, lr=1.0, weight_decay=0.5, betas=(0.1, 0.2))
    progress = restore(load_tree(source), model, optimizer)
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.98)
    assert progress.step == 40
    save_tree(tmp_path / "again", training_state(model, optimizer, progress))
    for file in ("tree.json", "tensors.safetensors"):
        assert (tmp_path / "again" / file).read_bytes() == (source / file).read_bytes()


def test_another_model_does_not_fit(make_settings, run, tmp_path):
    tree = load_tree(run.folder / "checkpoints" / "step-00000040")
    settings = make_settings({"encoder.depth": 2})
    model = build_model(settings, MoleculeFeaturizer())
    optimizer = build_optimizer(model, lr=1.0, weight_decay=0.5, betas=(0.1, 0.2))
    with pytest.raises(RuntimeError, match="Unexpected key"):
        restore(tree, model, optimizer)


def test_a_model_folder_can_be_moved(run, tmp_path):
    from molvec.embed import load

    shutil.copytree(run.model, tmp_path / "elsewhere")
    assert load(tmp_path / "elsewhere").dim == 64


def test_an_empty_folder_is_filled_where_it_stands(tmp_path, monkeypatch):
    """It may be a mount, or where a shell is."""
    (tmp_path / "m").mkdir()
    same = (tmp_path / "m").stat().st_ino
    monkeypatch.chdir(tmp_path / "m")
    save_model(Path(), config={"readout": "mean"}, tensors={"w": torch.ones(2)}, card="")
    assert names(tmp_path / "m") == ["card.md", "config.json", "model.safetensors"]
    assert names(tmp_path) == ["m"]
    assert (tmp_path / "m").stat().st_ino == same
    assert load_model(Path())[1]["w"].tolist() == [1, 1]


def test_failure_while_filling_an_empty_folder(tmp_path, monkeypatch):
    (tmp_path / "m").mkdir()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot write .*m: No space left on device"):
        save_model(tmp_path / "m", config={}, tensors={"w": torch.ones(2)}, card="")
    assert names(tmp_path / "m") == []
