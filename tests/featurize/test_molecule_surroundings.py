import pytest
import torch
from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors

from molvec.featurize.molecule_surroundings import (
    KINDS,
    NUM_CONTRIBUTIONS,
    NUM_MOLECULE_SURROUNDINGS,
    SHELLS,
    molecule_surroundings,
)

ASPIRIN = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")


def counts(mol, atom, shell):
    """What lies ``shell`` bonds from an atom, without what does not."""
    first = NUM_CONTRIBUTIONS + SHELLS.index(shell) * len(KINDS)
    values = molecule_surroundings(mol)[atom, first : first + len(KINDS)]
    return {kind: int(n) for kind, n in zip(KINDS, values, strict=True) if n}


def test_contributions_add_up_to_rdkits_descriptors():
    total = molecule_surroundings(ASPIRIN).sum(0)
    assert float(total[0]) == pytest.approx(Crippen.MolLogP(ASPIRIN), abs=1e-4)
    assert float(total[1]) == pytest.approx(Crippen.MolMR(ASPIRIN), rel=1e-5)
    hydrogens = 0.02  # at most; RDKit counts them by molecule
    assert float(total[2]) == pytest.approx(rdMolDescriptors.CalcLabuteASA(ASPIRIN), rel=hydrogens)
    assert float(total[3]) == pytest.approx(rdMolDescriptors.CalcTPSA(ASPIRIN), rel=1e-5)
    charge = molecule_surroundings(ASPIRIN)[:, 4]
    assert int(charge.argmax()) == 10, "the carbon of the acid is the most positive"


def test_neighbours_by_distance():
    assert counts(ASPIRIN, 0, 1) == {"aliphatic carbon": 1}
    assert counts(ASPIRIN, 0, 2) == {"oxygen": 2}
    assert counts(ASPIRIN, 0, 3) == {"aromatic carbon": 1, "in a ring": 1}
    assert counts(ASPIRIN, 0, 4) == {"aromatic carbon": 2, "in a ring": 2}
    zwitterion = Chem.MolFromSmiles("[NH3+]CC(=O)[O-]")
    assert counts(zwitterion, 1, 1) == {
        **{"aliphatic carbon": 1, "nitrogen": 1},
        **{"donor hydrogen": 3, "charged": 1},
    }
    odd = Chem.MolFromSmiles("FC(Cl)(S)[Si]P")
    assert counts(odd, 1, 1) == {
        **{"halogen": 2, "sulfur or phosphorus": 1},
        **{"other element": 1, "donor hydrogen": 1},
    }


def test_the_order_of_the_atoms_does_not_matter():
    order = torch.randperm(13, generator=torch.Generator().manual_seed(0))
    shuffled = Chem.RenumberAtoms(ASPIRIN, order.tolist())
    both = molecule_surroundings(shuffled), molecule_surroundings(ASPIRIN)[order]
    assert torch.allclose(*both, atol=1e-5)


@pytest.mark.parametrize("smiles", ["C", "[Na+].[Cl-]", "C[Hg]C", "[H][H]", "C" * 120])
def test_any_molecule_has_a_row_per_atom(smiles):
    mol = Chem.MolFromSmiles(smiles)
    values = molecule_surroundings(mol)
    assert values.shape == (mol.GetNumAtoms(), NUM_MOLECULE_SURROUNDINGS)
    assert values.dtype == torch.float32
    assert not values.isinf().any()
