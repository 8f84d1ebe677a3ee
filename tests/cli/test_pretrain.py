"""``molvec pretrain`` as typed: what it prints, its exit codes, and a run killed in the middle."""

import errno
import signal
import subprocess
import sys
import time

import pytest
import yaml

import molvec.checkpoint
from molvec.config import load_settings
from molvec.train.log import read_lines

SMALL = (
    *("--preset", "tiny", "--workers", "0", "--batch-size", "8", "--precision", "32-true"),
    *("--set", "mask.views=2", "--set", "student.predictor_depth=1", "--set", "accelerator=cpu"),
    *("--set", "log_every=1", "--set", "checkpoint_every=5"),
)


def write_smiles(path, rows):
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


@pytest.fixture
def run_until(monkeypatch):
    """Send a signal to this process when the run has logged a step."""
    from molvec.cli.display import TrainingDisplay

    def until(step, number):
        def update(self, progress, values, steps):
            if progress.step == step:
                signal.raise_signal(number)

        monkeypatch.setattr(TrainingDisplay, "update", update)

    return until


def test_from_a_file_to_a_model(cli, smiles_file, tmp_path):
    folder = tmp_path / "run"
    code, out, err = cli("pretrain", "--data", smiles_file, "-o", folder, "--steps", 3, *SMALL)
    assert (code, err) == (0, "")
    assert out.startswith("3 steps, 24 molecules in ")
    assert f"model in {folder / 'model'}" in " ".join(out.split("\n"))
    settings = load_settings(folder / "config.yaml")
    assert (settings.steps, settings.mask.views, settings.encoder.preset) == (3, 2, "tiny")
    assert settings.data.source == str(smiles_file)


def test_default_folder_and_relative_data(cli, smiles_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_smiles(tmp_path / "mine.smi", ["CCO", "CCN", "CCS"])
    assert cli("pretrain", "--data", "mine.smi", "--steps", 2, *SMALL)[0] == 0
    assert (tmp_path / "runs" / "mine" / "model" / "config.json").exists()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli("pretrain", "--resume", tmp_path / "runs" / "mine")[0] == 0


def test_a_recipe_and_what_is_put_over_it(cli, smiles_file, tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"steps: 3\nseed: 7\ndata: {{source: {smiles_file}}}\nmask: {{ratio: 0.3}}\n")
    code, *_ = cli("pretrain", recipe, "-o", tmp_path / "run", "--seed", 8, *SMALL)
    assert code == 0
    settings = load_settings(tmp_path / "run" / "config.yaml")
    assert (settings.steps, settings.seed) == (3, 8)
    assert (settings.mask.ratio, settings.mask.views) == (0.3, 2)


def test_three_percent_garbage(cli, smiles, tmp_path):
    rows = (smiles * 3)[:100]
    rows[10], rows[50], rows[90] = "garbage!", "c1ccc", "C(C)(C)(C)(C)C"
    source = write_smiles(tmp_path / "some.smi", rows)
    code, out, err = cli(
        "pretrain", "--data", source, "-o", tmp_path / "run", "--steps", 30, *SMALL
    )
    assert code == 0
    assert out.startswith("30 steps, ")
    assert err.startswith("skipped 3 of 100 rows: 2 not valid SMILES (rows ")
    assert "valence" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_interrupted(number, expected, cli, run_until, smiles_file, tmp_path):
    folder = tmp_path / "run"
    run_until(3, number)
    code, out, err = cli("pretrain", "--data", smiles_file, "-o", folder, "--steps", 9, *SMALL)
    assert code == expected
    assert out == ""
    assert err == (f"stopped at step 4 of 9; continue with: molvec pretrain --resume {folder}\n")
    code, out, err = cli("pretrain", "--resume", folder)
    assert (code, err) == (0, "")
    assert out.startswith("9 steps, 72 molecules")


# --- a real process, killed -------------------------------------------------------------------


def test_sigkill_and_resume(cli, smiles_file, tmp_path):
    """The model of a run that was killed is byte for byte that of one that was not."""
    command = [sys.executable, "-m", "molvec.cli.main", "pretrain"]
    steps = ("--data", str(smiles_file), "--steps", "60", *SMALL)
    straight, killed = tmp_path / "straight", tmp_path / "killed"

    process = subprocess.Popen([*command, *steps, "-o", str(killed)], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while len(read_lines(killed / "metrics.jsonl")) < 12:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (killed / "model").exists()
    reached = len(read_lines(killed / "metrics.jsonl"))
    assert 12 <= reached < 60

    resumed = subprocess.run(
        [*command, "--resume", str(killed)], capture_output=True, text=True, check=False
    )
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert resumed.stdout.startswith("60 steps, 480 molecules")
    assert cli("pretrain", *steps, "-o", straight)[0] == 0
    for file in ("model/model.safetensors", "checkpoints/step-00000060/tensors.safetensors"):
        assert (straight / file).read_bytes() == (killed / file).read_bytes()
    one, two = (
        [(line["step"], line["loss"]) for line in read_lines(folder / "metrics.jsonl")]
        for folder in (straight, killed)
    )
    assert [step for step, _ in two] == list(range(1, 61))
    assert one == two


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["zink"], ["no recipe 'zink'", "Did you mean 'zinc'?", "kg, nci, pdb, ppi, qm9, zinc"]),
        ([], ["molvec pretrain zinc", "--data FILE"]),
        (["--data", "nothing.smi"], ["there is no file", "nothing.smi"]),
        (["--data", "zinq"], ["neither a data set", "Did you mean 'zinc'?"]),
        (["nci", "--set", "mask.ratoi=0.5"], ["'mask.ratoi'", "Did you mean 'ratio'?"]),
        (["nci", "--set", "stepz=5"], ["unknown setting 'stepz'", "Did you mean 'steps'?"]),
        (["nci", "--set", "maks.ratio=0.5"], ["unknown setting 'maks'", "Did you mean 'mask'?"]),
        (["nci", "--set", "mask.ratio"], ["KEY=VALUE", "'mask.ratio'"]),
        (["nci", "--set", "mask.ratio=high"], ["setting mask.ratio", "number", "'high'"]),
        (["nci", "--set", "mask.ratio=1.5"], ["setting mask.ratio", "less than 1", "1.5"]),
        (["nci", "--set", "steps=1.5"], ["setting steps", "integer", "1.5"]),
        (["nci", "--set", "optimizer.lr=.inf"], ["setting optimizer.lr", "finite"]),
        (["nci", "--set", "mask=3"], ["setting mask", "3"]),
        (["nci", "--set", "steps.more=3"], ["steps is a single value"]),
        (["nci", "--set", "mask.ratio=[0.5"], ["the value of mask.ratio is not valid YAML"]),
        (["nci", "--steps", "0"], ["setting steps", "greater than 0", "0"]),
        (["nci", "--batch-size", "1"], ["setting batch_size", "2"]),
        (["nci", "--preset", "huge"], ["setting encoder.preset", "'tiny', 'small' or 'base'"]),
        (["nci", "--precision", "16"], ["setting precision", "'32-true'"]),
        (["nci", "--seed", "-1"], ["setting seed", "-1"]),
    ],
)
def test_wrong_arguments(arguments, parts, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused("pretrain", *arguments)
    for part in parts:
        assert part in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["is empty"]),
        ("# only a comment\n", ["is empty"]),
        ("- steps\n", ["must be a mapping"]),
        ("5000", ["must be a mapping"]),
        ("steps: [1\n", ["not valid YAML"]),
        ("steps: many\n", ["setting steps", "'many'"]),
        ("maks:\n  ratio: 0.5\n", ["'maks'", "Did you mean 'mask'?"]),
        ("mask:\n  ratoi: 0.5\n", ["'mask.ratoi'", "Did you mean 'ratio'?"]),
        ("mask:\n", ["setting mask"]),
        ("steps: many\nmask: {ratio: 2}\n", ["setting steps", "setting mask.ratio"]),
        ("1: 2\n", ["1"]),
    ],
)
def test_wrong_recipe(text, parts, refused, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text)
    message = refused("pretrain", recipe, "-o", tmp_path / "run")
    for part in parts:
        assert part in message
    assert not (tmp_path / "run").exists()


def test_recipe_missing_or_binary(refused, tmp_path):
    assert "cannot read the recipe" in refused("pretrain", tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot read the recipe" in refused("pretrain", tmp_path / "binary.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert "cannot read the recipe" in refused("pretrain", tmp_path / "folder.yaml")


@pytest.mark.parametrize("more", [["nci"], ["--steps", "5"], ["-o", "x"], ["--set", "seed=1"]])
def test_resume_takes_nothing_else(more, refused, run):
    assert "--resume continues a run with its own settings" in refused(
        "pretrain", "--resume", run.folder, *more
    )


def test_resume_of_no_run(refused, tmp_path):
    assert "is not a run folder" in refused("pretrain", "--resume", tmp_path)
    assert "is not a run folder" in refused("pretrain", "--resume", tmp_path / "none")
    (tmp_path / "config.yaml").touch()
    assert "config.yaml is empty" in refused("pretrain", "--resume", tmp_path)


def test_output_in_use(refused, smiles_file, run):
    before = sorted(path.name for path in run.folder.iterdir())
    message = refused("pretrain", "--data", smiles_file, "-o", run.folder)
    assert f"--resume {run.folder}" in message
    assert sorted(path.name for path in run.folder.iterdir()) == before


def test_output_not_writable(refused, smiles_file, tmp_path):
    (tmp_path / "file").touch()
    message = refused("pretrain", "--data", smiles_file, "-o", tmp_path / "file" / "run", *SMALL)
    assert "choose another --output" in message


def test_only_garbage(refused, cli, tmp_path):
    source = write_smiles(tmp_path / "bad.smi", ["xx", "molecule!", "a-b-c", "?"] * 8)
    message = refused("pretrain", "--data", source, "-o", tmp_path / "run", *SMALL)
    assert "nothing to learn from" in message
    assert "32 of 32 rows: 32 not valid SMILES" in message
    assert not (tmp_path / "run").exists()
    write_smiles(source, ["CCO", "CCN"])  # mended: the same command works
    command = ("pretrain", "--data", source, "-o", tmp_path / "run", "--steps", 2, *SMALL)
    assert cli(*command)[0] == 0


def test_wrong_column(refused, tmp_path):
    table = tmp_path / "mols.csv"
    table.write_text("id,structures,SMILES\n1,CCO,CCO\n2,CCN,CCN\n")
    message = refused(
        "pretrain", "--data", table, "--smiles-column", "smiles", "-o", tmp_path / "r"
    )
    assert "has no column 'smiles'" in message
    assert "Did you mean 'SMILES'?" in message
    assert "'structures'" in message


def test_disk_full(refused, cli, smiles_file, tmp_path, monkeypatch):
    save_file = molvec.checkpoint.save_file

    def full(tensors, path):
        if "step-00000010" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(tensors, path)

    monkeypatch.setattr(molvec.checkpoint, "save_file", full)
    folder = tmp_path / "run"
    message = refused("pretrain", "--data", smiles_file, "-o", folder, "--steps", 12, *SMALL)
    assert message.endswith("step-00000010: No space left on device")
    monkeypatch.setattr(molvec.checkpoint, "save_file", save_file)
    code, out, _ = cli("pretrain", "--resume", folder)
    assert code == 0
    assert out.startswith("12 steps, 96 molecules")


def test_collapse_is_no_traceback(cli, smiles_file, tmp_path):
    # Every molecule the same pair of atoms: there is nothing to tell apart.
    source = write_smiles(tmp_path / "same.smi", ["[H][H]"] * 16)
    code, _, err = cli("pretrain", "--data", source, "-o", tmp_path / "r", "--steps", 20, *SMALL)
    assert code == 1
    assert err.startswith("molvec: the representation has collapsed by step ")
    assert len(err.splitlines()) == 1


def test_config_is_what_was_asked(cli, smiles_file, tmp_path):
    folder = tmp_path / "run"
    cli("pretrain", "--data", smiles_file, "-o", folder, "--steps", 2, "--lr", "3e-4", *SMALL)
    tree = yaml.safe_load((folder / "config.yaml").read_text())
    assert tree["optimizer"]["lr"] == 3e-4
    assert tree["optimizer"]["betas"] == [0.9, 0.98]
    assert tree["keep"] == 2
