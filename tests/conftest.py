"""What many tests share: a cache of their own, a few molecules, and one small pretrained run."""

import os
import shutil
import sys
from itertools import islice
from pathlib import Path

import pytest

MOLECULES = 48

# Networks of tests are tiny: threads gain nothing, and on a busy machine their barriers cost a
# factor of ten. Before torch is imported; subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(session_cache, monkeypatch):
    """No test reads or writes the user's cache, nor obeys the user's mirror."""
    monkeypatch.setenv("MOLVEC_CACHE", str(session_cache))
    monkeypatch.delenv("MOLVEC_MIRROR", raising=False)


@pytest.fixture
def no_tblite(monkeypatch):
    """An installation without the extra ``xtb``."""
    from molvec.featurize import xtb

    xtb._program.cache_clear()
    monkeypatch.setitem(sys.modules, "tblite.interface", None)
    yield
    xtb._program.cache_clear()


@pytest.fixture(scope="session")
def smiles():
    """Real molecules of 2 to 40 atoms: the first usable ones of the NCI set."""
    from rdkit import Chem, RDConfig, rdBase

    def usable(text):
        mol = Chem.MolFromSmiles(text)
        return mol is not None and 2 <= mol.GetNumAtoms() <= 40

    path = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"
    texts = (line.split()[0] for line in path.read_text().splitlines())
    with rdBase.BlockLogs():
        return list(islice(filter(usable, texts), MOLECULES))


@pytest.fixture(scope="session")
def smiles_file(smiles, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "molecules.smi"
    path.write_text("".join(f"{text}\n" for text in smiles))
    return path


@pytest.fixture(scope="session")
def make_settings(smiles_file):
    """Settings of a run of seconds; overrides by dotted key, e.g. ``{"mask.views": 2}``."""
    from molvec.config import load_settings

    def make(overrides=None, **more):
        base = {
            "data.source": str(smiles_file),
            "data.workers": 0,
            "encoder.preset": "tiny",
            "encoder.readout": "mean",
            "student.predictor_width": 32,
            "student.predictor_depth": 1,
            "mask.views": 2,
            "steps": 14,
            "batch_size": 8,
            "accelerator": "cpu",
            "precision": "32-true",
            "log_every": 3,
            "checkpoint_every": 4,
        }
        return load_settings(None, base | (overrides or {}) | more)

    return make


@pytest.fixture(scope="session")
def run(make_settings, session_cache, tmp_path_factory):
    """A finished run of 40 steps. Do not write into its folder."""
    from molvec.pretraining import pretrain

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLVEC_CACHE", str(session_cache))
        return pretrain(
            make_settings({"optimizer.lr": 3e-3}, steps=40, checkpoint_every=20),
            output=tmp_path_factory.mktemp("runs") / "tiny",
        )


@pytest.fixture(scope="session")
def embedder(run):
    from molvec.embed import load

    return load(run.folder, device="cpu")


@pytest.fixture
def cli(monkeypatch, capsys):
    """Call the entry point in this process: ``cli("embed", ...)`` -> exit code, stdout, stderr."""
    from molvec.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["molvec", *map(str, arguments)])
        capsys.readouterr()
        try:
            main.run()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def refused(cli):
    """Call a command that must end as a user error: one line, exit code 2; return the message."""

    def call(*arguments):
        code, out, err = cli(*arguments)
        assert (code, out) == (2, ""), err
        assert err.startswith("molvec: ")
        assert err.endswith("\n")
        assert len(err.splitlines()) == 1, err
        assert "Traceback" not in err
        return err.removeprefix("molvec: ").strip()

    return call


@pytest.fixture(scope="session")
def straight(make_settings, session_cache, tmp_path_factory):
    """The run that is never interrupted, with the default test settings."""
    from molvec.pretraining import pretrain

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLVEC_CACHE", str(session_cache))
        return pretrain(make_settings(), output=tmp_path_factory.mktemp("straight") / "run").folder


@pytest.fixture
def started(straight, tmp_path):
    """A copy of the straight run, to be damaged; checkpoints at steps 12 and 14."""
    return shutil.copytree(straight, tmp_path / "started")


@pytest.fixture(scope="session")
def tuned(run, smiles, tmp_path_factory):
    """A model fine-tuned for a few epochs on two targets. Do not write into its folder."""
    from rdkit import Chem

    from molvec.config import load_finetune_settings
    from molvec.finetuning import finetune
    from tests.labels import labelled, split_of

    mols = [Chem.MolFromSmiles(text) for text in smiles]
    targets = {
        "atoms": [float(mol.GetNumAtoms()) for mol in mols],
        "rings": [float(mol.GetRingInfo().NumRings()) for mol in mols],
    }
    folder = tmp_path_factory.mktemp("tuned") / "model"
    finetune(
        labelled(smiles, targets, "regression"),
        split_of(len(smiles), valid=8, test=8),
        model=run.folder,
        settings=load_finetune_settings(
            {"epochs": 8, "lr": 3e-3, "batch_size": 8, "readout": "mean_sum"}
        ),
        output=folder,
    )
    return folder
