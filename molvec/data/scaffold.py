"""Groups of molecules with the same Bemis-Murcko scaffold, and the two ways to deal them out."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rdkit.Chem.Scaffolds import MurckoScaffold

from molvec.records import Record, parse

Groups = list[list[int]]
Parts = tuple[list[int], list[int], list[int]]  # train, valid, test

TRAIN, VALID = 0.8, 0.1  # the test part is the rest


def scaffold_groups(smiles: Sequence[str], *, chirality: bool) -> Groups:
    """Return the positions of the molecules of each scaffold, scaffolds by first appearance.

    Molecules without a ring have the empty scaffold, so they are one group.

    Args:
        smiles: all of them molecules. `parse` gives the same scaffolds as RDKit's own reader does
            from the text, on every molecule of the 13 MoleculeNet sets.
        chirality: whether scaffolds that differ in stereochemistry differ.
    """
    groups: dict[str, list[int]] = {}
    for index, text in enumerate(smiles):
        mol = parse(Record(index, smiles=text))
        scaffold = MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=chirality)
        groups.setdefault(scaffold, []).append(index)
    return list(groups.values())


def deal_hu(groups: Groups) -> Parts:
    """Deal out scaffolds from large to small (Hu et al. 2020, arXiv 1905.12265).

    As ``scaffold_split`` in ``chem/splitters.py`` of the authors' pretrain-gnns: groups sorted by
    (size, first position), both descending; a group goes to train if train then holds at most 0.8
    of all molecules, else to valid if train and valid then hold at most 0.9, else to test.

    Args:
        groups: of ascending positions, which together are 0 to N - 1.
    """
    total = sum(map(len, groups))
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for group in sorted(groups, key=lambda group: (len(group), group[0]), reverse=True):
        if len(train) + len(group) <= TRAIN * total:
            train += group
        elif len(train) + len(valid) + len(group) <= (TRAIN + VALID) * total:
            valid += group
        else:
            test += group
    return train, valid, test


def deal_balanced(groups: Groups, seed: int) -> Parts:
    """Deal out scaffolds in a random order, large ones first (chemprop's ``scaffold_balanced``).

    Groups larger than half the wanted size of valid or test come first, in an order drawn from
    ``seed``, then the others, likewise; a group goes to train if train then holds at most 0.8 of
    all molecules, else to valid if valid then holds at most 0.1, else to test. So large scaffolds
    are in train as long as there is room.

    Args:
        groups: by first appearance, of positions which together are 0 to N - 1.
        seed: of the order.
    """
    total = sum(map(len, groups))
    half = VALID * total / 2
    large = [group for group in groups if len(group) > half]
    small = [group for group in groups if len(group) <= half]
    order = random.Random(seed)
    order.shuffle(large)
    order.shuffle(small)
    train: list[int] = []
    valid: list[int] = []
    test: list[int] = []
    for group in large + small:
        if len(train) + len(group) <= TRAIN * total:
            train += group
        elif len(valid) + len(group) <= VALID * total:
            valid += group
        else:
            test += group
    return train, valid, test
