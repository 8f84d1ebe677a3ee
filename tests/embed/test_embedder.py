"""An embedding depends on the molecule alone; rows stay in their places, whatever they hold."""

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

from molvec.embed import Embedder, load
from molvec.embed import embedder as embedder_module
from molvec.errors import UserError
from molvec.records import Record, SkipCount

TOLERANCE = 1e-5  # what the design promises; relative, too, as sums over 300 atoms are large
BIG = "C" * 299 + "O"
DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "F/C=C/F",
    "[Na+].[Cl-]",
    "C1CC2CCC1CC2",
]


def assert_close(one, two):
    np.testing.assert_allclose(one, two, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.fixture(scope="module", params=["mean", "jk_mean_max_sum"])
def either(request, embedder):
    """The same encoder with each readout."""
    return Embedder(embedder.encoder, embedder.featurizer, readout=request.param, device="cpu")


# --- invariance -------------------------------------------------------------------------------


def test_the_vectors_differ_at_all(either, smiles):
    """What follows would also hold of constants."""
    vectors = either.embed(smiles)
    assert vectors.shape == (len(smiles), either.dim)
    distances = np.abs(vectors[:, None] - vectors[None]).max(-1)
    same = [[Chem.CanonSmiles(a) == Chem.CanonSmiles(b) for a in smiles] for b in smiles]
    assert distances[~np.array(same)].min() > 100 * TOLERANCE


def test_alone_or_in_a_batch(either, smiles):
    together = either.embed(smiles)
    for text, vector in zip(smiles, together, strict=True):
        assert_close(either.embed(text)[0], vector)


def test_any_order(either, smiles):
    order = np.random.default_rng(0).permutation(len(smiles))
    assert_close(either.embed([smiles[i] for i in order]), either.embed(smiles)[order])


def test_any_neighbours(either, smiles):
    plain = either.embed(smiles[:8])
    crowd = [BIG, "C", "garbage", None, *smiles[:4], "[H][H]", float("nan"), *smiles[4:8], BIG, ""]
    vectors = either.embed(crowd)
    assert_close(vectors[[4, 5, 6, 7, 10, 11, 12, 13]], plain)
    assert_close(vectors[0], vectors[14])
    assert np.isnan(vectors[[2, 3, 9, 15]]).all()
    assert np.isfinite(vectors[[0, 1, 8]]).all()


@pytest.mark.parametrize("pairs", [1, 500, 10**9])
@pytest.mark.parametrize("chunk", [1, 7, 10**6])
def test_any_cut_into_batches(pairs, chunk, embedder, smiles, monkeypatch):
    whole = embedder.embed([*smiles, "bad", BIG])
    monkeypatch.setattr(embedder_module, "CPU_PAIRS", pairs)
    monkeypatch.setattr(embedder_module, "CHUNK", chunk)
    assert_close(embedder.embed([*smiles, "bad", BIG]), whole)


def test_batches_stay_within_their_bound(embedder, smiles, monkeypatch):
    sizes = []
    encode = Embedder._encode

    def spy(self, graphs, level):
        sizes.append([graph.num_nodes for graph in graphs])
        return encode(self, graphs, level)

    monkeypatch.setattr(embedder_module, "CPU_PAIRS", 2000)
    monkeypatch.setattr(Embedder, "_encode", spy)
    embedder.embed([*smiles, BIG])
    assert [300] in sizes  # over the bound all by itself
    assert all(len(batch) * max(batch) ** 2 <= 2000 for batch in sizes if len(batch) > 1)
    assert sum(map(len, sizes)) == len(smiles) + 1
    assert len(sizes) < len(smiles)


@pytest.mark.parametrize("text", [*DRUGS, BIG])
@pytest.mark.parametrize("seed", [0, 1])
def test_order_of_atoms(text, seed, either):
    mol = Chem.MolFromSmiles(text)
    order = np.random.default_rng(seed).permutation(mol.GetNumAtoms())
    mixed = Chem.RenumberAtoms(mol, order.tolist())
    assert_close(either.embed(mixed), either.embed(mol))
    nodes, mixed_nodes = (either.embed(m, level="node")[0] for m in (mol, mixed))
    assert_close(mixed_nodes, nodes[order])


def test_node_rows_follow_the_atoms(embedder, smiles):
    for text, nodes in zip(smiles, embedder.embed(smiles, level="node"), strict=True):
        assert nodes.shape == (Chem.MolFromSmiles(text).GetNumAtoms(), embedder.node_dim)
    # Ends of a chain are alike, and unlike its middle.
    (nodes,) = embedder.embed("CCC", level="node")
    assert_close(nodes[0], nodes[2])
    assert np.abs(nodes[0] - nodes[1]).max() > 100 * TOLERANCE


def test_graph_vector_is_the_mean_of_its_nodes(either, smiles):
    nodes = either.embed(smiles, level="node")
    assert {rows.shape[1] for rows in nodes} == {either.node_dim}
    mean = either.embed(smiles)[:, : either.node_dim]  # of a longer one the first part
    np.testing.assert_allclose(
        mean, np.stack([rows.mean(0) for rows in nodes]), rtol=1e-5, atol=1e-5
    )


def test_wide_readout(embedder, smiles):
    wide = Embedder(embedder.encoder, embedder.featurizer, readout="mean_max_sum", device="cpu")
    assert wide.dim == 3 * wide.node_dim
    for vector, rows in zip(wide.embed(smiles), embedder.embed(smiles, level="node"), strict=True):
        expected = np.concatenate([rows.mean(0), rows.max(0), rows.sum(0)])
        np.testing.assert_allclose(vector, expected, rtol=1e-5, atol=1e-5)


def test_smiles_or_molecule(embedder):
    """A molecule's embedding does not depend on how it was written down."""
    for text in DRUGS:
        mol = Chem.MolFromSmiles(text)
        kekulised = Chem.Mol(mol)
        Chem.Kekulize(kekulised, clearAromaticFlags=True)
        variants = [
            text,
            mol,
            Chem.AddHs(mol),
            kekulised,
            Chem.MolToSmiles(mol),
            f"  {text} a name",
        ]
        vectors = embedder.embed(variants)
        assert_close(vectors, np.repeat(vectors[:1], len(variants), axis=0))


@pytest.mark.parametrize(
    "text",
    [
        "c1ccccc1O",
        "[Na+].[Cl-]",
        "C[C@H](N)C(=O)O",
        "F/C=C/F",
    ],
)
def test_molecule_not_yet_sanitised(text, embedder):
    raw = Chem.MolFromSmiles(text, sanitize=False)
    assert_close(embedder.embed(raw), embedder.embed(text))


def test_the_input_is_left_alone(embedder):
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    embedder.embed([mol])
    assert mol.GetNumAtoms() == 9
    assert mol.GetAtomWithIdx(0).GetPropsAsDict().get("_CIPCode") is None


def test_stereo_is_seen(embedder):
    for one, two in [("F/C=C/F", "F/C=C\\F"), ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O")]:
        a, b = embedder.embed([one, two])
        assert np.abs(a - b).max() > 100 * TOLERANCE


def test_two_loads(run, smiles):
    one, two = (load(run.folder, device="cpu").embed(smiles) for _ in range(2))
    assert np.array_equal(one, two)


def test_nothing_random_nothing_left_behind(embedder, smiles):
    first = embedder.embed(smiles)
    state = torch.get_rng_state()
    assert np.array_equal(embedder.embed(smiles), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not embedder.encoder.training
    assert not any(parameter.requires_grad for parameter in embedder.encoder.parameters())


# --- what goes in -----------------------------------------------------------------------------


def test_kinds_of_input(embedder, smiles_file, smiles):
    texts = smiles[:5]
    expected = embedder.embed(texts)
    assert expected.dtype == np.float32
    for items in (
        tuple(texts),
        pd.Series(texts, index=[9, 8, 7, 6, 5]),
        pd.Series(texts, dtype="string"),
        np.array(texts, dtype=object),
        np.array(texts),
        [Chem.MolFromSmiles(text) for text in texts],
        (text for text in texts),
        iter(texts),
        dict.fromkeys(texts).keys(),
    ):
        assert np.array_equal(embedder.embed(items), expected)
    assert np.array_equal(embedder.embed(smiles_file)[:5], embedder.embed(smiles)[:5])
    assert embedder.embed(smiles_file).shape == (len(smiles), embedder.dim)


def test_one_molecule(embedder):
    assert embedder.embed("CCO").shape == (1, embedder.dim)
    assert embedder.embed(Chem.MolFromSmiles("CCO")).shape == (1, embedder.dim)


def test_no_molecules(embedder):
    for items in ([], (), iter(()), pd.Series([], dtype=object), np.array([])):
        vectors = embedder.embed(items)
        assert vectors.shape == (0, embedder.dim)
        assert vectors.dtype == np.float32
        assert embedder.embed(items if not hasattr(items, "__next__") else [], level="node") == []


@pytest.mark.parametrize("text", ["C", "[Na+]", "[H][H]", "[H]", "[Na+].[Cl-]", "*", BIG, "[2H]O"])
def test_odd_molecules(text, embedder):
    vectors = embedder.embed([text, "CCO"])
    assert np.isfinite(vectors).all()
    assert_close(vectors[1], embedder.embed("CCO")[0])


BAD = [
    (None, "missing value"),
    (float("nan"), "missing value"),
    (np.nan, "missing value"),
    (pd.NA, "missing value"),
    ("", "empty SMILES"),
    ("   ", "empty SMILES"),
    ("garbage", "not valid SMILES"),
    ("C1CC", "not valid SMILES"),
    ("C(C)(C)(C)(C)C", "valence"),
    ("Cé", "not valid SMILES"),
    (5, "expected a SMILES or an RDKit Mol, got int"),
    (Chem.Mol(), "no atoms"),
]


@pytest.mark.parametrize(("item", "reason"), BAD, ids=lambda value: repr(value)[:20])
def test_bad_rows(item, reason, embedder):
    items = ["CCO", item, "CCN"]
    good = embedder.embed(["CCO", "CCN"])

    vectors = embedder.embed(items)
    assert vectors.shape == (3, embedder.dim)
    assert vectors.dtype == np.float32
    assert np.isnan(vectors[1]).all()
    assert_close(vectors[[0, 2]], good)

    assert_close(embedder.embed(items, on_error="drop"), good)
    with pytest.raises(UserError, match=rf"^row 1: .*{reason}"):
        embedder.embed(items, on_error="raise")

    nodes = embedder.embed(items, level="node")
    assert [rows.shape for rows in nodes] == [(3, 64), (0, 64), (3, 64)]
    assert len(embedder.embed(items, level="node", on_error="drop")) == 2
    with pytest.raises(UserError, match="row 1"):
        embedder.embed(items, level="node", on_error="raise")


def test_only_bad_rows(embedder):
    assert np.isnan(embedder.embed(["x", None])).all()
    assert embedder.embed(["x", None]).shape == (2, embedder.dim)
    assert embedder.embed(["x", None], on_error="drop").shape == (0, embedder.dim)


def test_max_atoms(embedder):
    items = ["C" * 10, "C" * 11, Chem.MolFromSmiles("C" * 11)]
    vectors = embedder.embed(items, max_atoms=10)
    assert np.isnan(vectors).all(1).tolist() == [False, True, True]
    with pytest.raises(UserError, match="row 1: 11 atoms, more than the limit of 10"):
        embedder.embed(items, max_atoms=10, on_error="raise")


def test_wrong_options(embedder):
    with pytest.raises(UserError, match="level must be 'graph' or 'node', got 'atom'"):
        embedder.embed("CCO", level="atom")
    with pytest.raises(UserError, match="on_error must be 'nan', 'raise' or 'drop', got 'skip'"):
        embedder.embed("CCO", on_error="skip")
    with pytest.raises(UserError, match="pass one, df"):
        embedder.embed(pd.DataFrame({"smiles": ["CCO"]}))
    with pytest.raises(UserError, match="unknown readout 'median'; known: mean"):
        Embedder(embedder.encoder, embedder.featurizer, readout="median", device="cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", ""])
def test_wrong_device(device, run):
    with pytest.raises(UserError, match=f"cannot use device '{device}'"):
        load(run.folder, device=device)


# --- streams ----------------------------------------------------------------------------------


def test_stream_reads_no_further_than_a_chunk(embedder, monkeypatch):
    monkeypatch.setattr(embedder_module, "CHUNK", 4)
    read = []

    def records():
        for index in range(100):
            read.append(index)
            yield Record(index, smiles="CCO" if index % 3 else "bad")

    skipped = SkipCount()
    stream = embedder.stream(records(), skipped=skipped)
    first = [next(stream) for _ in range(5)]
    assert len(read) == 8
    assert [row.record.index for row in first] == [0, 1, 2, 3, 4]
    assert [row.error for row in first] == [
        "not valid SMILES",
        None,
        None,
        "not valid SMILES",
        None,
    ]
    assert [row.vector is None for row in first] == [True, False, False, True, False]
    assert len(skipped) == 2
    assert skipped.examples == {"not valid SMILES": [(0, "bad"), (3, "bad")]}
