"""A learned attention over atoms finds the one that matters."""

import numpy as np
import pytest
import torch

from benchmarks.attention import READOUTS, fitted, measured


@pytest.fixture(scope="module")
def marked():
    """Molecules whose label is what the one marked atom says."""
    generator = torch.Generator().manual_seed(0)
    atoms = []
    for _ in range(800):
        each = torch.randn(12, 4, generator=generator)
        each[:, 0] = 0.0
        each[torch.randint(12, (1,), generator=generator), 0] = 8.0
        atoms.append(each)
    y = [[float(each[each[:, 0] > 0, 1])] for each in atoms]
    return np.array(y), atoms


@pytest.mark.parametrize(("readout", "bound"), [("attention", 0.4), ("mean, maximum, sum", None)])
def test_attention_reads_the_marked_atom(marked, readout, bound):
    y, atoms = marked
    rows = np.arange(800)
    reader = fitted("regression", y, rows[:600], rows[600:700], atoms, READOUTS[readout], seed=0)
    error = measured(reader, y, rows[700:], atoms)
    assert error < bound if bound else error > 0.7  # of values with a deviation of 1
