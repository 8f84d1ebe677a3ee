import numpy as np
import pytest
import torch

from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.extended_huckel import ENERGIES, NUM_EXTENDED_HUCKEL, extended_huckel
from molvec.records import Conformer

WATER = np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
METHANE = 0.63 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
CHARGE, HOMO, LUMO = (len(ENERGIES) + place for place in range(3))
FRONTIER = slice(LUMO + 1, LUMO + 6)


def targets(elements, positions):
    conformer = Conformer("x", np.array(elements, np.uint8), np.asarray(positions, np.float32))
    found = extended_huckel(ConformerFeaturizer()(conformer))
    assert found.dtype == torch.float32
    assert found.shape == (len(elements), NUM_EXTENDED_HUCKEL)
    return found


def test_water_is_a_dipole_and_methane_is_not():
    water, methane = targets([8, 1, 1], WATER), targets([6, 1, 1, 1, 1], METHANE)
    assert water[0, CHARGE] < -0.5
    assert torch.allclose(water[1:, CHARGE], -water[0, CHARGE] / 2, atol=0.02)
    assert methane[:, CHARGE].sum().abs() < 1e-3
    assert water[0, -1] > 0.4
    assert methane[0, -1] < 1e-3
    assert (water[:, -1] == water[0, -1]).all()  # of the molecule, the same at all atoms


def test_shares_of_an_orbital_add_up_and_the_lone_pair_is_on_the_oxygen():
    water = targets([8, 1, 1], WATER)
    assert torch.allclose(water[:, HOMO].sum(), torch.tensor(1.0), atol=1e-4)
    assert torch.allclose(water[:, LUMO].sum(), torch.tensor(1.0), atol=1e-4)
    assert water[0, HOMO] > 0.99
    # 6 orbitals, 4 of them occupied: the fifth of the frontier does not exist
    assert water[0, FRONTIER].isnan().tolist() == [False] * 4 + [True]
    assert water[0, FRONTIER.start + 1] == pytest.approx(-14.8, abs=1e-3)  # an oxygen's 2p


def test_density_of_states_counts_orbitals_near_an_energy():
    hydrogen = targets([1], [[0, 0, 0]])[0]
    near = np.exp(-(((-13.6 - np.array(ENERGIES)) / np.gradient(np.array(ENERGIES, float))) ** 2))
    np.testing.assert_allclose(hydrogen[: len(ENERGIES)], near, atol=1e-5)
    assert hydrogen[CHARGE] == pytest.approx(0, abs=1e-6)
    assert hydrogen[FRONTIER].isnan().tolist() == [True, False, True, True, True]
    assert hydrogen[LUMO].isnan()


def test_nothing_changes_when_the_molecule_turns_or_moves():
    turned = WATER[:, [1, 2, 0]] * [1, -1, 1] + 5
    assert torch.allclose(
        targets([8, 1, 1], turned), targets([8, 1, 1], WATER), atol=1e-3, equal_nan=True
    )


def test_an_element_without_parameters_gives_no_targets():
    assert targets([8, 1, 2], WATER).isnan().all()


def test_nothing_is_written_to_standard_error(capfd):
    targets([7, 1], [[0, 0, 0], [0.9, 0, 0]])  # "suspicious", says the program
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("apart", [0.0, 1e-5, 0.1])
def test_atoms_at_one_place_give_no_targets(apart):
    """RDKit ends the process at 0, and gives energies of 1e11 eV just above."""
    positions = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 1 + apart]])
    assert targets([6, 1, 1], positions).isnan().all()
