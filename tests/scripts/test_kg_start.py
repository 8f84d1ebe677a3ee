"""Starts of ComplEx from given vectors."""

import numpy as np
import pytest

from benchmarks import kg_start
from benchmarks.kg_start import SCALE, principal


def test_principal_axes_keep_distances_and_get_a_spread():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20)) + 7).astype(np.float32)
    start = principal(x, 8)
    assert start.shape == (50, 8)
    assert start.dtype == np.float32
    assert start.std() == pytest.approx(SCALE, rel=0.05)
    standard = (x - x.mean(0)) / x.std(0)
    one, two = (np.linalg.norm(a[:, None] - a[None], axis=2) for a in (standard, start))
    np.testing.assert_allclose(two / two.max(), one / one.max(), atol=1e-4)
    narrow = principal(x[:, :2], 8)
    assert narrow.shape == (50, 8)
    assert not narrow[:, 2:].any()


@pytest.mark.parametrize(
    ("share", "name", "taught"),
    [(1.0, "toy", ""), (0.1, "toy-10", ", learning from 10% of the training triples")],
)
def test_curves_are_means_over_seeds(share, name, taught, tmp_path):
    runs = [
        {"start": "pretrained", "seed": s, "curve": [(2, 0.1 + s), (4, 0.3)], "test": {"mrr": test}}
        for s, test in enumerate((0.2, 0.3))
    ]
    kg_start.write(tmp_path, "toy", {"command": "x", "runs": runs}, share=share)
    text = (tmp_path / f"kg-start-{name}.md").read_text()
    assert f"toy{taught}: validation MRR" in text
    assert "| pretrained | 0.600 | 0.300 | 0.250 ± 0.071 |" in text
