"""Networks from files and objects, by stated rules, with counts of what is left out."""

import gzip

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.io import savemat
from scipy.sparse import csr_matrix
from torch_geometric.data import Data

from molvec.errors import UserError
from molvec.records import (
    make_network,
    network_of_networkx,
    network_of_pyg,
    read_network,
    read_node_features,
    save_network,
    with_features,
)
from molvec.records.node_names import node_records
from molvec.records.triples import read_triples


def edges_of(network):
    kinds = network.relations
    return [
        (network.names[a], kinds[r], network.names[b])
        for a, r, b in zip(network.source, network.relation, network.target, strict=True)
    ]


def written(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_an_untidy_edge_list(tmp_path):
    text = (
        "# a comment\r\nTP53 a\tMDM2\t0.5\r\n\r\nMDM2\tTP53 a\t0.9\r\nX\tX\t1\r\n"
        "TP53 a\tX\t-1\r\nonly\r\n\tX\t1\r\nBRCA1\tX\t2\r\n"
    )
    network = read_network(written(tmp_path / "edges.tsv.gz", text), relations=False)
    assert network.names == ("TP53 a", "MDM2", "X", "BRCA1")
    assert edges_of(network) == [("TP53 a", "", "MDM2"), ("BRCA1", "", "X")]
    assert network.weight.tolist() == [0.5, 2.0]
    assert not network.directed
    summary = network.summary()
    assert "1 self-loops, 1 duplicate edges" in summary
    for part in (
        "no positive number as weight (row 3)",
        "fewer cells than columns (row 4)",
        "empty name",
    ):
        assert part in summary


@pytest.mark.parametrize(
    "text",
    [
        "a\tr\tb\nb\tr\ta\na\tr\tb\nb\tr\tc\n",
        "source\tmetaedge\ttarget\na\tr\tb\nb\tr\ta\na\tr\tb\nb\tr\tc\n",
        "head,relation,tail\na,r,b\nb,r,a\na,r,b\nb,r,c\n",
    ],
)
def test_triples_have_a_direction(tmp_path, text):
    network = read_network(written(tmp_path / "t.txt", text))
    assert edges_of(network) == [("a", "r", "b"), ("b", "r", "a"), ("b", "r", "c")]
    assert network.directed
    assert network.left_out["duplicate edges"] == 1


def test_numbers_that_a_table_made_floats_and_blanks_between(tmp_path):
    network = read_network(written(tmp_path / "a.csv", "prot1,prot2,x\n2.0,0.0,1\n0.0,1.0,1\n"))
    assert network.names == ("2", "0", "1")
    spaced = read_network(
        written(tmp_path / "a.txt", "protein1 protein2 combined_score\nA B 700\n")
    )
    assert spaced.weight.tolist() == [700.0]


def test_names_of_columns_and_parquet(tmp_path):
    frame = pd.DataFrame({"x": [1, 2], "who": ["a", "b"], "whom": ["b", "c"], "how": ["r", "s"]})
    frame.to_parquet(tmp_path / "e.parquet")
    columns = {"source": "who", "target": "whom", "relation": "how"}
    network = read_network(tmp_path / "e.parquet", columns=columns)
    assert edges_of(network) == [("a", "r", "b"), ("b", "s", "c")]
    with pytest.raises(UserError, match=r"has no column 'wom'. Did you mean 'whom'\?"):
        read_network(tmp_path / "e.parquet", columns=columns | {"target": "wom"})


@pytest.mark.parametrize(
    ("name", "text", "arguments", "message"),
    [
        ("e.tsv", "", {}, "is empty"),
        ("e.tsv", "a\nb\n", {}, "has one column"),
        ("e.tsv", "a\ta\n", {}, "no edge between two different nodes"),
        ("e.tsv", "a\tb\n", {"relations": True}, "triples need three"),
        ("e.tsv", "a\tb\tc\nd\te\tf\n", {}, "data.relations=true"),
        ("e.tsv", "source\ttarget\n", {}, "a header but no rows"),
        ("e.doc", "a\tb\n", {}, "must end in"),
        ("e.mat", "a", {}, "not a MATLAB file"),
        ("e.npz", "a", {}, "not a network that save_network wrote"),
        ("e.parquet", "a", {}, "not a Parquet file"),
    ],
)
def test_what_is_no_network(tmp_path, name, text, arguments, message):
    with pytest.raises(UserError, match=message) as caught:
        read_network(written(tmp_path / name, text), **arguments)
    assert "\n" not in str(caught.value)


def test_a_truncated_gzip_and_no_file(tmp_path):
    rows = "".join(f"{i}\t{i * 7919 % 10007}\n" for i in range(20_000))
    whole = gzip.compress(rows.encode())
    (tmp_path / "e.tsv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="truncated"):
        read_network(tmp_path / "e.tsv.gz")
    with pytest.raises(UserError, match=r"there is no file .*Did you mean 'e.tsv.gz'\?"):
        read_network(tmp_path / "f.tsv.gz")


def test_a_matrix_keeps_isolated_nodes(tmp_path):
    matrix = np.zeros((4, 4))
    matrix[0, 1] = matrix[1, 0] = matrix[2, 2] = matrix[1, 2] = 1
    savemat(tmp_path / "m.mat", {"network": csr_matrix(matrix), "group": np.eye(4)})
    network = read_network(tmp_path / "m.mat")
    assert (len(network), network.num_edges, network.isolated) == (4, 2, 1)
    assert dict(network.left_out) == {"self-loops": 1, "duplicate edges": 0}
    savemat(tmp_path / "n.mat", {"other": np.eye(2)})
    with pytest.raises(UserError, match="no matrix net or network; it holds other"):
        read_network(tmp_path / "n.mat")


def test_networkx_pyg_and_back_from_a_file(tmp_path):
    graph = nx.MultiDiGraph()
    graph.add_edge("a", "b", relation="r")
    graph.add_edge("a", "b", relation="s")
    graph.add_node("alone")
    network = network_of_networkx(graph)
    assert edges_of(network) == [("a", "r", "b"), ("a", "s", "b")]
    assert network.isolated == 1
    save_network(network, tmp_path / "n.npz")
    again = read_network(tmp_path / "n.npz")
    assert (again.names, again.directed) == (network.names, True)
    assert edges_of(again) == edges_of(network)
    weighted = network_of_networkx(nx.Graph([("x", "y", {"weight": 3}), ("y", "z", {"weight": 1})]))
    assert weighted.weight.tolist() == [3.0, 1.0]
    data = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), x=torch.ones(3, 2), num_nodes=3)
    plain = network_of_pyg(data)
    assert (plain.num_edges, plain.directed, plain.left_out["duplicate edges"]) == (1, False, 0)
    assert plain.features.shape == (3, 2)
    data.edge_type = torch.tensor([0, 1])
    assert edges_of(network_of_pyg(data)) == [("0", "0", "1"), ("1", "1", "0")]


def test_features_by_number_and_by_name(tmp_path):
    network = read_network(written(tmp_path / "e.tsv", "0\t1\n1\t3\n"))
    table = read_node_features(written(tmp_path / "f.csv", "1,5\n2,5\n3,5\n,5\n"))
    held = with_features(network, table)
    assert held.names == ("0", "1", "3", "2")
    spread = np.sqrt(2 / 3)
    expected = [[-1 / spread, 0], [0, 0], [0, 0], [1 / spread, 0]]
    np.testing.assert_allclose(held.features, expected, atol=1e-6)
    assert "1 features that are no numbers" in held.summary()
    frame = pd.DataFrame({"id": ["3", "0"], "embedding": [[1.0, 2.0], None]})
    frame.to_parquet(tmp_path / "f.parquet")
    held = with_features(network, read_node_features(tmp_path / "f.parquet"))
    assert held.features.shape == (3, 2)
    assert held.left_out["nodes without features (they get the mean)"] == 1
    other = read_node_features(written(tmp_path / "g.csv", "name,x\nTP53,1\n"))
    with pytest.raises(UserError, match="no row of features belongs to a node"):
        with_features(network, other)
    with pytest.raises(UserError, match="no columns of numbers"):
        read_node_features(written(tmp_path / "h.csv", "name,x\na,b\n"))


def test_names_are_text_without_blanks_around_them(tmp_path):
    edges = "007\tNA\n NA\tP 1 \n"
    network = read_network(written(tmp_path / "e.tsv", edges))
    assert network.names == ("007", "NA", "P 1")
    table = read_node_features(written(tmp_path / "f.csv", "id,x\n007,1\nNA,2\nP 1 ,3\n"))
    assert table.names == ("007", "NA", "P 1")
    held = with_features(network, table)
    assert held.names == network.names
    assert held.left_out["nodes without features (they get the mean)"] == 0
    ends = np.array([0]), np.array([1])
    assert make_network(["a ", "b"], *ends).names == ("a", "b")
    with pytest.raises(UserError, match="the network has two nodes 'a', blanks around names"):
        make_network(["a", "a "], *ends)


def test_damaged_gzip_of_names_and_triples(tmp_path):
    damaged = gzip.compress(b"a\tr\tb\n" * 9)[:12] + b"\xff" * 30
    path = tmp_path / "x.txt.gz"
    path.write_bytes(damaged)
    for read in (lambda: list(node_records(path)), lambda: read_triples(path)):
        with pytest.raises(UserError, match=r"cannot read .*x\.txt\.gz"):
            read()


@pytest.mark.parametrize("header", [",0,1", "id,0,1", "node,a,b", "0,1,2"])
def test_a_row_of_names_is_no_node(header, tmp_path):
    """pandas numbers columns without names, and leaves the name of the index empty."""
    table = read_node_features(written(tmp_path / "f.csv", f"{header}\nP1,5,6\nP2,7,8\n"))
    assert table.names == ("P1", "P2")
    assert table.values.tolist() == [[5, 6], [7, 8]]


def test_rows_of_numbers_are_nodes(tmp_path):
    holes = read_node_features(written(tmp_path / "f.csv", "P1,,0.5\nP2,0.1,0.4\n"))
    assert holes.names == ("P1", "P2")
    lost = read_node_features(written(tmp_path / "n.csv", "NA,0.5\nP2,0.1\n"))
    assert (lost.names, lost.values.shape) == (("NA", "P2"), (2, 1))
    numbered = read_node_features(written(tmp_path / "g.csv", ",0,1\n0,5,6\n1,7,8\n"))
    assert (numbered.names, numbered.values.shape) == (("0", "1"), (2, 2))


def test_embeddings_as_features(tmp_path):
    """What ``molvec embed --nodes`` writes can be read: the row and the reason are no numbers."""
    text = "row,node,0,1,error\n0,TP53,1,2,\n1,NA,3,4,\n"
    table = read_node_features(written(tmp_path / "f.csv", text))
    assert table.names == ("TP53", "NA")
    assert table.values.tolist() == [[1, 2], [3, 4]]
