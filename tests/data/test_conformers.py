"""Stores of geometries, QM9's table, geometries made on demand."""

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molvec.data.conformers import ConformerDataset, ConformerStore, open_conformers
from molvec.data.qm9 import (
    HARTREE,
    atomization_energy,
    read_qm9_geometries,
    read_qm9_labels,
)
from molvec.data.store import open_store
from molvec.errors import UserError
from molvec.featurize.conformer import ConformerFeaturizer

WATER = "3\nwater\nO 0 0 0.117\nH 0 0.757 -0.467\nH 0 -0.757 -0.467\n"

HEADER = (
    "XYZ_file,Index,SMILES,Elements,XYZ_Ang,Dipole_debye,Polarizability_bohr3,HOMO_au,LUMO_au,"
    "HOMO_LUMO_gap_au,R2_bohr2,ZPVE_au,InternalEnergy_0K_au,InternalEnergy_298K_au,"
    "Enthalphy_298K_au,GibbsFreeEnergy_298K_au,Heatcapacity_Cv_cal_mol_K\n"
)
ROW = (
    "dsgdb9nsd_000003.xyz,3,O,\"['O','H','H']\",\"[[0.,0.,0.117],[0.,0.757,-0.467],"
    '[0.,-0.757,-0.467]]",1.8511,6.31,-0.2928,0.0687,0.3615,19.0002,0.021375,-76.404702,'
    "-76.401867,-76.400922,-76.422349,6.002\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.xyz").write_text(WATER + "2\nbroken\nO 0 0 0\n")
    (tmp_path / "in" / "b.sdf").write_text("")
    return tmp_path / "in"


def test_good_geometries_are_kept_and_the_rest_is_named(folder, tmp_path):
    store = open_conformers(folder, cache=tmp_path)
    assert len(store) == 1
    assert store[0].name == "water"
    assert store[0].elements.dtype == np.uint8
    assert store[0].positions.dtype == np.float32
    assert store.lengths.tolist() == [3]
    summary = store.summary()
    assert "2 of 3 geometries" in summary
    assert "b.sdf is empty" in summary
    assert "… of … atoms; the rest of the file is lost (a.xyz: broken)" in summary
    with pytest.raises(IndexError, match="item 1 of a store with 1"):
        store[1]


def test_skipped_geometries_of_one_title_count_one_by_one(tmp_path):
    (tmp_path / "a.xyz").write_text(WATER)
    flat = Chem.MolToMolBlock(Chem.MolFromSmiles("CC")) + "$$$$\n"
    (tmp_path / "b.sdf").write_text("".join(["same" + flat] * 3))
    store = open_conformers(tmp_path, cache=tmp_path / "cache")
    assert "3 of 4 geometries" in store.summary()


def test_a_store_is_built_once_and_anew_when_damaged_or_changed(folder, tmp_path):
    store = open_conformers(folder, cache=tmp_path)
    written = (store.folder / "store.json").stat().st_mtime_ns
    assert open_conformers(folder, cache=tmp_path).folder == store.folder
    assert (store.folder / "store.json").stat().st_mtime_ns == written
    (store.folder / "positions.npy").write_bytes(b"half")
    with pytest.raises(UserError, match="is not a store of conformers"):
        ConformerStore(store.folder)
    assert len(open_conformers(folder, cache=tmp_path)) == 1
    (folder / "c.xyz").write_text(WATER)
    changed = open_conformers(folder, cache=tmp_path)
    assert changed.folder != store.folder
    assert len(changed) == 2


def test_nothing_to_use(tmp_path):
    (tmp_path / "a.xyz").write_text("x\n")
    with pytest.raises(UserError, match=r"has no geometry that can be used .*number of atoms"):
        open_conformers(tmp_path / "a.xyz", cache=tmp_path)
    (tmp_path / "b.xyz").write_text("")
    with pytest.raises(UserError, match=r"b\.xyz is empty"):
        open_conformers(tmp_path / "b.xyz", cache=tmp_path)


def test_geometries_of_smiles_are_made_on_demand(tmp_path):
    (tmp_path / "mols.smi").write_text("CO\nC(C)(C)(C)(C)C\nc1ccccc1\n")
    store = open_store(tmp_path / "mols.smi", cache=tmp_path)
    data = ConformerDataset(store, ConformerFeaturizer(), max_atoms=10)
    assert len(data) == 3
    graph = data.graph(0)
    assert graph.num_nodes == 6
    np.testing.assert_array_equal(data.graph(0).pos, graph.pos)
    with pytest.raises(ValueError, match="Explicit valence"):
        data.graph(1)
    with pytest.raises(ValueError, match="12 atoms, more than the limit of 10"):
        data.graph(2)
    some = ConformerDataset(store, ConformerFeaturizer(), rows=np.array([2]))
    assert (len(some), some.row(0), some.sizes.tolist()) == (1, 2, [8])
    assert some.graph(0).num_nodes == 12


def test_qm9_rows(tmp_path):
    path = tmp_path / "qm9.csv"
    path.write_text(HEADER + ROW)
    (water,) = read_qm9_geometries(path)
    assert (water.name, water.elements.tolist()) == ("gdb9-3", [8, 1, 1])
    np.testing.assert_allclose(water.positions[1], [0, 0.757, -0.467])
    labels = read_qm9_labels(path).iloc[0]
    assert labels["homo"] == pytest.approx(-7.96749, abs=1e-5)  # eV
    assert labels["gap"] == pytest.approx(labels["lumo"] - labels["homo"], abs=1e-9)
    assert labels[["mu", "alpha", "cv"]].tolist() == [1.8511, 6.31, 6.002]
    bound = atomization_energy(np.array([labels["u0"]]), [water.elements])
    assert bound[0] / HARTREE == pytest.approx(-76.404702 + 75.064579 + 2 * 0.500273)
    assert bound[0] == pytest.approx(-9.2403, abs=1e-3)  # eV: water's bonds


@pytest.mark.parametrize(
    ("old", "new"), [("'O','H','H'", "'O','H'"), ("'O'", "'Xx'"), ("0.757", "far")]
)
def test_qm9_rows_that_are_wrong(old, new, tmp_path):
    path = tmp_path / "qm9.csv"
    path.write_text(HEADER + ROW.replace(old, new, 1))
    with pytest.raises(UserError, match="row 0 is no molecule of QM9"):
        list(read_qm9_geometries(path))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="is not the table of QM9"):
        read_qm9_labels(path)


def test_a_file_that_may_not_be_read_is_named(folder, tmp_path, monkeypatch):
    locked = folder / "locked.xyz"
    locked.write_text("1\nhe\nHe 0 0 0\n")
    opened = Path.open

    def refusing(path, *arguments, **options):
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refusing)
    store = open_conformers(folder, cache=tmp_path / "cache")
    assert "Permission denied" in store.info["skipped"]["locked.xyz"]
