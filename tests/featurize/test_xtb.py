import numpy as np
import pytest
import torch

from molvec.errors import UserError
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.extended_huckel import ENERGIES
from molvec.featurize.xtb import NUM_SHARED, NUM_XTB, xtb, xtb_program
from molvec.records import Conformer

WATER = np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
METHANE = 0.63 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
CHARGE, ORDERS, HOMO, LUMO, OTHER = (len(ENERGIES) + place for place in range(5))
DIPOLE, ENERGY, POLARISABILITY, ANISOTROPY = range(-4, 0)
FRONTIER = slice(-NUM_SHARED, 5 - NUM_SHARED)


def targets(elements, positions):
    conformer = Conformer("x", np.array(elements, np.uint8), np.asarray(positions, np.float32))
    found = xtb(ConformerFeaturizer()(conformer))
    assert found.dtype == torch.float32
    assert found.shape == (len(elements), NUM_XTB)
    return found


def test_water_in_the_units_that_are_stated():
    water = targets([8, 1, 1], WATER)
    assert (water[:, -NUM_SHARED:] == water[0, -NUM_SHARED:]).all()  # of the molecule
    assert water[0, DIPOLE] == pytest.approx(2.27, abs=0.05)  # measured 1.85 Debye
    assert 3 * water[0, POLARISABILITY] == pytest.approx(2.4, abs=0.3)  # far too low: no diffuse
    assert 3 * water[0, ENERGY] == pytest.approx(-14.0, abs=0.5)  # measured -9.5 eV
    assert water[0, FRONTIER][1] == pytest.approx(-12.6, abs=0.1)  # measured 12.6 eV
    assert water[0, CHARGE] == pytest.approx(-0.56, abs=0.02)
    assert water[:, CHARGE].sum() == pytest.approx(0, abs=1e-4)
    assert water[:, ORDERS].tolist() == pytest.approx([1.84, 0.92, 0.92], abs=0.02)
    assert water[0, HOMO] > 0.99  # the lone pair
    assert water[:, LUMO].sum() == pytest.approx(1, abs=1e-4)


def test_methane_is_the_same_from_every_side():
    methane = targets([6, 1, 1, 1, 1], METHANE)
    assert methane[0, DIPOLE] == pytest.approx(0, abs=1e-3)
    assert methane[0, ANISOTROPY] == pytest.approx(0, abs=1e-2)
    # Three orbitals of one energy are its highest: none of them is chosen by chance.
    for column in (CHARGE, ORDERS, HOMO, LUMO, OTHER):
        assert methane[1:, column].tolist() == pytest.approx(
            [methane[1, column].item()] * 4, abs=1e-3
        )


def test_the_answer_to_a_field_is_along_the_bond():
    nitrogen = targets([7, 7], [[0, 0, 0], [1.1, 0, 0]])
    assert 2 * nitrogen[0, ANISOTROPY] == pytest.approx(5.8, abs=0.3)  # Bohr^3
    assert nitrogen[:, ORDERS].tolist() == pytest.approx([3, 3], abs=0.02)


def test_density_of_states_counts_orbitals_near_an_energy():
    hydrogen = targets([1], [[0, 0, 0]])[0]
    grid = np.array(ENERGIES, dtype=float)
    levels = hydrogen[FRONTIER][1:3, None].numpy()  # its 1s and the diffuse 2s
    near = np.exp(-(((levels - grid) / np.gradient(grid)) ** 2)).sum(0)
    np.testing.assert_allclose(hydrogen[: len(ENERGIES)], near, atol=1e-5)
    assert hydrogen[FRONTIER].isnan().tolist() == [True, False, False, True, True]
    assert hydrogen[ENERGY] == pytest.approx(0, abs=1e-6)  # it is a free atom


def test_a_radical_has_numbers():
    radical = targets([7, 8], [[0, 0, 0], [1.15, 0, 0]])
    assert radical[:, ORDERS].tolist() == pytest.approx([2.13, 2.13], abs=0.05)
    assert not radical.isnan().any()


def test_nothing_changes_when_the_molecule_turns_or_moves():
    turned = WATER[:, [1, 2, 0]] * [1, -1, 1] + 5
    assert torch.allclose(targets([8, 1, 1], turned), targets([8, 1, 1], WATER), atol=1e-3)


@pytest.mark.parametrize(
    ("elements", "positions"),
    [
        ([88, 17], [[0, 0, 0], [2.4, 0, 0]]),  # radium has no parameters
        ([119, 17], [[0, 0, 0], [2.4, 0, 0]]),  # nor has what is no element
        ([8, 8], [[0, 0, 0], [0.1, 0, 0]]),
        ([6, 6], [[0, 0, 0], [100, 0, 0]]),  # does not converge
    ],
)
def test_what_cannot_be_calculated_has_no_targets(elements, positions):
    assert targets(elements, positions).isnan().all()


def test_without_the_program(no_tblite):
    with pytest.raises(UserError, match=r"needs tblite: pip install 'molvec\[xtb\]'"):
        xtb_program()


def test_the_program_is_named():
    assert "tblite 0" in xtb_program()
