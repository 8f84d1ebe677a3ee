"""QM9: 130,831 molecules of up to nine heavy atoms, with DFT geometries and twelve labels.

Read from the table that the data set's card names. Labels are turned to the units that papers
report: eV for energies (CODATA 2018), Debye, Bohr^3.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molvec.errors import UserError
from molvec.records import Conformer

HARTREE = 27.211386245988
"""eV per Hartree."""

COLUMNS: dict[str, tuple[str, float, str]] = {
    "mu": ("Dipole_debye", 1.0, "D"),
    "alpha": ("Polarizability_bohr3", 1.0, "Bohr^3"),
    "homo": ("HOMO_au", HARTREE, "eV"),
    "lumo": ("LUMO_au", HARTREE, "eV"),
    "gap": ("HOMO_LUMO_gap_au", HARTREE, "eV"),
    "r2": ("R2_bohr2", 1.0, "Bohr^2"),
    "zpve": ("ZPVE_au", HARTREE, "eV"),
    "u0": ("InternalEnergy_0K_au", HARTREE, "eV"),
    "u298": ("InternalEnergy_298K_au", HARTREE, "eV"),
    "h298": ("Enthalphy_298K_au", HARTREE, "eV"),  # spelt like this in the file
    "g298": ("GibbsFreeEnergy_298K_au", HARTREE, "eV"),
    "cv": ("Heatcapacity_Cv_cal_mol_K", 1.0, "cal/mol/K"),
}
"""Label -> column of the file, factor to the unit, unit."""

ATOM_ENERGY = {1: -0.500273, 6: -37.846772, 7: -54.583861, 8: -75.064579, 9: -99.718730}
"""Internal energy of a free atom at 0 K, Hartree, by atomic number: ``atomref.txt`` of the data
set (doi:10.6084/m9.figshare.978904). ``u0`` less these is what binds the atoms."""

_SYMBOLS = {"H": 1, "C": 6, "N": 7, "O": 8, "F": 9}


def read_qm9_geometries(path: Path) -> Iterator[Conformer]:
    """Yield the molecules in file order, named ``gdb9-<index>``.

    Raises:
        UserError: naming the row that is not as it should be.
    """
    with path.open(encoding="utf-8", newline="") as file:
        for row, cells in enumerate(csv.DictReader(file)):
            try:
                symbols = cells["Elements"].strip("[]").replace("'", "").split(",")
                numbers = cells["XYZ_Ang"].replace("[", "").replace("]", "").split(",")
                positions = np.array(numbers, dtype=np.float32).reshape(len(symbols), 3)
                elements = np.array([_SYMBOLS[symbol] for symbol in symbols], dtype=np.uint8)
                name = f"gdb9-{cells['Index']}"
            except (KeyError, ValueError, AttributeError, TypeError) as error:
                raise UserError(f"{path}: row {row:,} is no molecule of QM9 ({error})") from None
            yield Conformer(name, elements, positions)


def read_qm9_labels(path: Path) -> pd.DataFrame:
    """Return the twelve labels, float64 ``[num_molecules, 12]``, in the units of ``COLUMNS``.

    Raises:
        UserError: if a column is not there.
    """
    try:
        table = pd.read_csv(path, usecols=[column for column, _, _ in COLUMNS.values()])
    except ValueError as error:
        raise UserError(f"{path} is not the table of QM9: {error}") from None
    return pd.DataFrame(
        {name: table[column] * factor for name, (column, factor, _) in COLUMNS.items()}
    )


def atomization_energy(u0: NDArray[np.float64], elements: list[NDArray[np.uint8]]) -> NDArray:
    """Return internal energies less those of the free atoms, eV ``[num_molecules]``.

    Args:
        u0: internal energies at 0 K, eV.
        elements: atomic numbers of each molecule.
    """
    atoms = [sum(ATOM_ENERGY[int(z)] for z in numbers) for numbers in elements]
    result: NDArray[np.float64] = u0 - np.array(atoms) * HARTREE
    return result
