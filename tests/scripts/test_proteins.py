"""The arithmetic of the residue probes: they reward what is known and nothing else."""

import gzip

import numpy as np
import pytest

from benchmarks.proteins import (
    NEIGHBOURHOOD,
    Residues,
    averaged,
    interface,
    read,
    related,
    state,
    validate,
)
from molvec.records import Chain

LENGTHS = (40, 30, 50, 40)


def chain(length, shift=0.0):
    backbone = np.full((length, 4, 3), np.nan, dtype=np.float32)
    backbone[:, 1] = [[3.8 * i + shift, 0.0, 0.0] for i in range(length)]
    return Chain("x", "A" * length, tuple(map(str, range(length))), backbone)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    n = sum(LENGTHS)
    chains = [chain(length) for length in LENGTHS]
    part = np.repeat([0, 0, 1, 2], LENGTHS)
    labels = (rng.random(n) < 0.3).astype(float)
    states = rng.integers(0, 3, n).astype(float)
    states[::7] = np.nan
    features = rng.normal(size=(n, 4))
    return Residues(
        chains, part, labels, states, features, averaged(features, chains), np.ones((n, 1))
    )


def test_what_knows_the_answer_gets_it(data):
    scores = interface(data, data.interface[:, None])
    assert scores == pytest.approx({"AUPRC": 1, "AUROC": 1, "MCC": 1})
    one_hot = (data.state[:, None] == np.arange(3)).astype(float)
    assert state(data, one_hot) == 1


def test_what_knows_nothing_scores_like_a_guess(data):
    nothing = np.random.default_rng(1).normal(size=(len(data.part), 3))
    scores = interface(data, nothing)
    share = data.interface[data.part == 2].mean()
    assert scores["AUPRC"] == pytest.approx(share, abs=0.25)
    assert abs(scores["MCC"]) < 0.4
    assert state(data, nothing) < 0.6


def test_the_scored_part_reaches_no_fit(data):
    x = data.features
    before = interface(data, x)
    changed = np.where(data.part == 2, 1 - data.interface, data.interface)
    flipped = Residues(**{**vars(data), "interface": changed})
    assert interface(flipped, x)["AUROC"] == pytest.approx(1 - before["AUROC"])


class Oracle:
    """An embedder that knows the labels."""

    def __init__(self, data):
        self.chains = {id(chain): i for i, chain in enumerate(data.chains)}
        self.label = np.split(data.interface, np.cumsum([len(c) for c in data.chains])[:-1])

    def embed(self, chains, *, level, on_error):
        assert (level, on_error) == ("residue", "raise")
        return [self.label[self.chains[id(chain)]][:, None] for chain in chains]


def test_validation_never_looks_at_the_scored_part():
    rng = np.random.default_rng(2)
    chains = [chain(30) for _ in range(16)]
    part = np.repeat([0] * 7 + [1] * 6 + [2] * 3, 30)
    features = rng.normal(size=(480, 4))
    labels = (rng.random(480) < 0.3).astype(float)
    states = np.where(labels > 0, 1.0, rng.choice([0.0, 2.0], 480))
    data = Residues(
        chains, part, labels, states, features, averaged(features, chains), np.ones((480, 1))
    )
    scores = validate(data, Oracle(data))
    assert list(scores) == [
        "embedding + given AUPRC",
        "AUPRC",
        "Q3",
        "effective rank of residues",
    ]
    assert scores["AUPRC"] == pytest.approx(1)
    assert 0.5 < scores["Q3"] < 0.9  # strands are known, the rest is a guess
    assert scores["effective rank of residues"] == pytest.approx(1)
    changed = np.where(part == 2, 1 - labels, labels)
    flipped = Residues(
        **{**vars(data), "interface": changed, "features": features + (part == 2)[:, None]}
    )
    assert validate(flipped, Oracle(data)) == scores
    assert validate(data, Oracle(data), folds=1)["AUPRC"] == pytest.approx(1)


def test_the_mean_of_a_neighbourhood_stays_in_the_chain(data):
    first = averaged(data.features, data.chains)[: LENGTHS[0]]
    reach = int(NEIGHBOURHOOD / 3.8)  # residues to each side of a straight chain
    np.testing.assert_allclose(first[10], data.features[10 - reach : 11 + reach].mean(0))
    np.testing.assert_allclose(first[0], data.features[: 1 + reach].mean(0))
    np.testing.assert_allclose(
        first[-1], data.features[LENGTHS[0] - 1 - reach : LENGTHS[0]].mean(0)
    )


@pytest.fixture
def folder(tmp_path):
    """Two training chains of GraphPPIS (one without CA), one test chain, two other chains."""
    (tmp_path / "graphppis").mkdir()
    (tmp_path / "labels").mkdir()
    offsets = np.array([0, 5, 9, 15])
    n = int(offsets[-1])
    rng = np.random.default_rng(0)
    ca = rng.normal(size=(n, 3)).astype(np.float32)
    ca[12] = np.nan
    np.savez(
        tmp_path / "graphppis" / "graphppis_features.npz",
        ids=np.array(["1aaaA", "2bbbB", "3cccC"]),
        split=np.array(["Train_335", "Train_335", "Test_60"]),
        offsets=offsets,
        seq=np.frombuffer(b"ACDEFGHIKLMNPQR", dtype="S1"),
        label=np.arange(n, dtype=np.uint8) % 2,
        has_ca=np.array([True, False, True]),
        ca=ca,
        dssp_ss=np.arange(n, dtype=np.uint8) % 9,
        dssp_ss_alphabet=np.array("HBEGITSC?"),
        rsa=np.zeros(n, dtype=np.float16),
        phi_psi_sincos=np.zeros((n, 4), dtype=np.float16),
        pssm=np.full((n, 20), 240, dtype=np.uint8),
        hmm=np.zeros((n, 20), dtype=np.uint8),
    )
    np.savez(
        tmp_path / "chains_ca_labels.npz",
        pdb_id=np.array(["4DDD", "5EEE"]),
        chain=np.array(["A", "E"]),
    )
    rows = [
        ("graphppis/graphppis_features.npz", 0, 5, 0),
        ("graphppis/graphppis_features.npz", 2, 6, 1),
        ("mmtf_ca_chains.npz", 0, 9, 0),
        ("mmtf_ca_chains.npz", 1, 9, 1),
    ]
    text = "file\tindex\tlength\tcluster\n" + "".join("\t".join(map(str, r)) + "\n" for r in rows)
    with gzip.open(tmp_path / "labels" / "sequence_clusters.tsv.gz", "wt") as file:
        file.write(text)
    return tmp_path


def test_only_relatives_of_the_test_chains_are_left_out(folder):
    assert related(folder) == ["5EEE_E_E"]


def test_chains_and_residues_without_ca_are_left_out(folder):
    data = read(folder / "graphppis" / "graphppis_features.npz")
    assert [(c.name, c.sequence) for c in data.chains] == [("1aaaA", "ACDEF"), ("3cccC", "LMNQR")]
    assert data.interface.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 1, 0]
    # H B E G I; then H B E, a residue without CA, I T.
    np.testing.assert_array_equal(data.state, [0, 1, 1, 0, 0, 0, 1, 1, 0, 2])
    assert data.features.shape == (10, 54)
    np.testing.assert_array_equal(data.features[:, :20], 1)
    assert data.part.tolist() == [1] * 5 + [2] * 5
