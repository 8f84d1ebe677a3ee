"""The script of rMD17 on frames made up here."""

import json

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch

from benchmarks import rmd17
from molvec.benchmarking.encoders import ModelFolder
from molvec.data.trajectory import read_trajectory
from molvec.embed.load import load
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.nn.graph_model import GraphModel
from molvec.nn.head import GraphHead
from molvec.nn.readout import graph_width


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """A water molecule whose energy is that of two springs."""
    rng = np.random.default_rng(0)
    rest = np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    positions = rest + rng.normal(scale=0.05, size=(90, 3, 3))
    bonds = np.linalg.norm(positions[:, 1:] - positions[:, :1], axis=2)
    held = {"z": np.array([8, 1, 1]), "R": positions, "F": np.zeros((90, 3, 3))}
    held["E"] = 20 * np.square(bonds - 0.96).sum(1) - 2000
    for pair in range(1, 6):
        held[f"train_{pair:02}"], held[f"test_{pair:02}"] = np.arange(60), np.arange(60, 90)
    path = tmp_path_factory.mktemp("frames") / "water.npz"
    np.savez(path, **held)
    return read_trajectory(path, name="water")


def test_energies_of_springs_are_found(frames, tmp_path):
    split = frames.split(0, valid=10)
    folder = ModelFolder("qm9-3d")
    found = rmd17.probed(frames, split, folder, 2)
    spread = 1000 * np.abs(frames.energies[split.test] - frames.energies[split.train].mean())
    assert (len(found["pretrained"]), len(found["random start"])) == (1, 2)
    assert found["pretrained"][0] < 0.5 * spread.mean()
    trained = rmd17.tuned(frames, split, folder, {"epochs": 1}, 1)
    assert trained.keys() == {"fine-tuned", "from scratch"}
    assert trained["fine-tuned"] != trained["from scratch"]
    document = {"scores": {"water": found | {"mean": [float(spread.mean())]}}}
    rmd17.write(tmp_path, "rmd17-frozen", document)
    assert json.loads((tmp_path / "rmd17-frozen.json").read_text()) == document
    lines = (tmp_path / "rmd17-frozen.md").read_text().splitlines()
    assert lines[0] == "| MAE of the energy, meV | water |"
    assert lines[2] == f"| pretrained | {found['pretrained'][0]:.1f} |"


def test_forces_are_the_gradient_of_a_model_s_energy(frames):
    """By finite differences, through encoder, readout and head of a shipped model."""
    shipped = load("qm9-3d", device="cpu")
    width = graph_width(shipped.readout, shipped.encoder)
    torch.manual_seed(0)
    head = GraphHead(width=width, num_targets=1, task="regression", hidden=None, dropout=0.0)
    model = GraphModel(shipped.encoder, shipped.readout, head).double().eval()
    graph = ConformerFeaturizer()(frames.conformers()[0])

    def energy(pos):
        moved = graph.clone()
        moved.pos = pos
        return model(Batch.from_data_list([moved])).sum()

    pos = graph.pos.double().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(pos), pos)
    assert float(gradient.abs().max()) > 1e-3
    assert float(gradient.sum(0).abs().max()) < 1e-9  # forces of a molecule add up to nothing
    assert torch.autograd.gradcheck(energy, pos, eps=1e-6, atol=1e-6)
