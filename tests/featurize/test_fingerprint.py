import numpy as np
from rdkit import Chem

from molvec.featurize.fingerprint import fingerprint, fingerprint_counts


def test_counts_of_a_chain():
    """Butane: two kinds of atoms and their neighbourhoods twice each, the whole chain once."""
    counts = fingerprint_counts(Chem.MolFromSmiles("CCCC"))
    assert counts.dtype == np.float32
    assert counts.shape == (2048,)
    assert sorted(counts[counts > 0]) == [1.0, 2.0, 2.0, 2.0, 2.0]
    atoms = fingerprint_counts(Chem.MolFromSmiles("CCCC"), radius=0)
    assert sorted(atoms[atoms > 0]) == [2.0, 2.0]


def test_counts_are_above_zero_where_bits_are_set():
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")
    counts = fingerprint_counts(mol, size=512)
    bits = fingerprint(mol, size=512)[0].numpy()
    np.testing.assert_array_equal(counts > 0, bits > 0)
    assert counts.max() > 1


def test_counts_tell_chain_lengths_apart_where_bits_do_not():
    short, long = (Chem.MolFromSmiles("C" * n) for n in (9, 14))
    assert (fingerprint(short, size=2048) == fingerprint(long, size=2048)).all()
    assert (fingerprint_counts(short) != fingerprint_counts(long)).any()
