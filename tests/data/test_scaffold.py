"""Scaffold groups, and dealing them out, against a naive re-implementation."""

from collections import defaultdict

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from molvec.data.scaffold import deal_balanced, deal_hu, scaffold_groups

RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNC1", "c1ccc2ccccc2c1", "c1ccoc1", "C1CC1"]
LINKED = ["c1ccccc1CC1CC1", "c1ccccc1NC1CCNC1", "C1C(=O)NCC1", "C1COC1", "c1ccsc1", "N1CC1"]


def molecules(seed, count=120):
    """Random substituents on few scaffolds: groups of many sizes, with ties."""
    rng = np.random.default_rng(seed)
    weights = rng.exponential(size=14)
    smiles = []
    for choice in rng.choice(14, size=count, p=weights / weights.sum()):
        chain = "C" * rng.integers(1, 6) + str(rng.choice(["", "O", "N", "S"]))
        smiles.append(chain + ([*RINGS, *LINKED, ""][choice]))
    return smiles


def naive_scaffold_hu(smiles_list):
    """``scaffold_split`` of pretrain-gnns, from the text, written down anew."""
    sets = defaultdict(list)
    for i, smiles in enumerate(smiles_list):
        scaffold = MurckoScaffold.MurckoScaffoldSmiles(smiles=smiles, includeChirality=True)
        sets[scaffold].append(i)
    ordered = sorted(sets.values(), key=lambda x: (len(x), x[0]), reverse=True)
    train, valid, test = [], [], []
    train_cutoff, valid_cutoff = 0.8 * len(smiles_list), 0.9 * len(smiles_list)
    for scaffold_set in ordered:
        if len(train) + len(scaffold_set) > train_cutoff:
            if len(train) + len(valid) + len(scaffold_set) > valid_cutoff:
                test.extend(scaffold_set)
            else:
                valid.extend(scaffold_set)
        else:
            train.extend(scaffold_set)
    return train, valid, test


@pytest.mark.parametrize("seed", range(8))
def test_hu_against_the_naive_way(seed):
    smiles = molecules(seed)
    assert deal_hu(scaffold_groups(smiles, chirality=True)) == naive_scaffold_hu(smiles)


def groups_of(*sizes):
    ends = np.cumsum(sizes)
    return [list(range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]


def test_hu_by_hand():
    # 10 molecules; of two scaffolds of equal size the one that appears later goes first.
    train, valid, test = deal_hu([[0, 4], [1, 5], [2, 3, 6], [7], [8], [9]])
    assert train == [2, 3, 6, 1, 5, 0, 4, 9]
    assert (valid, test) == ([8], [7])


def test_hu_fills_train_with_what_still_fits():
    train, valid, test = deal_hu(groups_of(14, 5, 1))
    assert (train, valid, test) == ([*range(14), 19], [], [*range(14, 19)])


def test_hu_a_giant_group_does_not_fit_anywhere_but_test():
    assert deal_hu(groups_of(19, 1)) == ([19], [], list(range(19)))


def test_groups():
    smiles = ["CCO", "Cc1ccccc1", "N", "c1ccccc1CC", "C1CC1"]
    assert scaffold_groups(smiles, chirality=True) == [[0, 2], [1, 3], [4]]


def test_chirality_makes_scaffolds_differ():
    left, right = "c1ccc([C@H]2CCO[C@@H]2c2ccccc2)cc1", "c1ccc([C@H]2CCO[C@H]2c2ccccc2)cc1"
    assert scaffold_groups([left, right], chirality=True) == [[0], [1]]
    assert scaffold_groups([left, right], chirality=False) == [[0, 1]]


@pytest.mark.parametrize(
    "smiles",
    ["[H]c1c([H])c([H])c([H])c([H])c1[H]", "c1ccccc1.[Cl-]", "C/C=C/c1ccccc1", "[2H]c1ccccc1"],
)
def test_as_from_the_text(smiles):
    """molvec's parser gives the scaffold that RDKit's own reader gives."""
    expected = MurckoScaffold.MurckoScaffoldSmiles(smiles=smiles, includeChirality=True)
    same = Chem.CanonSmiles(expected)
    assert scaffold_groups([smiles, same], chirality=True) == [[0, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_balanced_rule(seed):
    sizes = [30, 6, *[5] * 4, *[1] * 44]
    groups = groups_of(*sizes)
    train, valid, test = deal_balanced(groups, seed)
    assert sorted(train + valid + test) == list(range(100))
    assert set(range(36)) <= set(train)  # the groups above 5 = 10 / 2 are placed first
    assert (len(train), len(valid), len(test)) == (80, 10, 10)
    for group in groups:
        assert any(set(group) <= set(part) for part in (train, valid, test))


def test_balanced_depends_on_the_seed_only():
    groups = groups_of(6, *[2] * 47)
    before = [list(group) for group in groups]
    assert deal_balanced(groups, 3) == deal_balanced(groups, 3)
    assert deal_balanced(groups, 3) != deal_balanced(groups, 4)
    assert groups == before


def test_balanced_order_is_frozen():
    """A change of the shuffling would make published tables irreproducible."""
    assert deal_balanced(groups_of(*[1] * 10), 0)[1:] == ([9], [6])
