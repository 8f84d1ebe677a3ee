"""What a run learns from, opened: the one place that asks which kind of data it is.

Pretraining opens a corpus, fine-tuning featurises molecules with labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor
from torch_geometric.data import Data

from molvec.data.card import list_cards
from molvec.data.chains import ChainDataset, open_chains
from molvec.data.conformers import (
    ConformerDataset,
    ConformerStore,
    has_geometries,
    open_conformers,
)
from molvec.data.dataset import GraphDataset, MoleculeDataset
from molvec.data.kept_grounding import KeptGrounding
from molvec.data.labelled import Labelled
from molvec.data.mixture import Mixture
from molvec.data.network import NetworkDataset, network_tensors
from molvec.data.network_card import list_networks
from molvec.data.network_source import open_network
from molvec.data.network_surroundings import network_surroundings, surroundings_size
from molvec.data.positions import with_positions
from molvec.data.source import sha256_of
from molvec.data.store import SmilesStore, open_store
from molvec.data.subgraphs import SubgraphSampler
from molvec.errors import UserError, did_you_mean
from molvec.featurize.atom_surroundings import NUM_ATOM_SURROUNDINGS, atom_surroundings
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.extended_huckel import NUM_EXTENDED_HUCKEL, extended_huckel
from molvec.featurize.extended_huckel import NUM_SHARED as extended_huckel_shared
from molvec.featurize.grounding import Grounding
from molvec.featurize.kinds import Featurizer
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.featurize.network import NetworkFeaturizer
from molvec.featurize.protein import ProteinFeaturizer
from molvec.featurize.surroundings import NUM_SURROUNDINGS
from molvec.featurize.xtb import NUM_SHARED as xtb_shared
from molvec.featurize.xtb import NUM_XTB, SHARED_WEIGHTS, xtb, xtb_program
from molvec.provenance import software
from molvec.records import (
    Record,
    geometry_format,
    parse,
    read_network,
    read_node_features,
    with_features,
)
from molvec.settings import DataSettings, PretrainSettings


@dataclass(frozen=True)
class AtomGrounding:
    """What the grounding term predicts of the atoms of a conformer.

    Attributes:
        compute: graph -> float32 ``[n, size]``.
        size: how many numbers of each atom.
        shared: how many of these, the last ones, are of the conformer as a whole.
        weights: how much each of those counts; alike by default.
        program: for what is slow and therefore kept: which program computes it, raises
            ``UserError`` without it.
    """

    compute: Callable[[Data], Tensor]
    size: int
    shared: int = 0
    weights: tuple[float, ...] | None = None
    program: Callable[[], str] | None = None


ATOM_GROUNDING = {
    "surroundings": AtomGrounding(atom_surroundings, NUM_ATOM_SURROUNDINGS),
    "extended_huckel": AtomGrounding(
        extended_huckel,
        NUM_EXTENDED_HUCKEL,
        extended_huckel_shared,
        program=partial(software, "rdkit"),
    ),
    "xtb": AtomGrounding(xtb, NUM_XTB, xtb_shared, SHARED_WEIGHTS, xtb_program),
}


@dataclass(frozen=True)
class Corpus:
    """Graphs to learn from.

    Attributes:
        dataset: random access to them.
        featurizer: what makes them.
        identity: changes with the data, so that a run is not resumed with another one.
        left_out: what could not be read when the data was opened, and why; empty if nothing.
        carried: what a model must carry of it to embed with; nothing for most.
    """

    dataset: GraphDataset
    featurizer: Featurizer
    identity: str
    left_out: str = ""
    carried: Mapping[str, Tensor] = field(default_factory=dict)


def open_corpus(settings: PretrainSettings, rows: Any = None) -> Corpus:
    """Open the data of a run.

    Args:
        settings: of the run.
        rows: numbers of the data's rows to learn from; all by default.

    Raises:
        UserError: if it cannot be read.
    """
    if settings.data.kind == "networks":
        return _network(settings, rows)
    featurizer = build_featurizer(settings.data)
    if isinstance(featurizer, ProteinFeaturizer):
        return _chains(settings, featurizer, rows)
    if isinstance(featurizer, ConformerFeaturizer):
        return _conformers(settings, featurizer, rows)
    assert isinstance(featurizer, MoleculeFeaturizer)
    return _molecules(settings, featurizer, rows)


def build_featurizer(data: DataSettings) -> Featurizer:
    """Build the featuriser for a kind of data; that of a network follows from the network."""
    if data.kind == "networks":
        raise ValueError("the featuriser of a network follows from the network: open_corpus")
    space = {"cutoff": data.cutoff, "max_neighbours": data.max_neighbours}
    given: dict[str, Any] = {name: v for name, v in space.items() if v is not None}
    if data.kind == "proteins":
        return ProteinFeaturizer(**given)
    return ConformerFeaturizer(**given) if data.kind == "conformers" else MoleculeFeaturizer()


def grounding_targets(settings: PretrainSettings) -> Grounding | None:
    """What the grounding term predicts of molecules; ``None`` without one."""
    chosen = settings.objective
    if not chosen.grounding_weight or settings.data.kind != "molecules":
        return None
    return Grounding(chosen.grounding, bits=chosen.grounding_size)


def grounding_size(settings: PretrainSettings, featurizer: Featurizer) -> int:
    """How many numbers the grounding term predicts; 0 without one."""
    if settings.objective.grounding_weight and isinstance(featurizer, NetworkFeaturizer):
        return surroundings_size(featurizer.edge_sizes[0] - 1, featurizer.features)
    if settings.objective.grounding_weight and settings.data.in_space:
        if settings.data.kind == "proteins":
            return NUM_SURROUNDINGS
        return ATOM_GROUNDING[settings.objective.grounding].size
    grounding = grounding_targets(settings)
    return 0 if grounding is None else grounding.size


def grounding_shared(settings: PretrainSettings) -> int:
    """How many of these are of a graph as a whole, though there is a row per node."""
    if settings.objective.grounding_weight and settings.data.kind == "conformers":
        return ATOM_GROUNDING[settings.objective.grounding].shared
    grounding = grounding_targets(settings)
    return 0 if grounding is None else grounding.shared


def grounding_weights(settings: PretrainSettings) -> tuple[float, ...] | None:
    """How much each of those counts; ``None``: alike."""
    if not grounding_shared(settings) or settings.data.kind != "conformers":
        return None
    return ATOM_GROUNDING[settings.objective.grounding].weights


def labelled_graphs(data: Labelled, rows: Iterable[int], featurizer: Featurizer) -> dict[int, Data]:
    """Featurise some molecules that have labels, in 2D or, where they have geometries, in space.

    Args:
        data: molecules with labels.
        rows: their numbers in ``data``.
        featurizer: of molecules, or of conformers.
    """

    def graph(i: int) -> Data:
        row = int(data.rows[i])
        if isinstance(featurizer, ConformerFeaturizer):
            assert data.conformers is not None
            return featurizer(data.conformers[row])
        assert isinstance(featurizer, MoleculeFeaturizer)
        return featurizer(parse(Record(row, smiles=data.smiles[i])))

    return {int(i): graph(i) for i in rows}


def _molecules(settings: PretrainSettings, featurizer: MoleculeFeaturizer, rows: Any) -> Corpus:
    data = settings.data
    first = open_store(data.source, smiles_column=data.smiles_column)
    store: SmilesStore | Mixture = first
    every_row = None
    if data.extra:
        store = Mixture([first, *(open_store(source) for source in data.extra)])
        every_row = store.rows([1, *data.extra.values()])
    dataset = MoleculeDataset(
        store,
        featurizer,
        max_atoms=data.max_atoms,
        grounding=grounding_targets(settings),
        rows=every_row if rows is None else rows,
    )
    return Corpus(dataset, featurizer, str(store.info.get("source_sha256")))


def _chains(settings: PretrainSettings, featurizer: ProteinFeaturizer, rows: Any) -> Corpus:
    data = settings.data
    store = open_chains(
        Path(data.source).expanduser(),
        min_residues=data.min_residues,
        max_residues=data.max_residues,
        leave_out=() if data.leave_out is None else _names(Path(data.leave_out)),
    )
    grounded = settings.objective.grounding_weight > 0
    dataset = ChainDataset(store, featurizer, grounded=grounded, rows=rows)
    return Corpus(dataset, featurizer, str(store.info["source_sha256"]), store.summary())


def _conformers(settings: PretrainSettings, featurizer: ConformerFeaturizer, rows: Any) -> Corpus:
    data, objective = settings.data, settings.objective
    path = Path(data.source).expanduser()
    if has_geometries(data.source) or path.is_dir() or geometry_format(path):
        if data.smiles_column is not None:
            raise UserError(f"{data.source} has geometries; data.smiles_column has no meaning")
        store: ConformerStore | SmilesStore = open_conformers(data.source)
    else:
        store = open_store(data.source, smiles_column=data.smiles_column)
    ground = atom_grounding(objective.grounding, store) if objective.grounding_weight else None
    dataset = ConformerDataset(
        store, featurizer, max_atoms=data.max_atoms, ground=ground, rows=rows
    )
    left_out = store.summary() if isinstance(store, ConformerStore) else ""
    return Corpus(dataset, featurizer, str(store.info.get("source_sha256")), left_out)


def atom_grounding(name: str, store: object) -> Callable[[int, Data], Tensor]:
    """What makes a grounding term's targets of a store's row and its graph.

    What is slow is kept, for geometries that do not change.

    Args:
        name: a key of ``ATOM_GROUNDING``.
        store: what the graphs are made of.

    Raises:
        UserError: if the program that computes them is missing, or the cache cannot be written.
    """
    chosen = ATOM_GROUNDING[name]
    program = chosen.program and chosen.program()
    if program is None or not isinstance(store, ConformerStore):
        return partial(_computed, chosen.compute)
    key = f"{name}, {program}, {store.info['source_sha256']}"
    return KeptGrounding(chosen.compute, size=chosen.size, lengths=store.lengths, key=key)


def _computed(compute: Callable[[Data], Tensor], row: int, graph: Data) -> Tensor:
    """The targets of a graph, anew."""
    return compute(graph)


def _network(settings: PretrainSettings, rows: Any) -> Corpus:
    data = settings.data
    if data.source in list_networks():
        if data.columns:
            raise UserError(f"{data.source} is a data set: data.columns has no meaning")
        network, told = open_network(data.source)
        if data.features is not None and network.features is not None:
            raise UserError(f"{data.source} has features: drop data.features")
        contents = [told]
    else:
        path = Path(data.source).expanduser()
        _is_file(data.source, path)
        network = read_network(path, relations=data.relations, columns=data.columns)
        contents = [sha256_of(path)]
    if data.features is not None:
        features = Path(data.features).expanduser()
        network = with_features(network, read_node_features(features), what=str(features))
        contents.append(sha256_of(features))
    if data.positions:
        network = with_positions(network, data.positions, seed=settings.seed)
    sampling: dict[str, Any] = {
        "kind": data.sampling,
        "nodes": data.sample_nodes,
        "restart": data.restart,
        "hops": data.hops,
        "neighbours": data.hop_neighbours,
    }
    featurizer = NetworkFeaturizer(
        network.names,
        network.relations,
        directed=network.directed,
        entities=data.entity_table,
        features=0 if network.features is None else network.features.shape[1],
        sampling=sampling,
    )
    sampler = SubgraphSampler(network, **sampling)
    said = network_surroundings(network) if settings.objective.grounding_weight else None
    dataset = NetworkDataset(sampler, featurizer, seed=settings.seed, rows=rows, grounding=said)
    alone = f"not learned from: {network.isolated:,} nodes without an edge"
    left_out = "\n".join(filter(None, [network.summary(), alone * (network.isolated > 0)]))
    identity = hashlib.sha256(" ".join(contents).encode()).hexdigest()
    return Corpus(dataset, featurizer, identity, left_out, network_tensors(network))


def _is_file(source: str, path: Path) -> None:
    """Refuse what can only be meant as the name of a data set."""
    if path.exists() or path.suffix or "/" in source:
        return
    known = list_networks()
    if source in list_cards():
        raise UserError(f"{source} is a data set of molecules. Networks: {', '.join(known)}")
    raise UserError(
        f"{source!r} is neither a network ({', '.join(known)}) nor a file."
        f"{did_you_mean(source, known)}"
    )


def _names(path: Path) -> list[str]:
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read data.leave_out {path}: {error}") from None
    return [line.strip() for line in lines if line.strip()]
