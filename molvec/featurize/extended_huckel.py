"""What a rough calculation of a molecule's electrons says: targets of the grounding term, per atom.

The extended Hückel method (Hoffmann 1963, doi:10.1063/1.1734456) as RDKit has it (YAeHMOP): valence
orbitals, no iteration. Like a fingerprint it follows from the molecule itself; no measured or
costly value enters. Its time grows with the cube of the atoms: 5 ms for 21, 23 ms for 49, 112 ms
for 77.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdEHTTools
from scipy.spatial.distance import pdist
from torch import Tensor
from torch_geometric.data import Data

from molvec.graph import POS

ELEMENTS = frozenset({1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53})
"""Atomic numbers. For elements without parameters the program ends the whole process."""

ENERGIES = (
    *(-32, -29, -26, -23, -20, -18, -17, -16, -15, -14, -13, -12, -11, -10, -9, -8),
    *(-6, -3, 0, 5, 12, 25),
)
"""eV; where the density of states is read, densest near the highest occupied orbitals."""

FRONTIER = (-2, -1, 0, 1, 2)
"""Orbitals whose energies are targets, counted from the lowest unoccupied one."""

NUM_SHARED = len(FRONTIER) + 1
"""The last columns, which are of the molecule."""

LEVEL = 0.2
"""eV; what of the frontier orbitals counts as one energy."""

TOO_CLOSE = 0.2
"""Angstrom between atoms: nearer, RDKit's calculation has no meaning, and at 0 ends the process."""

NUM_EXTENDED_HUCKEL = len(ENERGIES) + 3 + NUM_SHARED


def extended_huckel(graph: Data) -> Tensor:
    r"""Charges and orbitals of a molecule, float32 ``[n, NUM_EXTENDED_HUCKEL]``.

    Of each atom :math:`a` the density of states, from its share :math:`p_{ia}` of every orbital,

    .. math:: D_{ak} = \sum_i p_{ia} \exp\!\big(-(\epsilon_i - E_k)^2 / \sigma_k^2\big)

    with :math:`\sigma_k` half the distance between the energies beside :math:`E_k`; its charge and
    its shares of the highest occupied and the lowest unoccupied orbital (or orbitals, see
    :func:`frontier_shares`). Of the molecule, the same
    at all atoms: five orbital energies (eV), and the length of the dipole of the charges (e
    Angstrom). NaN where an element has no parameters, an orbital does not exist, or two atoms are
    nearly at one place.

    Args:
        graph: of one conformer, from :class:`molvec.featurize.conformer.ConformerFeaturizer` with
            its own vocabulary, in which an element's index is its atomic number.
    """
    elements, positions = graph.x[:, 0].tolist(), graph[POS].double().numpy()
    targets = np.full((len(elements), NUM_EXTENDED_HUCKEL), np.nan)
    if ELEMENTS.issuperset(elements) and not clashes(positions):
        with _silence():
            found, result = rdEHTTools.RunMol(_molecule(elements, positions))
        if found:
            charges = np.array(result.GetAtomicCharges())
            targets = _targets(
                np.array(result.GetOrbitalEnergies()),
                np.array(result.GetReducedChargeMatrix()).T,
                (result.numElectrons + 1) // 2,
                charges,
                float(np.linalg.norm(charges @ (positions - positions.mean(0)))),
            )
    return torch.from_numpy(targets.astype(np.float32))


def clashes(positions: NDArray[np.float64]) -> bool:
    """Say whether two atoms are nearly at one place; positions ``[n, 3]``, Angstrom."""
    return len(positions) > 1 and float(pdist(positions).min()) < TOO_CLOSE


def _targets(
    energies: NDArray[np.float64],
    shares: NDArray[np.float64],
    occupied: int,
    charges: NDArray[np.float64],
    dipole: float,
) -> NDArray[np.float64]:
    """Put the columns side by side."""
    own = [
        density_of_states(energies, shares),
        charges,
        *frontier_shares(energies, shares, occupied),
    ]
    shared = [*frontier_energies(energies, occupied, FRONTIER), dipole]
    return np.column_stack([*own, np.tile(shared, (len(charges), 1))])


def density_of_states(
    energies: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of each atom at ``ENERGIES``, ``[n, len(ENERGIES)]``.

    Args:
        energies: of the orbitals, eV, ``[orbitals]``.
        shares: how much of an orbital is at an atom, ``[orbitals, n]``.
    """
    grid = np.array(ENERGIES, dtype=np.float64)
    near = np.exp(-(((energies[:, None] - grid) / np.gradient(grid)) ** 2))
    density: NDArray[np.float64] = (near.T @ shares).T
    return density


def frontier_shares(
    energies: NDArray[np.float64], shares: NDArray[np.float64], occupied: int
) -> list[NDArray[np.float64]]:
    """Shares of the highest of ``occupied`` orbitals and of the lowest unoccupied one, ``[n]``.

    A mean over those within ``LEVEL`` of it: which of several orbitals of one energy is the highest
    is chance. NaN without one.
    """
    sides = shares[:occupied], shares[occupied:]
    gaps = (
        energies[:occupied] - energies[occupied - 1],
        energies[occupied:] - energies[occupied:][:1],
    )
    found = []
    for side, gap in zip(sides, gaps, strict=True):
        weights = np.exp(-((gap / LEVEL) ** 2))
        missing = np.full(shares.shape[1], np.nan)
        found.append(weights @ side / weights.sum() if len(side) else missing)
    return found


def frontier_energies(
    energies: NDArray[np.float64], occupied: int, offsets: Sequence[int]
) -> list[float]:
    """Energies counted from the lowest unoccupied orbital; NaN for one that does not exist."""
    places = [occupied + offset for offset in offsets]
    return [float(energies[i]) if 0 <= i < len(energies) else math.nan for i in places]


def _molecule(elements: list[int], positions: NDArray[np.float64]) -> Chem.Mol:
    """Atoms with positions; bonds are not read."""
    mol = Chem.RWMol()
    for number in elements:
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    conformer = Chem.Conformer(len(elements))
    conformer.SetPositions(positions)
    conformer.Set3D(True)
    mol.AddConformer(conformer)
    return mol


@contextmanager
def _silence() -> Iterator[None]:
    """Drop what the program writes to standard error: it calls N-H bonds suspiciously short."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
