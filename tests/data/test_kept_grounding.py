"""Slow targets, kept on disk."""

import pickle
import shutil

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from molvec.data.kept_grounding import KeptGrounding
from molvec.errors import UserError

LENGTHS = np.array([2, 3, 1])
GRAPHS = [Data(x=torch.full((n, 1), float(n))) for n in LENGTHS]


class Counted:
    """Computes ``[n, 2]`` and counts how often; NaN in the last graph."""

    def __init__(self):
        self.calls = 0

    def __call__(self, graph):
        self.calls += 1
        values = graph.x.float() * torch.tensor([1.0, 10.0])
        return values * float("nan") if len(values) == 1 else values


def keep(cache, key="k", size=2):
    ground = Counted()
    return ground, KeptGrounding(ground, size=size, lengths=LENGTHS, key=key, cache=cache)


def test_each_graph_is_computed_once_by_any_number_of_runs(tmp_path):
    ground, kept = keep(tmp_path)
    first = [kept(row, graph) for row, graph in enumerate(GRAPHS)]
    assert first[1].tolist() == [[3, 30]] * 3
    assert first[2].isnan().all()  # "no target" is known, too
    again, later = keep(tmp_path)
    for row, graph in enumerate(GRAPHS):
        torch.testing.assert_close(later(row, graph), first[row], equal_nan=True)
    assert (ground.calls, again.calls) == (3, 0)


def test_what_is_returned_does_not_change_what_is_kept(tmp_path):
    _, kept = keep(tmp_path)
    kept(0, GRAPHS[0])
    kept(0, GRAPHS[0]).zero_()
    assert kept(0, GRAPHS[0]).tolist() == [[2, 20]] * 2


def test_another_key_or_number_of_columns_is_another_file(tmp_path):
    _, kept = keep(tmp_path)
    assert keep(tmp_path)[1].folder == kept.folder
    assert keep(tmp_path, key="other")[1].folder != kept.folder
    assert keep(tmp_path, size=3)[1].folder != kept.folder


def test_values_that_do_not_match_their_checksum_are_computed_again(tmp_path):
    _, kept = keep(tmp_path)
    kept(1, GRAPHS[1])
    values = np.load(kept.folder / "values.npy", mmap_mode="r+")
    values[3, 0] = 7
    values.flush()
    again, later = keep(tmp_path)
    assert later(1, GRAPHS[1]).tolist() == [[3, 30]] * 3
    assert again.calls == 1
    assert later(1, GRAPHS[1])[1, 0] == 3
    assert again.calls == 1


@pytest.mark.parametrize("name", ["values.npy", "checks.npy"])
@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None])
def test_damaged_files_are_made_anew(tmp_path, name, damage):
    _, kept = keep(tmp_path)
    kept(1, GRAPHS[1])
    if damage is None:
        (kept.folder / name).unlink()
    else:
        (kept.folder / name).write_bytes(damage)
    again, later = keep(tmp_path)
    assert later(1, GRAPHS[1]).tolist() == [[3, 30]] * 3
    assert again.calls == 1


def test_it_can_be_sent_to_another_process(tmp_path):
    _, kept = keep(tmp_path)
    kept(0, GRAPHS[0])
    sent = pickle.loads(pickle.dumps(kept))
    assert sent(0, GRAPHS[0]).tolist() == [[2, 20]] * 2
    assert sent.ground.calls == 1  # as it was sent


def test_a_disk_without_room(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=40)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(UserError, match=r"needs 0.0 GB, and 0.0 are free; set MOLVEC_CACHE to"):
        keep(tmp_path)
    assert not any(tmp_path.rglob("*.npy"))
    keep(tmp_path, size=1)  # 36 bytes


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(UserError, match="set MOLVEC_CACHE to"):
        keep(tmp_path / "cache")
