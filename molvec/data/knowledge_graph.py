"""Knowledge graphs with the parts that link prediction is judged on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.data.network_card import fetch_network, list_networks, load_network_card
from molvec.errors import UserError
from molvec.records import Network, make_network
from molvec.records.lines import UNREADABLE, open_bytes, text_lines
from molvec.records.triples import Triple, read_triples

Triples = NDArray[np.int64]
"""``[n, 3]``: head, relation, tail; rows of ``names`` and of ``relations``."""

PARTS = ("train", "valid", "test")
TARGET_PARTS = (0.8, 0.1)
"""Shares of the target relation in training and validation, where there are no official parts."""


@dataclass(frozen=True, eq=False)
class KnowledgeGraph:
    """Triples to learn from and to be judged on.

    Entities and relations are those of the training triples. A triple of another part that holds
    one that training never shows cannot be scored by a model that knows entities by their triples:
    it is left out and counted in ``unseen`` (the rule of PyKEEN; papers that keep such triples,
    420 of WN18RR's, rank an untrained vector).

    Attributes:
        name: of the data set.
        network: of the training triples, for sampling: without self-loops and repeats.
        train: every training triple, self-loops included; these, not those of ``network``, are
            what filters and baselines need.
        valid: for choosing settings.
        test: for the scores that are reported.
        unseen: by part, how many triples were left out.
        negatives: by part, triples that are known to be wrong, where the set has them (CoDEx).
        unseen_negatives: by part, how many of them were left out by the same rule.
        types: of each entity, the names of what it is; ``None`` where the set does not say.
        titles: of each entity, its name for people, ``""`` where unknown; or ``None``.
        parts: where the parts are from: ``"official"``, or the relation that was dealt out.
        seed: of parts that were dealt out; ``None`` for official ones.
    """

    name: str
    network: Network
    train: Triples
    valid: Triples
    test: Triples
    unseen: Mapping[str, int]
    negatives: Mapping[str, Triples]
    unseen_negatives: Mapping[str, int]
    types: tuple[tuple[str, ...], ...] | None = None
    titles: tuple[str, ...] | None = None
    parts: str = "official"
    seed: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Entities, in the order in which training shows them."""
        return self.network.names

    @property
    def relations(self) -> tuple[str, ...]:
        """Relations, in the order in which training shows them."""
        return self.network.relations

    def summary(self) -> list[str]:
        """Say in a few lines what was loaded, and what was left out."""
        lines = [
            f"{self.name}: {len(self.names):,} entities, {len(self.relations):,} relations, "
            f"{len(self.train):,} / {len(self.valid):,} / {len(self.test):,} triples ({self.parts})"
        ]
        lost = {**self.unseen, **{f"{k} negatives": n for k, n in self.unseen_negatives.items()}}
        parts = [f"{count:,} {part}" for part, count in lost.items() if count]
        if parts:
            lines.append(
                f"left out, as training never shows their entity or relation: {', '.join(parts)}"
            )
        return lines


def list_knowledge_graphs() -> list[str]:
    """Return the names of the knowledge graphs that have cards, sorted."""
    return [name for name in list_networks() if load_network_card(name).form == "triples"]


def load_knowledge_graph(name: str, *, seed: int = 0) -> KnowledgeGraph:
    """Load a knowledge graph that has a card, fetching its files if need be.

    Args:
        name: of the card.
        seed: of the parts, where they are not official: the target relation's triples are dealt
            80/10/10 at random, all other triples teach.

    Raises:
        UserError: if there is no such data set, it is none of triples, or it cannot be had.
    """
    card = load_network_card(name)
    if card.form != "triples":
        known = ", ".join(list_knowledge_graphs())
        raise UserError(f"{name} is no knowledge graph. Known: {known}")
    paths = fetch_network(card)
    if card.target is None:
        parts = {part: read_triples(paths[part], header=card.header) for part in PARTS}
    else:
        parts = _dealt(read_triples(paths["train"], header=card.header), card.target, seed)
    entities = _numbered(name for h, _, t in parts["train"] for name in (h, t))
    relations = _numbered(relation for _, relation, _ in parts["train"])
    rows = {part: _rows(triples, entities, relations) for part, triples in parts.items()}
    roles = {"valid": "valid_negatives", "test": "test_negatives"}
    wrong = {
        part: _rows(read_triples(paths[role]), entities, relations)
        for part, role in roles.items()
        if role in paths
    }
    train = rows["train"][0]
    network = make_network(
        list(entities),
        train[:, 0],
        train[:, 2],
        relation=train[:, 1],
        relations=list(relations),
        directed=True,
        what=name,
    )
    types, titles = _about(paths, network.names)
    return KnowledgeGraph(
        name=name,
        network=network,
        train=train,
        valid=rows["valid"][0],
        test=rows["test"][0],
        unseen={part: rows[part][1] for part in ("valid", "test")},
        negatives={part: found for part, (found, _) in wrong.items()},
        unseen_negatives={part: lost for part, (_, lost) in wrong.items()},
        types=types,
        titles=titles,
        parts="official" if card.target is None else card.target,
        seed=None if card.target is None else seed,
    )


def _dealt(triples: Sequence[Triple], target: str, seed: int) -> dict[str, list[Triple]]:
    """Deal the triples of one relation; all others go to train."""
    first_row = {triple: i for i, triple in reversed(list(enumerate(triples)))}
    chosen = sorted(i for triple, i in first_row.items() if triple[1] == target)
    order = np.random.default_rng(seed).permutation(len(chosen))
    first = round(TARGET_PARTS[0] * len(chosen))
    second = first + round(TARGET_PARTS[1] * len(chosen))
    parts = {"valid": order[first:second], "test": order[second:]}
    held = {part: sorted(chosen[k] for k in places) for part, places in parts.items()}
    out = {i for places in held.values() for i in places}
    unseen = {triples[i] for i in out}  # with all their repeats
    train = [triple for triple in triples if triple not in unseen]
    return {"train": train} | {p: [triples[i] for i in places] for p, places in held.items()}


def _numbered(names: Iterable[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for name in names:
        numbers.setdefault(name, len(numbers))
    return numbers


def _rows(
    triples: Sequence[Triple], entities: Mapping[str, int], relations: Mapping[str, int]
) -> tuple[Triples, int]:
    """Return the triples whose names are known, in numbers, and how many others there are."""
    rows = [
        (entities[head], relations[relation], entities[tail])
        for head, relation, tail in triples
        if head in entities and tail in entities and relation in relations
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3), len(triples) - len(rows)


def _about(
    paths: Mapping[str, Path], names: Sequence[str]
) -> tuple[tuple[tuple[str, ...], ...] | None, tuple[str, ...] | None]:
    """Types and titles of entities, as far as the set has them."""
    if "nodes" in paths:  # id, name, kind
        lines = text_lines(paths["nodes"])
        nodes = {row[0]: row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
        types = tuple((nodes[name][2],) if name in nodes else () for name in names)
        return types, tuple(nodes[name][1] if name in nodes else "" for name in names)
    types_of = titles = None
    if "types" in paths:
        held, shown = _json(paths["types"]), _json(paths["type_names"])
        types_of = tuple(
            tuple(shown.get(kind, {}).get("label") or kind for kind in held.get(name, ()))
            for name in names
        )
    if "titles" in paths:
        held = _json(paths["titles"])
        titles = tuple(held.get(name, {}).get("label") or "" for name in names)
    return types_of, titles


def _json(path: Path) -> dict[str, Any]:
    try:
        with open_bytes(path) as file:
            held: dict[str, Any] = json.load(file)
    except (*UNREADABLE, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    return held
