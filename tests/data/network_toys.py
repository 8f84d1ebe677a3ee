"""Data sets of networks made of a few lines, in a folder of cards and a mirror of their own."""

import hashlib
import json

import pytest
import yaml

from molvec.data import network_card

URL = "https://example.org/"

TABLES = {
    "edges.csv": "p1,p2,score\n0.0,1.0,0.5\n1.0,0.0,0.5\n1.0,2.0,0.4\n3.0,3.0,1.0\n",
    "features.csv": "1.0,5.0\n2.0,5.5\n3.0,6.0\n4.0,6.5\n",
    "labels.csv": "1.0,0.0\n0.0,1.0\n1.0,1.0\n0.0,1.0\n",
    "nodes.csv": "uniprot\nP1\nP2\nP3\nP4\n",
    "splits.json": json.dumps([{"train": [3, 0], "val": [1], "test": [2]}]),
}
CLASSES = {
    "nodes.tsv": 'name\tclass\tdescription\nA\tT\t5" end\nB\tM\t\nC\tU\t\nD\t\t\nE\tT\t\n',
    "edges.tsv": "source\ttarget\tconfidence\nA\tB\thigh\nB\tA\thigh\nC\tD\tmedium\n",
}
GENES = {
    "edges.tsv": "# comment\n# one\ttwo\tkind\n10\t20\tx\n20\t30\ty\n30\t30\ty\n",
    "diseases.tsv": "# disease\tn\tn\tn\tOMIM\tGWAS\nflu\t2\t1\t1\t10\t20\ncold\t1\t1\t0\t10;99\n",
}
TRIPLES = {
    "train.txt": "a\tr\tb\r\nb\ts\tc\r\nc\tr\tc\r\n",
    "valid.txt": "a\ts\tc\r\nzz\tr\ta\r\n",
    "test.txt": "c\tr\tb\r\na\tq\tb\r\nb\tr\ta\r\n",
}
ACTIONS = {
    "actions.txt": "item_id_a\titem_id_b\tmode\tscore\nx\ty\tbinding\t9\ny\tx\tbinding\t9\n"
    "x\ty\treaction\t1\nz\tx\treaction\t1\n"
}
SETS = {  # name: form, files, roles, counts
    "tables": ("tables", TABLES, {"nodes": 4, "edges": 2, "features": 2}, (2, 4)),
    "classes": ("classes", CLASSES, {"nodes": 5, "edges": 2}, (2, 3)),
    "genes": ("genes", GENES, {"nodes": 3, "edges": 2}, (2, 2)),
    "triples": ("triples", TRIPLES, {"nodes": 3, "edges": 2, "relations": 2}, None),
    "actions": ("actions", ACTIONS, {"nodes": 3, "edges": 2}, (2, 2)),
}
ROLES = {"actions.txt": "edges"}


def fields(name, form, files, counts, labels):
    tree = {
        "name": name,
        "title": name,
        "description": "A toy.",
        "licence": "CC0-1.0",
        "citation": "none",
        "form": form,
        "files": {
            ROLES.get(file, file.split(".")[0]): {
                "file": file,
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
                "mirror_path": f"{name}/{file}",
                "sources": [{"kind": "url", "url": URL + file}],
            }
            for file, text in files.items()
        },
        **counts,
    }
    if labels is None:
        return tree | {"triples": [3, 2, 3], "unseen": [1, 1]}
    return tree | {"labels": labels[0], "labelled": labels[1]}


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """Return a folder of cards that are known in place of the shipped ones."""
    cards, mirror = tmp_path / "cards", tmp_path / "mirror"
    cards.mkdir()
    for name, (form, files, counts, labels) in SETS.items():
        card = fields(name, form, files, counts, labels)
        (cards / f"{name}.yaml").write_text(yaml.safe_dump(card))
        (mirror / name).mkdir(parents=True)
        for file, text in files.items():
            (mirror / name / file).write_bytes(text.encode())
    monkeypatch.setenv("MOLVEC_MIRROR", str(mirror))
    monkeypatch.setattr(network_card, "networks_folder", lambda: cards)
    return cards
