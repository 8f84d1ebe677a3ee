"""Knowledge graphs: all training triples stay, what cannot be scored is counted."""

import json

import numpy as np
import pytest
import yaml

from molvec.data.knowledge_graph import list_knowledge_graphs, load_knowledge_graph
from molvec.errors import UserError
from molvec.records.triples import read_triples
from tests.data.network_toys import SETS, fields, networks  # noqa: F401


def test_triples_in_rows_of_names(networks):  # noqa: F811
    graph = load_knowledge_graph("triples")
    assert (graph.names, graph.relations) == (("a", "b", "c"), ("r", "s"))
    assert graph.train.tolist() == [[0, 0, 1], [1, 1, 2], [2, 0, 2]]  # the self-loop too
    assert graph.network.num_edges == 2
    assert graph.network.directed
    assert graph.valid.tolist() == [[0, 1, 2]]
    assert graph.test.tolist() == [[2, 0, 1], [1, 0, 0]]
    assert graph.unseen == {"valid": 1, "test": 1}
    assert (graph.parts, graph.seed, graph.negatives, graph.types) == ("official", None, {}, None)
    assert "3 / 1 / 2 triples (official)" in graph.summary()[0]
    assert "1 valid, 1 test" in graph.summary()[1]


def add(folder, name, changes, files):
    tree = fields(name, "triples", {**SETS["triples"][1], **files}, SETS["triples"][2], None)
    for file in changes.pop("without", ()):
        del tree["files"][file]
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(tree | changes))
    mirror = folder.parent / "mirror" / name
    mirror.mkdir()
    for file, text in {**SETS["triples"][1], **files}.items():
        (mirror / file).write_bytes(text.encode())


def test_types_titles_and_negatives(networks):  # noqa: F811
    files = {
        "valid_negatives.txt": "a\tr\tc\nzz\tr\ta\n",
        "types.json": json.dumps({"a": ["Q1", "Q2"], "c": ["Q3"]}),
        "type_names.json": json.dumps({"Q1": {"label": "human"}, "Q2": {"label": "singer"}}),
        "titles.json": json.dumps({"b": {"label": "Bee"}, "c": {"label": None}}),
    }
    add(networks, "about", {}, files)
    graph = load_knowledge_graph("about")
    assert graph.types == (("human", "singer"), (), ("Q3",))
    assert graph.titles == ("", "Bee", "")
    assert graph.negatives["valid"].tolist() == [[0, 0, 2]]
    assert graph.unseen_negatives == {"valid": 1}


def test_the_target_relation_is_dealt(networks):  # noqa: F811
    lines = [f"d{i}\ttreats\te{i % 5}\n" for i in range(20)] + ["d0\tlike\td1\n"] * 2
    lines += [f"d{i}\tlike\te{i % 5}\n" for i in range(20)]
    files = {"train.txt": "h\tr\tt\n" + "".join(lines), "nodes.tsv": "id\tname\tkind\nd0\tAsp\tD\n"}
    about = {"header": True, "target": "treats", "without": ("valid", "test")}
    add(networks, "dealt", about, files)
    graph = load_knowledge_graph("dealt", seed=3)
    treats = graph.relations.index("treats")
    assert (len(graph.train), len(graph.valid), len(graph.test)) == (38, 2, 2)
    assert set(graph.valid[:, 1]) | set(graph.test[:, 1]) == {treats}
    every = np.concatenate([graph.train, graph.valid, graph.test])
    assert (every[:, 1] == treats).sum() == 20
    assert len(np.unique(every[every[:, 1] == treats], axis=0)) == 20
    assert (graph.parts, graph.seed) == ("treats", 3)
    assert graph.types[graph.names.index("d0")] == ("D",)
    assert load_knowledge_graph("dealt", seed=4).test.tolist() != graph.test.tolist()


def test_a_repeated_triple_is_dealt_once(networks):  # noqa: F811
    lines = [f"d{i % 10}\t{r}\te0\n" for i in range(20) for r in ("treats", "like")]
    nodes = "id\tname\tkind\nd0\tAsp\tD\n"
    files = {"train.txt": "h\tr\tt\n" + "".join(lines), "nodes.tsv": nodes}
    about = {"header": True, "target": "treats", "without": ("valid", "test")}
    add(networks, "twice", about, files)
    for seed in range(5):
        graph = load_knowledge_graph("twice", seed=seed)
        parts = [{tuple(row) for row in part} for part in (graph.train, graph.valid, graph.test)]
        assert not parts[0] & (parts[1] | parts[2])
        assert (len(graph.valid), len(graph.test)) == (1, 1)


def test_what_is_no_knowledge_graph(networks):  # noqa: F811
    assert list_knowledge_graphs() == ["triples"]
    with pytest.raises(UserError, match=r"tables is no knowledge graph\. Known: triples"):
        load_knowledge_graph("tables")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("a\tb\n", "line 1: not head"), ("a\tr\tb\na\t\tb\n", "line 2: not head")],
)
def test_files_that_are_no_triples(tmp_path, text, message):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        read_triples(tmp_path / "t.txt")
