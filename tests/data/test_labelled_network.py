"""Networks with labels: what is read of each form, and how nodes are dealt to parts."""

import io
import json
import zipfile

import numpy as np
import pytest
import yaml

from molvec.data.actions import read_actions
from molvec.data.labelled_network import list_labelled_networks, load_labelled_network
from molvec.data.network_split import deal_stratified, network_split
from molvec.errors import UserError
from tests.data.network_toys import networks  # noqa: F401

pytestmark = pytest.mark.usefixtures("networks")


def test_tables():
    data = load_labelled_network("tables")
    assert data.network.names == ("P1", "P2", "P3", "P4")
    assert (data.network.num_edges, data.network.isolated) == (2, 1)
    assert data.network.left_out["self-loops"] == 1
    assert data.network.left_out["duplicate edges"] == 0  # the other way round is the same edge
    np.testing.assert_allclose(data.network.features.mean(0), 0, atol=1e-6)
    assert data.labels.to_numpy().tolist() == [[1, 0], [0, 1], [1, 1], [0, 1]]
    split = network_split(data.labels.to_numpy(), official=data.parts, seed=5)
    assert (split.name, split.seed) == ("official", None)
    assert [part.tolist() for part in (split.train, split.valid, split.test)] == [[0, 3], [1], [2]]
    assert "4 nodes (1 without an edge), 2 edges, 2 features" in data.summary()[0]


def test_classes_exclude_each_other_and_unknown_is_no_class():
    data = load_labelled_network("classes")
    assert data.exclusive
    assert list(data.labels.columns) == ["M", "T"]
    assert data.labelled.tolist() == [0, 1, 4]
    assert data.labels.to_numpy()[[0, 1, 4]].tolist() == [[0, 1], [1, 0], [0, 1]]
    assert data.network.num_edges == 2


def test_genes_without_a_disease_say_nothing():
    data = load_labelled_network("genes")
    assert data.network.names == ("10", "20", "30")
    assert data.labels.iloc[:2].to_numpy().tolist() == [[1, 1], [1, 0]]
    assert data.labelled.tolist() == [0, 1]
    assert data.network.left_out["disease genes without a node"] == 1


def test_a_matrix(networks, tmp_path):  # noqa: F811
    from scipy.io import savemat
    from scipy.sparse import csc_matrix

    net = csc_matrix(np.array([[0, 1, 0], [1, 1, 0], [0, 0, 0]], dtype=float))
    group = csc_matrix(np.array([[1, 0], [1, 1], [0, 1]], dtype=float))
    savemat(tmp_path / "m.mat", {"net": net, "group": group})
    (networks / "mat.yaml").write_text(yaml.safe_dump(unverified("mat", "matrix", "m.mat", 3, 2)))
    (tmp_path / "m.mat").rename(tmp_path / "mirror" / "m.mat")
    data = load_labelled_network("mat")
    assert (data.network.num_edges, data.scheme) == (1, "halves")
    assert data.labels.to_numpy().tolist() == [[1, 0], [1, 1], [0, 1]]


def unverified(name, form, file, nodes, labels, features=0):
    role = {"matrix": "network", "graphs": "archive"}[form]
    held = {"file": file, "unverified": "a test", "mirror_path": file, "converted_from": "x"}
    about = dict.fromkeys(("title", "description", "licence", "citation"), "toy")
    counts = {"nodes": nodes, "edges": 1, "labels": labels, "labelled": nodes}
    return (
        {"name": name, "form": form, "files": {role: held}, "features": features} | about | counts
    )


def graphs(broken=False):
    """Two graphs to learn from, one to choose on and one to test, as GraphSAGE's archive has it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for part, ids in (("train", [1, 1, 2, 2]), ("valid", [3, 3]), ("test", [4, 4])):
            size = len(ids)
            links = [(i, i + 1) for i in range(0, size, 2)] + [
                (i + 1, i) for i in range(0, size, 2)
            ]
            links += [(i, i) for i in range(size)]
            graph = {
                "nodes": [{"id": i} for i in range(size)],
                "links": [{"source": a, "target": b} for a, b in links],
            }
            archive.writestr(f"{part}_graph.json", json.dumps(graph))
            arrays = {
                "feats": np.arange(size * 3).reshape(size, 3) * 1.0,
                "labels": np.eye(size, 2),
                "graph_id": np.array(ids),
            }
            for role, array in arrays.items():
                file = io.BytesIO()
                np.save(file, array[: size - broken] if role == "feats" else array)
                archive.writestr(f"{part}_{role}.npy", file.getvalue())
    return held.getvalue()


def test_graphs_of_an_archive(networks, tmp_path):  # noqa: F811
    card = unverified("sage", "graphs", "ppi.zip", 8, 2, features=3)
    (networks / "sage.yaml").write_text(yaml.safe_dump(card))
    file = tmp_path / "mirror" / "ppi.zip"
    file.write_bytes(graphs())
    data = load_labelled_network("sage")
    assert data.network.names == ("1:0", "1:1", "2:2", "2:3", "3:0", "3:1", "4:0", "4:1")
    pairs = set(zip(data.network.source.tolist(), data.network.target.tolist(), strict=True))
    assert pairs == {(0, 1), (2, 3), (4, 5), (6, 7)}
    assert [part.tolist() for part in data.parts[0]] == [[0, 1, 2, 3], [4, 5], [6, 7]]
    assert data.network.features.shape == (8, 3)
    for content, message in (
        (graphs(broken=True), "the files of train differ in their number of nodes"),
        (graphs()[:-60], "is not the archive of sage"),
    ):
        file.write_bytes(content)
        with pytest.raises(UserError, match=message):
            load_labelled_network("sage")
    file.write_bytes(graphs())
    (networks / "sage.yaml").write_text(yaml.safe_dump(card | {"nodes": 9}))
    with pytest.raises(UserError, match="sage: nodes 8, the card says 9"):
        load_labelled_network("sage")


def test_pairs():
    data = load_labelled_network("actions")
    assert data.network.names == ("x", "y", "z")
    assert data.pairs.tolist() == [[0, 1], [0, 2]]
    assert data.nodes.tolist() == [0, 1, 2]
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 5.0]], dtype=np.float32)
    assert data.vectors(x).tolist() == [[4, 1, 3, -2], [1, 7, 0, 10]]
    assert "2 pairs with 2 labels, 1.50 of them a pair" in data.summary()[0]
    assert list(data.labels.columns) == ["binding", "reaction"]
    assert data.labels.to_numpy().tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\n", "is no table with columns item_id_a, item_id_b, mode"),
        ("item_id_a\titem_id_b\tmode\nx\ty\n", "is no table with columns"),
        ("item_id_a\titem_id_b\tmode\nx\tx\tbinding\n", "holds no pair of two proteins"),
        ("", "is no table with columns"),
    ],
)
def test_actions_that_are_none(text, message, tmp_path):
    path = tmp_path / "actions.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_actions({"edges": path}, "toy")


def test_what_has_no_labels_of_nodes():
    assert list_labelled_networks() == ["actions", "classes", "genes", "tables"]
    with pytest.raises(UserError, match=r"triples has no labels\. Known: actions, classes,"):
        load_labelled_network("triples")


def test_equal_data_has_an_equal_hash():
    assert load_labelled_network("tables").sha256 == load_labelled_network("tables").sha256
    assert load_labelled_network("tables").sha256 != load_labelled_network("genes").sha256


def test_stratified_parts_hold_each_label_in_proportion():
    rng = np.random.default_rng(0)
    has = rng.random((400, 6)) < [0.5, 0.3, 0.2, 0.1, 0.05, 0.025]
    part = deal_stratified(has, (0.6, 0.2, 0.2), np.random.default_rng(1))
    assert np.bincount(part).tolist() == [240, 80, 80]
    for number, share in enumerate((0.6, 0.2, 0.2)):
        counts = has[part == number].sum(axis=0)
        assert np.abs(counts - share * has.sum(axis=0)).max() <= 2
    again = deal_stratified(has, (0.6, 0.2, 0.2), np.random.default_rng(2))
    assert (part != again).any()


@pytest.mark.parametrize("scheme", ["halves", "stratified"])
def test_parts_are_disjoint_and_hold_what_has_labels(scheme):
    labels = (np.random.default_rng(0).random((100, 3)) < 0.4).astype(float)
    labels[::10] = np.nan
    split = network_split(labels, scheme=scheme, seed=1)
    every = np.concatenate([split.train, split.valid, split.test])
    assert sorted(every.tolist()) == [i for i in range(100) if i % 10]
    share = 0.5 if scheme == "halves" else 0.2
    assert abs(len(split.test) - share * 90) <= 1
    assert split.sha256 == network_split(labels, scheme=scheme, seed=1).sha256
    assert split.sha256 != network_split(labels, scheme=scheme, seed=2).sha256


def test_breadth_first_parts_hold_pairs_with_a_node_that_no_other_part_has():
    rng = np.random.default_rng(0)
    ends = np.sort(rng.integers(300, size=(900, 2)), axis=1)
    pairs = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0)
    labels = np.ones((len(pairs), 1))
    split = network_split(labels, scheme="breadth_first", pairs=pairs, seed=0)
    every = np.concatenate([split.train, split.valid, split.test])
    assert sorted(every.tolist()) == list(range(len(pairs)))
    assert len(split.test) == len(split.valid) == round(0.2 * len(pairs))
    assert unknown(pairs, split.train, split.test) > 0.2
    one = rng.permutation(len(pairs))
    cut = len(split.train)
    assert unknown(pairs, one[:cut], one[cut:]) < 0.05  # single pairs: every node is known
    again = network_split(labels, scheme="breadth_first", pairs=pairs, seed=0)
    other = network_split(labels, scheme="breadth_first", pairs=pairs, seed=1)
    assert split.sha256 == again.sha256 != other.sha256


def test_breadth_first_goes_on_in_another_piece():
    pairs = np.arange(20).reshape(10, 2)
    split = network_split(np.ones((10, 1)), scheme="breadth_first", pairs=pairs, seed=0)
    assert [len(part) for part in (split.train, split.valid, split.test)] == [6, 2, 2]


def unknown(pairs, train, test):
    """Share of the pairs with a node that the training part lacks."""
    return (~np.isin(pairs[test], pairs[train])).any(axis=1).mean()


def test_a_seed_takes_its_official_split():
    parts = tuple((np.array([i]), np.array([i + 1]), np.array([i + 2])) for i in range(3))
    taken = [network_split(np.ones((6, 1)), official=parts, seed=s).train[0] for s in range(5)]
    assert taken == [0, 1, 2, 0, 1]
