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
    """An mmCIF file with a trace per chain: ``{"A": 30}``."""
    import gemmi

    text = "TER\n".join(trace(length, chain=name) for name, length in lengths.items())
    structure = gemmi.read_pdb_string(text)
    structure.setup_entities()
    return structure.make_mmcif_document().as_string()
