"""Protein chains go through the same pretraining, resume and embedding as molecules."""

import gzip
import signal

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from e3nn import o3

from molvec.config import load_settings
from molvec.embed.chains import ChainEmbedder
from molvec.embed.load import load
from molvec.errors import UserError
from molvec.pretraining import pretrain, resume
from molvec.records import Chain, chain_records, read_structure
from tests.runs import assert_same_run, log_of, stop_at
from tests.structures import mmcif, trace

RESIDUES = ("LEU", "GLY", "GLU", "TRP")


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structures")
    for i in range(12):
        lines = trace(24 + i).splitlines(keepends=True)
        rng = np.random.default_rng(i)
        named = [line.replace("ALA", rng.choice(RESIDUES)) for line in lines]
        (folder / f"good{i:02}.pdb").write_text("".join(named))
    (folder / "cut.cif.gz").write_bytes(b"\x1f\x8b\x08")
    (folder / "dna.pdb").write_text(
        "ATOM      1  P    DA A   1       1.000   2.000   3.000  1.00  0.00           P  \n"
    )
    (folder / "one.pdb").write_text(trace(1))
    return folder


@pytest.fixture(scope="module")
def settings(structures):
    return load_settings(
        "pdb",
        {
            "data.source": str(structures),
            "data.workers": 0,
            "encoder.preset": "tiny",
            "student.predictor_width": 16,
            "steps": 14,
            "batch_size": 4,
            "accelerator": "cpu",
            "precision": "32-true",
            "log_every": 3,
            "checkpoint_every": 4,
        },
    )


@pytest.fixture(scope="module")
def chain_run(settings, session_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOLVEC_CACHE", str(session_cache))
        return pretrain(settings, output=tmp_path_factory.mktemp("runs") / "pdb")


@pytest.fixture(scope="module")
def model(chain_run):
    return load(chain_run.folder, device="cpu")


def test_broken_files_are_named_and_the_rest_is_learned_from(chain_run):
    assert chain_run.progress.step == 14
    assert chain_run.progress.molecules == 56
    assert chain_run.skipped.startswith("skipped 3 of 15 files and 12 chains: ")
    for part in (
        "dna.pdb",
        "cut.cif.gz",
        "1 … residues, fewer than the limit of 20 (one.pdb: one_",
    ):
        assert part in chain_run.skipped
    log = log_of(chain_run.folder)
    assert log[-1]["loss"] < log[0]["loss"]


def test_one_file_in_twenty_may_be_broken(cli, tmp_path):
    folder = tmp_path / "structures"
    folder.mkdir()
    for i in range(95):
        (folder / f"good{i:02}.pdb").write_text(trace(20 + i % 5))
    (folder / "cut.cif.gz").write_bytes(gzip.compress(mmcif({"A": 300}).encode())[:2000])
    (folder / "dna.pdb").write_text(
        "ATOM      1  P    DA A   1       1.000   2.000   3.000  1.00  0.00           P  \n"
    )
    (folder / "no_ca.pdb").write_text(trace(30).replace(" CA ", " CB "))
    (folder / "one.pdb").write_text(trace(1))
    (folder / "huge.cif").write_text(mmcif({"A": 20_000}))
    arguments = ("--preset", "tiny", "--steps", 2, "--batch-size", 4, "--workers", 0)
    code, out, err = cli("pretrain", "pdb", "--data", folder, "-o", tmp_path / "run", *arguments)
    assert code == 0, err
    assert out.startswith("2 steps, 8 chains in ")
    assert err.startswith("skipped 5 of 100 files and 95 chains: ")
    for part in (
        "1 not a readable structure: ",
        "(cut.cif.gz)",
        "1 no protein residue with a CA atom (… nucleotides) (dna.pdb)",
        "1 no protein residue with a CA atom (… residues without CA) (no_ca.pdb)",
        "1 … residues, fewer than the limit of 20 (one.pdb: one_A)",
        "1 … residues, more than the limit of 1,000 (huge.cif: huge_A)",
    ):
        assert part in err


def test_an_interrupted_run_ends_as_if_it_was_not(settings, chain_run, tmp_path):
    stopped = pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGINT))
    assert stopped.progress.stopped_by == signal.SIGINT
    resume(tmp_path / "run")
    assert_same_run(chain_run.folder, tmp_path / "run")


def test_a_changed_folder_is_another_corpus(settings, chain_run, structures, tmp_path):
    stopped = pretrain(settings, output=tmp_path / "run", report=stop_at(6, signal.SIGINT))
    path = structures / "good00.pdb"
    text = path.read_text()
    try:
        path.write_text(text.replace("GLY", "ALA"))
        with pytest.raises(UserError, match="has changed since"):
            resume(stopped.folder)
    finally:
        path.write_text(text)


def test_chains_that_are_left_out_by_name(settings, tmp_path):
    (tmp_path / "names.txt").write_text("good03_A\nGOOD04_a\n\n")
    changed = settings.model_dump()
    changed["data"]["leave_out"] = str(tmp_path / "names.txt")
    run = pretrain(type(settings).model_validate(changed), output=tmp_path / "run")
    assert run.rows == 10
    assert "2 left out by name (good03.pdb: good03_A, good04.pdb: good04_A)" in run.skipped
    changed["data"]["leave_out"] = str(tmp_path / "none.txt")
    with pytest.raises(UserError, match=r"cannot read data.leave_out .*none\.txt"):
        pretrain(type(settings).model_validate(changed), output=tmp_path / "other")
    assert not (tmp_path / "other").exists()


# --- embedding --------------------------------------------------------------------------------


def test_rows_are_chains_and_files_without_one(model, structures):
    assert isinstance(model, ChainEmbedder)
    records = list(model.records(structures))
    assert [record.text for record in records[:3]] == ["cut.cif.gz", "dna.pdb", "good00_A"]
    vectors = model.embed(structures)
    assert vectors.shape == (15, 256)
    assert np.isnan(vectors).all(1).tolist() == [record.chain is None for record in records]
    np.testing.assert_array_equal(model.embed(records), vectors)
    residues = model.embed(structures, level="residue")
    assert [len(part) for part in residues[:4]] == [0, 0, 24, 25]
    np.testing.assert_allclose(residues[2].mean(0), vectors[2], atol=1e-5)
    assert len(model.embed(structures, on_error="drop")) == 13
    with pytest.raises(UserError, match=r"row 0: not a readable structure"):
        model.embed(structures, on_error="raise")


def test_a_chain_does_not_depend_on_the_batch_nor_on_where_it_lies(model, structures):
    together = model.embed(structures)
    alone = model.embed(str(structures / "good05.pdb"))
    assert alone.shape == (1, 256)
    np.testing.assert_allclose(alone[0], together[7], rtol=1e-5, atol=1e-5)
    (chain,) = read_structure(structures / "good05.pdb").chains
    torch.manual_seed(0)
    turned = chain.backbone @ o3.rand_matrix().numpy().T + np.array([10.0, -20.0, 5.0])
    moved = Chain("moved", chain.sequence, chain.numbers, turned.astype(np.float32))
    np.testing.assert_allclose(model.embed(moved)[0], together[7], rtol=1e-4, atol=1e-4)
    other = Chain("other", "W" * len(chain), chain.numbers, chain.backbone)
    assert np.abs(model.embed(other)[0] - together[7]).max() > 1e-2


def test_what_is_no_structure(model, tmp_path):
    (tmp_path / "mols.csv").write_text("smiles\nCCO\n")
    with pytest.raises(UserError, match=r"mols\.csv is not a structure: expected a file ending in"):
        model.embed(tmp_path / "mols.csv")
    with pytest.raises(UserError, match="there is no file or folder CCO"):
        model.embed("CCO")
    with pytest.raises(UserError, match="expected files of structures, got int"):
        model.embed(7)
    with pytest.raises(UserError, match="level must be 'graph' or 'residue', got 'atom'"):
        model.embed(tmp_path, level="atom")


def test_long_chains_can_be_refused(model, structures):
    (vector,) = model.embed(structures / "good05.pdb", max_atoms=28)
    assert np.isnan(vector).all()
    with pytest.raises(UserError, match="29 residues, more than the limit of 28"):
        model.embed(structures / "good05.pdb", max_atoms=28, on_error="raise")


def test_records_of_records_are_the_same(structures):
    first = list(chain_records(structures))
    again = list(chain_records(first))
    assert [(r.index, r.text, r.error) for r in first] == [
        (r.index, r.text, r.error) for r in again
    ]


# --- the command line -------------------------------------------------------------------------


def test_embed_a_folder(cli, chain_run, model, structures, tmp_path):
    for name in ("out.parquet", "out.csv"):
        code, out, err = cli("embed", structures, "-m", chain_run.folder, "-o", tmp_path / name)
        assert code == 0, err
        assert "15 rows in" in out
        assert err.startswith("no embedding for 2 of 15 rows: ")
    frame = pd.read_parquet(tmp_path / "out.parquet")
    columns = ["row", "file", "chain", "sequence", "residue_numbers", "error", "embedding"]
    assert list(frame.columns) == columns
    assert frame["file"][2] == "good00.pdb"
    assert frame["chain"][2] == "good00_A"
    assert len(frame["sequence"][2]) == 24
    assert frame["residue_numbers"][2].split()[:2] == ["1", "2"]
    assert frame["error"].notna().tolist()[:3] == [True, True, False]
    expected = model.embed(structures)
    np.testing.assert_allclose(np.stack(frame["embedding"][2:]), expected[2:], atol=1e-5)
    flat = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(flat.loc[2:, "e0":"e255"], expected[2:], atol=1e-5)
    assert flat.loc[:1, "e0"].isna().all()

    nodes = tmp_path / "residues.parquet"
    code, _, err = cli(
        "embed", structures, "-m", chain_run.folder, "-o", nodes, "--level", "residue"
    )
    assert code == 0, err
    assert [len(rows) for rows in pd.read_parquet(nodes)["embedding"][2:4]] == [24, 25]


def test_info_speaks_of_chains(cli, chain_run):
    code, out, _ = cli("info", chain_run.folder)
    assert code == 0
    text = " ".join(out.split())
    assert "256 numbers per chain (layers_patch_mean), 256 per residue" in text
    assert "56 chains, 112 masked views" in text


def test_pretrain_from_the_command_line(cli, structures, tmp_path):
    arguments = ("--preset", "tiny", "--steps", 2, "--batch-size", 4, "--workers", 0)
    output = tmp_path / "run"
    code, out, err = cli("pretrain", "pdb", "--data", structures, "-o", output, *arguments)
    assert code == 0, err
    assert out.startswith("2 steps, 8 chains in ")
    assert "skipped 3 of 15 files and 12 chains" in err
    assert yaml.safe_load((output / "config.yaml").read_text())["data"]["source"] == str(structures)
    assert "8 chains" in (output / "model" / "card.md").read_text()


def test_a_graph_transformer_that_reads_distances(cli, structures, tmp_path):
    arguments = ("--preset", "tiny", "--steps", 2, "--batch-size", 4, "--workers", 0)
    family = ("--set", "encoder.family=graph_transformer", "--set", "encoder.reach=15")
    output = tmp_path / "run"
    code, _, err = cli("pretrain", "pdb", "--data", structures, "-o", output, *arguments, *family)
    assert code == 0, err
    model = load(output, device="cpu")
    assert model.config["encoder"]["reach"] == 15.0
    path = structures / "good00.pdb"
    (chain,) = read_structure(path).chains
    torch.manual_seed(0)
    turned = (chain.backbone @ o3.rand_matrix().numpy().T).astype(np.float32)
    moved = Chain("moved", chain.sequence, chain.numbers, turned)
    assert np.abs(model.embed(moved) - model.embed(path)).max() < 1e-4


def test_a_list_of_ids(cli, refused, chain_run, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pdb").mkdir()
    for name, lengths in (("1abc", {"A": 30, "B": 24}), ("2def", {"A": 26})):
        text = mmcif(lengths)
        (tmp_path / "pdb" / f"{name}.cif.gz").write_bytes(gzip.compress(text.encode()))
    monkeypatch.setenv("MOLVEC_MIRROR", str(tmp_path))
    (tmp_path / "ids.txt").write_text("1ABC\n2def_A\nmyprotein\n")
    arguments = ("--preset", "tiny", "--steps", 2, "--batch-size", 2, "--workers", 0)
    code, out, err = cli("pretrain", "pdb", "--data", "ids.txt", "-o", "run", *arguments)
    assert code == 0, err
    assert out.startswith("2 steps, 4 chains in ")
    assert "1 not a PDB id such as 1abc or 1abc_A (myprotein)" in err
    code, out, err = cli("embed", "ids.txt", "-m", chain_run.folder, "-o", "out.parquet")
    assert code == 0, err
    frame = pd.read_parquet("out.parquet")
    assert frame["chain"].tolist() == ["1abc_A", "1abc_B", "2def_A", "myprotein"]
    assert frame["file"][:3].tolist() == ["1abc.cif.gz", "1abc.cif.gz", "2def.cif.gz"]
    assert frame["file"].isna()[3]
    assert frame["error"].notna().tolist() == [False, False, False, True]
    assert np.isfinite(model.embed("ids.txt")).all(1).tolist() == [True] * 3 + [False]
    (tmp_path / "none.txt").write_text("myprotein\n")
    message = refused("embed", "none.txt", "-m", chain_run.folder, "-o", "other.parquet")
    assert "none of 1 entries can be had (myprotein: not a PDB id such as" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pretrain", "pdb"), "data: say where the structures are: --data FOLDER"),
        (("pretrain", "pdb", "--data", "none"), "there is no file or folder"),
        (("pretrain", "pdb", "--data", "."), "holds no structures: expected files ending in"),
        (("pretrain", "pdb", "--data", ".", "--smiles-column", "s"), "no meaning for proteins"),
        (("pretrain", "zinc", "--set", "mask.kind=ball"), "need coordinates, molecules have none"),
        (("pretrain", "zinc", "--set", "data.cutoff=5"), "cutoff has no meaning for molecules"),
        (("pretrain", "zinc", "--set", "encoder.lmax=2"), "lmax has no meaning for a graph_trans"),
        (
            ("pretrain", "zinc", "--set", "encoder.family=equivariant"),
            "molecules need encoder.family graph_transformer",
        ),
        (
            (
                *("pretrain", "zinc", "--set", "objective.grounding=extended_huckel"),
                *("--set", "objective.grounding_weight=1"),
            ),
            "molecules need objective.grounding fingerprint or descriptors or surroundings",
        ),
        (
            (
                *("pretrain", "pdb", "--data", ".", "--set", "objective.grounding=fingerprint"),
                *("--set", "objective.grounding_weight=1"),
            ),
            "proteins need objective.grounding surroundings",
        ),
        (
            ("pretrain", "pdb", "--data", ".", "--set", "student.kind=mask_token"),
            "proteins need student.kind visible",
        ),
    ],
)
def test_refused_settings(refused, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_models_of_proteins_where_molecules_are_needed(
    cli, refused, chain_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{'C' * n}O,{n}\n" for n in range(1, 30))
    (tmp_path / "mols.csv").write_text(f"smiles,y\n{rows}")
    table = ("--data", "mols.csv", "--target", "y", "--task", "regression", "--split", "random")
    needed = "this needs a model of molecules, not of proteins"
    code, _, err = cli("finetune", *table, "--model", chain_run.folder, "-o", "out")
    assert (code, err) == (2, f"molvec: {needed}\n")
    assert refused("benchmark", *table, "--model", chain_run.folder, "-o", "out") == needed
    output = ("-o", "out.parquet", "-m", chain_run.folder)
    assert "mols.csv is not a structure" in refused("embed", "mols.csv", *output)
    assert "no SMILES column" in refused("embed", ".", *output, "--smiles-column", "smiles")
    assert [path.name for path in tmp_path.iterdir()] == ["mols.csv"]
