"""Structures that tests write."""

import numpy as np


def trace(length, chain="A", residue="ALA"):
    """A CA trace that winds like a helix."""
    angle = 1.745 * np.arange(length)
    points = np.stack([2.3 * np.cos(angle), 2.3 * np.sin(angle), 1.5 * np.arange(length)], axis=1)
    points[:, 2] %= 900  # the format has no room for more
    return "".join(
        f"ATOM  {i % 99999:>5}  CA  {residue} {chain}{i % 9999:>4}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C  \n"
        for i, (x, y, z) in enumerate(points, 1)
    )


def mmcif(lengths):
    """An mmCIF file with a CA trace per chain: ``{"A": 30}``."""
    import gemmi

    structure = gemmi.Structure()
    model = gemmi.Model(1)
    for name, length in lengths.items():
        chain = gemmi.Chain(name)
        for i in range(length):
            residue = gemmi.Residue()
            residue.name = "ALA"
            residue.seqid = gemmi.SeqId(str(i + 1))
            atom = gemmi.Atom()
            atom.name = "CA"
            atom.element = gemmi.Element("C")
            angle = 1.745 * i
            atom.pos = gemmi.Position(2.3 * np.cos(angle), 2.3 * np.sin(angle), 1.5 * i)
            residue.add_atom(atom)
            chain.add_residue(residue)
        model.add_chain(chain)
    structure.add_model(model)
    structure.setup_entities()
    return structure.make_mmcif_document().as_string()
