"""What tests of training with labels share: molecules with labels, their parts, a small network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from molvec.config import load_finetune_settings
from molvec.data.labelled import Labelled
from molvec.data.split import Split
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.nn.graph_model import GraphModel
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.head import GraphHead
from molvec.records import SkipCount
from molvec.train.supervised import Part
from tests.graphs import molecule


def labelled(smiles, targets, task="classification", name="toy"):
    return Labelled(
        name=name,
        task=task,
        smiles=tuple(smiles),
        rows=np.arange(len(smiles)),
        targets=pd.DataFrame(targets).astype(float),
        num_rows=len(smiles),
        skipped=SkipCount(),
        duplicates=0,
        contradictions=0,
        sha256="d" * 64,
    )


def two_targets(smiles):
    """30 molecules, a single atom and a salt among them, with two targets; labels are missing."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 2, (2, 30)).astype(float)
    second[4:8] = np.nan
    return labelled(["C", "[Na+].[Cl-]", *smiles[:28]], {"toxic": first, "active": second})


def quick(**changes):
    """Two epochs of fine-tuning."""
    base = {"epochs": 2, "batch_size": 8, "lr": 1e-3, "preset": "tiny", "device": "cpu"}
    return load_finetune_settings(base | changes)


def split_of(size, *, valid, test):
    """The last molecules test, those before them choose the epoch."""
    rows = np.arange(size)
    cuts = size - valid - test, size - test
    train, middle, last = np.split(rows, cuts)
    return Split(name="random", seed=0, train=train, valid=middle, test=last, sha256="5" * 64)


def network(task="classification", num_targets=1, *, dropout=0.0, depth=2, hidden=None, seed=0):
    """A network of 16 channels with the readout mean_sum."""
    torch.manual_seed(seed)
    featurizer = MoleculeFeaturizer()
    encoder = GraphTransformer(
        node_sizes=featurizer.node_sizes,
        edge_sizes=featurizer.edge_sizes,
        dim=16,
        depth=depth,
        heads=2,
        dropout=dropout,
    )
    head = GraphHead(width=32, num_targets=num_targets, task=task, hidden=hidden, dropout=dropout)
    return GraphModel(encoder, "mean_sum", head)


def part(smiles, targets):
    values = torch.tensor(np.asarray(targets, dtype=np.float32).reshape(len(smiles), -1))
    return Part([molecule(text) for text in smiles], values)
