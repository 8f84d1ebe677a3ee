"""From a record to an RDKit molecule, or to a short reason why there is none."""

from __future__ import annotations

from functools import cache

from rdkit import Chem, rdBase

from molvec.records.record import Record, RecordError, bare_smiles

# What `MolFromSmiles` does beyond parsing and sanitising is stereo clean-up and the removal of
# explicit hydrogens: a quarter of its time, and without effect unless the text has stereo marks,
# hydrogen atoms ([H], [#1]), a dative bond or an extension. No regular expression: one with
# alternatives costs 17 us a molecule here, as much as it saves.
_MARKS = ("@", "/", "\\", "[H", "[#", ">", "<", "|")

NOT_SMILES = "not valid SMILES"


def parse(record: Record, *, max_atoms: int | None = None) -> Chem.Mol:
    """Return the sanitised molecule of a record, explicit hydrogens folded into their atoms.

    Salts and other molecules of several fragments are kept whole. A molecule given as an RDKit
    object is copied, never changed. Nothing is printed: RDKit's log is silent meanwhile.

    Args:
        record: one row.
        max_atoms: the largest number of (heavy) atoms allowed; ``None`` for no limit.

    Raises:
        RecordError: with a short reason, e.g. ``"not valid SMILES"``.
    """
    if record.error is not None:
        raise RecordError(record.error)
    with rdBase.BlockLogs():  # 1.5 us
        if record.mol is not None:
            mol = _from_mol(record.mol)
        elif record.smiles is not None:
            mol = _from_smiles(bare_smiles(record.smiles), max_atoms)
        else:
            raise RecordError("missing value")
    if mol.GetNumAtoms() == 0:
        raise RecordError("no atoms")
    _check_size(mol, max_atoms)
    return mol


def needs_full_reader(smiles: str) -> bool:
    """Say whether the quick way could give another molecule than RDKit's own reader."""
    for mark in _MARKS:  # noqa: SIM110  (a generator in any() takes three times as long)
        if mark in smiles:
            return True
    return False


def _from_smiles(smiles: str, max_atoms: int | None) -> Chem.Mol:
    if not smiles:
        raise RecordError("empty SMILES")
    # RDKit reads "Cé" as methane and fails to encode lone surrogates; SMILES is ASCII.
    if not smiles.isascii():
        raise RecordError(NOT_SMILES)
    if needs_full_reader(smiles):
        mol = Chem.MolFromSmiles(smiles)
        return mol if mol is not None else _sanitised_smiles(smiles, None)
    return _sanitised_smiles(smiles, max_atoms)


def _sanitised_smiles(smiles: str, max_atoms: int | None) -> Chem.Mol:
    mol = Chem.MolFromSmiles(smiles, _parser_parameters())
    if mol is None:
        raise RecordError(NOT_SMILES)
    _check_size(mol, max_atoms)  # before the costly part
    _sanitise(mol)
    return mol


def _from_mol(mol: Chem.Mol) -> Chem.Mol:
    # A molecule may come unsanitised, kekulised or with hydrogens: its graph must be that of its
    # SMILES all the same.
    copy = Chem.Mol(mol)
    _sanitise(copy)
    Chem.AssignStereochemistry(copy, cleanIt=True, force=True)
    if any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()):
        copy = Chem.RemoveHs(copy)
        Chem.AssignStereochemistry(copy, cleanIt=True, force=True)
    return copy


def _sanitise(mol: Chem.Mol) -> None:
    try:
        Chem.SanitizeMol(mol)
    except Exception as error:  # RDKit's own message is the reason
        raise RecordError(_first_line(error)) from None


def _check_size(mol: Chem.Mol, max_atoms: int | None) -> None:
    if max_atoms is not None and mol.GetNumAtoms() > max_atoms:
        raise RecordError(f"{mol.GetNumAtoms()} atoms, more than the limit of {max_atoms}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return " ".join(lines[0].split()) if lines else "RDKit could not read the molecule"


@cache
def _parser_parameters() -> Chem.SmilesParserParams:
    parameters = Chem.SmilesParserParams()
    parameters.sanitize = False  # type: ignore[assignment]  # RDKit's stubs are wrong here
    parameters.removeHs = False  # type: ignore[assignment]
    return parameters
