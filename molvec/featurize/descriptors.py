"""The 2D descriptors of RDKit, as a baseline of hand-made features."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors

# Ipc grows exponentially with the number of atoms (1e94 for a chain of 300, NaN for 900); its mean
# over coefficients, AvgIpc, stays. RDKit appends autocorrelations to its list when asked to
# elsewhere in the process: the names must not depend on that.
_LEFT_OUT = ("Ipc", "AUTOCORR2D_")

_FUNCTIONS: dict[str, Callable[..., float]] = {
    name: function
    for name, function in Descriptors.descList
    if name != _LEFT_OUT[0] and not name.startswith(_LEFT_OUT[1])
}

# Each of the four extreme E-states computes the indices of all atoms anew, a seventh of the time of
# all descriptors; with force=0 the other three take what the first one left on the molecule.
for _name in ("MaxEStateIndex", "MinAbsEStateIndex", "MinEStateIndex"):
    assert list(_FUNCTIONS).index("MaxAbsEStateIndex") < list(_FUNCTIONS).index(_name)
    _FUNCTIONS[_name] = partial(_FUNCTIONS[_name], force=0)

DESCRIPTOR_NAMES: tuple[str, ...] = tuple(_FUNCTIONS)
"""Names in the order of the installed RDKit; releases of RDKit add some, so keep them with data."""


def descriptors(mol: Chem.Mol) -> NDArray[np.float64]:
    """All descriptors of ``DESCRIPTOR_NAMES``, float64 ``[num_descriptors]``, in RDKit's units.

    NaN where RDKit fails or gives an infinite value (partial charges of metals, for instance).

    Args:
        mol: a sanitised molecule with implicit hydrogens.
    """
    with rdBase.BlockLogs():
        return np.array([_value(function, mol) for function in _FUNCTIONS.values()])


def _value(function: Callable[[Chem.Mol], float], mol: Chem.Mol) -> float:
    try:
        value = float(function(mol))
    except (ValueError, RuntimeError, ArithmeticError):  # RuntimeError: violated invariants
        return math.nan
    return value if math.isfinite(value) else math.nan
