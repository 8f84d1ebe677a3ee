"""What semi-empirical quantum chemistry says of a molecule: targets of the grounding term.

Extended tight binding (xTB, Bannwarth et al. 2021, doi:10.1002/wcms.1493) as tblite has it, an
optional package. Orbitals are those of IPEA1-xTB (Asgeirsson et al. 2017, doi:10.1039/c7sc00601b),
which is fitted to ionisation potentials and electron affinities; charges, dipole and polarisability
those of GFN2-xTB (Bannwarth et al. 2019, doi:10.1021/acs.jctc.8b01176). Everything follows from
elements and positions; no measured value and no density functional enters. 24 ms for 18 atoms.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import Data

from molvec.errors import UserError
from molvec.featurize.extended_huckel import (
    ENERGIES,
    FRONTIER,
    clashes,
    density_of_states,
    frontier_energies,
    frontier_shares,
)
from molvec.graph import POS
from molvec.provenance import software

HEAVIEST = 86
"""Atomic number of the last element with parameters, radon."""

BOHR = 0.529177210544
"""Angstrom."""
HARTREE = 27.211386245981
"""eV."""
DEBYE = 2.541746473
"""In one elementary charge times Bohr."""

FIELD = 0.004
"""Atomic units: large beside what the calculation rounds, small beside what the response bends."""

NUM_SHARED = len(FRONTIER) + 6
"""The last columns, which are of the molecule."""

RESPONSE = 2
"""Of these, the last ones: the polarisability and its anisotropy."""

SHARED_WEIGHTS = (1.0,) * (NUM_SHARED - RESPONSE) + (10.0,) * RESPONSE
"""How much each counts. A polarisability nearly follows from the elements; what does not is a small
part of its standard deviation, which the loss would hardly notice."""

NUM_XTB = len(ENERGIES) + 5 + NUM_SHARED


def xtb(graph: Data) -> Tensor:
    r"""Charges, orbitals and response of a molecule, float32 ``[n, NUM_XTB]``.

    Of each atom its density of states as in :mod:`molvec.featurize.extended_huckel`, its charge,
    the sum of its bond orders (Mayer 1983), its shares of the highest occupied and the lowest
    unoccupied orbital, and its charge by the other of the two methods. Of the molecule, the same
    at all atoms: five orbital energies and the two frontier ones of GFN2-xTB (eV), the length of
    the dipole (Debye), and, per atom, since they are predicted from a mean over atoms, the energy
    above that of free atoms (eV), the mean polarisability (Bohr^3) and its anisotropy.

    The molecule is taken to be neutral. NaN where the calculation does not converge, an element
    has no parameters, an orbital does not exist, or two atoms are nearly at one place.

    Args:
        graph: of one conformer, from :class:`molvec.featurize.conformer.ConformerFeaturizer` with
            its own vocabulary, in which an element's index is its atomic number.

    Raises:
        UserError: without tblite.
    """
    elements = graph.x[:, 0].numpy()
    positions = graph[POS].double().numpy()
    known = elements.min() > 0 and elements.max() <= HEAVIEST
    targets = None
    if known and not clashes(positions):
        targets = _calculated(elements, (positions - positions.mean(0)) / BOHR)
    if targets is None:
        targets = np.full((len(elements), NUM_XTB), np.nan)
    return torch.from_numpy(targets.astype(np.float32))


def _calculated(
    elements: NDArray[np.int64], positions: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Put the columns side by side; ``None`` without convergence. Positions in Bohr."""
    atoms, program = len(elements), _program()
    try:
        detailed = _calculator("IPEA1-xTB", elements, positions)
        detailed.set("save-integrals", 1)
        orbitals = detailed.singlepoint()
        ground = _calculator("GFN2-xTB", elements, positions).singlepoint()
        polarisability = _polarisability(elements, positions, ground)
    except program.exceptions.TBLiteRuntimeError:
        return None
    atom_of = detailed.get("shell-map")[detailed.get("orbital-map")]  # of each basis function
    energies, occupied = orbitals.get("orbital-energies") * HARTREE, _occupied(orbitals)
    shares = _shares(orbitals, atom_of, atoms)
    free = sum(_free_atom(int(element)) for element in elements)
    principal = np.linalg.eigvalsh(polarisability)
    own = [
        density_of_states(energies, shares),
        ground.get("charges"),
        ground.get("bond-orders").reshape(-1, atoms, atoms)[0].sum(1),  # [1]: of radicals, spin
        *frontier_shares(energies, shares, occupied),
        orbitals.get("charges"),
    ]
    shared = [
        *frontier_energies(energies, occupied, FRONTIER),
        *frontier_energies(ground.get("orbital-energies") * HARTREE, _occupied(ground), (-1, 0)),
        float(np.linalg.norm(ground.get("dipole"))) * DEBYE,
        (ground.get("energy") - free) * HARTREE / atoms,
        principal.mean() / atoms,
        (principal[2] - principal[:2].mean()) / atoms,
    ]
    return np.column_stack([*own, np.tile(shared, (atoms, 1))])


def _polarisability(
    elements: NDArray[np.int64], positions: NDArray[np.float64], ground: Any
) -> NDArray[np.float64]:
    """How the dipole answers to a small field along each axis, Bohr^3, ``[3, 3]``."""
    program, columns = _program(), []
    ffi, unperturbed = program.library.ffi, ground.get("dipole")
    for axis in range(3):
        field = np.zeros(3)
        field[axis] = FIELD
        within = _calculator("GFN2-xTB", elements, positions)
        # As a pointer: tblite 0.8 hands on what it gets, and C takes no array.
        within.add("electric-field", ffi.cast("double*", ffi.from_buffer(field)))
        # From a copy, since tblite writes into the result that it goes on from.
        response = within.singlepoint(program.interface.Result(ground))
        columns.append((response.get("dipole") - unperturbed) / FIELD)
    answer = np.stack(columns, axis=1)
    return (answer + answer.T) / 2


def _shares(result: Any, atom_of: NDArray[np.int64], atoms: int) -> NDArray[np.float64]:
    """How much of each orbital is at each atom (Mulliken), ``[orbitals, n]``."""
    coefficients, overlap = result.get("orbital-coefficients"), result.get("overlap-matrix")
    of_functions = coefficients * (overlap @ coefficients)  # [functions, orbitals]
    shares = np.zeros((atoms, of_functions.shape[1]))
    np.add.at(shares, atom_of, of_functions)
    return shares.T


def _occupied(result: Any) -> int:
    """How many orbitals are occupied; one with a single electron is."""
    return (round(float(result.get("orbital-occupations").sum())) + 1) // 2


@functools.cache
def _free_atom(element: int) -> float:
    """Energy of an atom alone, Hartree."""
    atom = _calculator("GFN2-xTB", np.array([element]), np.zeros((1, 3)))
    return float(atom.singlepoint().get("energy"))


def _calculator(method: str, elements: NDArray[np.int64], positions: NDArray[np.float64]) -> Any:
    """Set up a neutral molecule with as few single electrons as there can be."""
    made = _program().interface.Calculator(
        method, elements, positions, charge=0.0, uhf=int(elements.sum()) % 2
    )
    made.set("verbosity", 0)
    return made


def xtb_program() -> str:
    """Which program and which of our columns: changes with what the numbers mean.

    Raises:
        UserError: without tblite.
    """
    _program()
    return f"targets 1, {software('tblite')}"


@functools.cache
def _program() -> ModuleType:
    """Import tblite.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import tblite.exceptions
        import tblite.interface
        import tblite.library
    except ImportError:
        raise UserError(
            "objective.grounding=xtb needs tblite: pip install 'molvec[xtb]' (or set "
            "objective.grounding=extended_huckel, which needs no other program)"
        ) from None
    program: ModuleType = tblite
    return program
