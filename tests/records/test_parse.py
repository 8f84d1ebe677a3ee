"""Record -> molecule: the fast path is RDKit's own reader, reasons are short, nothing leaks."""

import pickle
from pathlib import Path

import pytest
from rdkit import Chem, RDConfig, rdBase

from molvec.records import Record, RecordError, parse, read_records
from molvec.records.parse import needs_full_reader

NCI = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"


def from_smiles(smiles, **kwargs):
    return parse(Record(0, smiles=smiles), **kwargs)


def reason_of(record, **kwargs):
    with pytest.raises(RecordError) as caught:
        parse(record, **kwargs)
    return caught.value.reason


def everything(mol):
    """All that a featuriser could read."""
    atoms = [
        (
            atom.GetAtomicNum(),
            atom.GetFormalCharge(),
            atom.GetNumExplicitHs(),
            atom.GetNumImplicitHs(),
            atom.GetNoImplicit(),
            atom.GetIsAromatic(),
            atom.GetHybridization(),
            atom.GetChiralTag(),
            atom.GetNumRadicalElectrons(),
            atom.GetIsotope(),
            atom.IsInRing(),
        )
        for atom in mol.GetAtoms()
    ]
    bonds = [
        (
            bond.GetBeginAtomIdx(),
            bond.GetEndAtomIdx(),
            bond.GetBondType(),
            bond.GetStereo(),
            bond.GetBondDir(),
            bond.GetIsConjugated(),
        )
        for bond in mol.GetBonds()
    ]
    return Chem.MolToSmiles(mol), atoms, bonds


def test_agrees_with_rdkit_on_5000_molecules():
    failed = fast = 0
    for record in read_records(NCI):
        with rdBase.BlockLogs():
            expected = Chem.MolFromSmiles(record.smiles.split()[0])
        try:
            found = parse(record)
        except RecordError:
            assert expected is None, record
            failed += 1
            continue
        assert everything(found) == everything(expected), record
        fast += not needs_full_reader(record.smiles)
    assert failed == 8
    assert fast > 4900  # the comparison is about the fast path


@pytest.mark.parametrize(
    "smiles",
    [
        "N[C@@H](C)C(=O)O",
        "F/C=C/F",
        "F/C=C\\F",
        "C/C=C/1CCC1C",
        "[H]C([H])([H])O",
        "[2H]C",
        "[1H]C",
        "[3H]c1cc([2H])[nH]c1",
        "[2H][2H]",
        "[2H]O[2H].[2H+]",
        "[#1]C",
        "[H:1]C",
        "[H+]",
        "[H-].[Na+]",
        "N->[Fe]",
        "[Fe]<-N",
        "C~C",
        "C$C",
        "*C",
        "[NH4+].[Cl-]",
        "c1ccc1",
        "C[Si](C)(C)[Pt+2]",
        "O=[N+]([O-])c1ccccc1",
        "CN(=O)=O",
    ],
)
def test_agrees_with_rdkit_on_unusual_molecules(smiles):
    assert everything(from_smiles(smiles)) == everything(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        (None, "missing value"),
        ("", "empty SMILES"),
        (" \t ", "empty SMILES"),
        ("not-a-molecule", "not valid SMILES"),
        ("C1CC", "not valid SMILES"),
        ("NA", "not valid SMILES"),
        ("C\u00e9", "not valid SMILES"),  # RDKit alone reads this as methane
        ("C\ud800", "not valid SMILES"),
        ("C\x00C", "not valid SMILES"),
        ("CC(C)(C)(C)C", "Explicit valence for atom # 1 C, 5, is greater than permitted"),
        ("F/C=C/C(C)(C)(C)C", "Explicit valence for atom # 3 C, 5, is greater than permitted"),
        ("c1cccc1", "Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4"),
        ("cC", "non-ring atom 0 marked aromatic"),
    ],
)
def test_reasons(smiles, reason):
    assert reason_of(Record(0, smiles=smiles)) == reason


@pytest.mark.parametrize("text", ["  CCO\n", "CCO ethanol", "CCO\tethanol 96 %", "CCO |$a;b;c$|"])
def test_the_first_word_is_the_smiles(text):
    assert Chem.MolToSmiles(from_smiles(text)) == "CCO"


def test_nitrogen_is_a_molecule():
    assert from_smiles("N").GetNumAtoms() == 1


def test_hydrogen_molecule_keeps_its_atoms():
    assert from_smiles("[H][H]").GetNumAtoms() == 2
    assert from_smiles("[H]").GetNumAtoms() == 1


def test_salts_are_kept_whole():
    assert from_smiles("CC(=O)[O-].[Na+]").GetNumAtoms() == 5


@pytest.mark.parametrize("smiles", ["C" * 312, "[H]" + "C" * 312, "F/C=C/" + "C" * 309])
def test_too_many_atoms(smiles):
    reason = "312 atoms, more than the limit of 256"
    assert reason_of(Record(0, smiles=smiles), max_atoms=256) == reason
    assert from_smiles(smiles, max_atoms=312).GetNumAtoms() == 312


def test_size_limit_applies_to_molecules_too():
    record = Record(0, mol=Chem.MolFromSmiles("CCCC"))
    assert reason_of(record, max_atoms=3) == "4 atoms, more than the limit of 3"


def test_reader_errors_are_passed_on():
    assert reason_of(Record(0, error="not a valid SDF block")) == "not a valid SDF block"


def test_empty_molecule():
    assert reason_of(Record(0, mol=Chem.Mol())) == "no atoms"


def test_bad_molecule_object():
    raw = Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False)
    reason = "Explicit valence for atom # 0 C, 5, is greater than permitted"
    assert reason_of(Record(0, mol=raw)) == reason
    with_hydrogen = Chem.MolFromSmiles("[H]C(C)(C)(C)(C)C", sanitize=False)
    assert "greater than permitted" in reason_of(Record(0, mol=with_hydrogen))


@pytest.mark.parametrize(
    "change",
    [
        lambda mol: mol,
        Chem.AddHs,
        lambda mol: Chem.MolFromSmiles("Oc1ccccc1", sanitize=False),
        lambda mol: Chem.Kekulize(mol, clearAromaticFlags=True) or mol,
    ],
    ids=["plain", "hydrogens", "unsanitised", "kekulised"],
)
def test_a_molecule_object_gives_the_graph_of_its_smiles(change):
    given = change(Chem.MolFromSmiles("Oc1ccccc1"))
    before = given.ToBinary()
    assert everything(parse(Record(0, mol=given))) == everything(from_smiles("Oc1ccccc1"))
    assert given.ToBinary() == before


def test_rdkit_log_is_silent_only_meanwhile(capfd):
    for smiles in ("C1CC", "CC(C)(C)(C)C", "[H]C1CC", "C/C1CC"):
        reason_of(Record(0, smiles=smiles))
    assert capfd.readouterr().err == ""
    Chem.MolFromSmiles("C1CC")
    assert "unclosed ring" in capfd.readouterr().err


def test_error_survives_pickling():
    assert pickle.loads(pickle.dumps(RecordError("no atoms"))).reason == "no atoms"


@pytest.mark.parametrize("smiles", ["C[C@@H](N)C(=O)O", "F/C=C/F", "F/C=C\\F"])
def test_stereo_beside_explicit_hydrogens(smiles):
    """Pickling drops RDKit's labels, and an unsanitised molecule never had them."""
    mol = Chem.MolFromSmiles(smiles)
    pickled = pickle.loads(pickle.dumps(Chem.AddHs(mol)))
    assert everything(parse(Record(0, mol=pickled))) == everything(from_smiles(smiles))
    options = Chem.SmilesParserParams()
    options.sanitize = options.removeHs = False
    raw = Chem.MolFromSmiles(Chem.MolToSmiles(Chem.AddHs(mol)), options)
    assert Chem.MolToSmiles(parse(Record(0, mol=raw))) == Chem.MolToSmiles(mol)


def test_a_stereo_label_follows_the_centre():
    mol = Chem.AddHs(Chem.MolFromSmiles("C[C@@H](N)C(=O)O"))
    mol.GetAtomWithIdx(1).InvertChirality()
    assert parse(Record(0, mol=mol)).GetAtomWithIdx(1).GetProp("_CIPCode") == "S"
