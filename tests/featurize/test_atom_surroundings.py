import math

import numpy as np
import torch

from molvec.featurize.atom_surroundings import (
    CENTERS,
    NUM_ATOM_SURROUNDINGS,
    WIDTH,
    atom_surroundings,
)
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.records import Conformer


def test_counts_by_element_and_distance():
    elements = np.array([6, 1, 1, 9], np.uint8)
    positions = np.array([[0, 0, 0], [1.1, 0, 0], [0, 1.1, 0], [0, 0, -1.45]], np.float32)
    graph = ConformerFeaturizer()(Conformer("x", elements, positions))
    found = atom_surroundings(graph)
    assert found.shape == (4, NUM_ATOM_SURROUNDINGS)
    carbon = found[0].view(5, len(CENTERS))
    bond = math.exp(-(((1.45 - 1.1) / WIDTH) ** 2))
    assert torch.allclose(carbon[0, :2], torch.tensor([2.0, 2 * bond]), atol=1e-5)  # hydrogens
    assert torch.allclose(carbon[4, :2], torch.tensor([bond, 1.0]), atol=1e-5)  # fluorine
    assert carbon[1:4].abs().max() == 0
    turned = Conformer("y", elements, positions[:, [1, 2, 0]] + 5)
    assert torch.allclose(atom_surroundings(ConformerFeaturizer()(turned)), found, atol=1e-4)


def test_one_atom_has_none():
    lone = Conformer("he", np.array([2], np.uint8), np.zeros((1, 3), np.float32))
    assert atom_surroundings(ConformerFeaturizer()(lone)).abs().sum() == 0


def test_far_from_the_origin_is_as_good_as_near():
    rng = np.random.default_rng(0)
    positions = 3 * rng.standard_normal((40, 3)).astype(np.float32)
    found = []
    for shift in (0, 256):  # 40 atoms: from 26 on, distances may come from products of matrices
        conformer = Conformer("x", np.full(40, 6, np.uint8), np.round(positions, 3) + shift)
        found.append(atom_surroundings(ConformerFeaturizer()(conformer)))
    assert torch.allclose(found[0], found[1], atol=1e-3)
