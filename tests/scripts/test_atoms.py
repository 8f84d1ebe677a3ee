"""What the probes of atoms call the truth."""

import numpy as np
from rdkit import Chem
from rdkit.Chem import Crippen

from benchmarks.atoms import QUESTIONS, answers, probe


def test_answers_about_an_ester():
    # CH3-C(=O)-O-c1ccccc1: atoms 0..3 are C, C, O, O; 4 to 9 the ring.
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1")
    truth = answers(mol)
    assert truth.shape == (10, len(QUESTIONS))
    assert truth[:, 0].tolist() == [0, 1, 0, 1, 1, 1, 1, 1, 1, 1]
    # The carbonyl's carbon is atom 1; three bonds from it are the ring's ortho carbons.
    assert np.flatnonzero(truth[:, 1]).tolist() == [5, 9]
    assert truth[:, 2].sum() < Crippen.MolLogP(mol)  # the hydrogens' part is not theirs
    assert np.abs(truth[:, 4]).max() < 1
    assert truth[2, 4] < -0.2  # the carbonyl's oxygen


def test_probe_finds_what_is_there_and_nothing_in_noise():
    mols = [Chem.MolFromSmiles(s) for s in ("CC(=O)Oc1ccccc1", "CCN", "c1ccncc1C=O", "CCOC") * 15]
    truth = [answers(mol) for mol in mols]
    parts = np.split(np.arange(60), [36, 48])
    told = probe([np.nan_to_num(t) for t in truth], truth, parts)
    assert min(told.values()) > 0.95
    rng = np.random.default_rng(0)
    noise = probe([rng.normal(size=(len(t), 3)) for t in truth], truth, parts)
    assert noise["logP contribution"] < 0.1
    assert 0.3 < noise["aromatic atom two bonds away"] < 0.7
