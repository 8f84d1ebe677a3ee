"""What gives a hidden node away? A plain model reads its kind from what the student still sees.

    python -m benchmarks.leak --data $MOLVEC_MIRROR --output benchmarks/results

Molecules: gradient-boosted trees read the element of hidden atoms of QM9 (DFT geometries), fitted
on 2,000 molecules and scored on 1,200 others; from conformers with and without hydrogens, with and
without noise on the coordinates, and, as the levels to match, from topology alone. Proteins: the
kind of hidden residues from CA positions, fitted and scored on different PDB entries, and, as the
level, from the kinds of visible residues along the chain. Masks, noise and graphs are those of
pretraining. The noise to choose is the smallest that leaves no more to read than the topology of
the same atoms does, give or take three points.
Writes ``leak.json`` and ``leak.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem
from sklearn.ensemble import HistGradientBoostingClassifier
from torch_geometric.data import Batch, Data

from benchmarks.leak_features import Array, from_sequence, from_space, from_topology
from molvec.data.chains import open_chains
from molvec.evaluate.markdown_table import table_lines
from molvec.featurize.conformer import ConformerFeaturizer
from molvec.featurize.molecule import MoleculeFeaturizer
from molvec.featurize.protein import ProteinFeaturizer
from molvec.masking import CoordinateNoise, MaskSampler
from molvec.provenance import describe
from molvec.records import Conformer

SEED = 0
FIT, SCORE = 2000, 1200  # molecules
ENTRIES = 130, 130  # of the PDB
RESIDUES = 10_000, 20_000  # at most
ELEMENTS = [1, 6, 7, 8, 9]  # their indices, too, in 2D and in space
HYDROGEN = 1
NOISE = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
RESIDUE_NOISE = (0.0, 0.25, 0.5, 1.0)
RATIOS = (0.3, 0.5)
MARGIN = 0.03
HEAVY, ALL = "heavy atoms alone", "with hydrogens"
MATCHES = ((ALL, ALL), (HEAVY, HEAVY), (ALL, HEAVY))
"""Which cloud is to tell no more than which topology."""
SHELLS = (1.3, 1.75, 2.3, 3.2)  # bonds to hydrogen, bonds, two bonds away, beyond
RESIDUE_SHELLS = (6.5, 10.0)

Read = Callable[[Data, torch.Tensor], Array]
"""``(graph, mask [num_nodes]) -> [num_hidden, columns]``."""

Scores = dict[str, dict[str, dict[str, float]]]
"""What is seen -> mask -> how often the kind is read right, by group of nodes."""


def point_cloud(numbers: NDArray[np.integer], pos: NDArray[np.floating]) -> Data:
    """All atoms given as nodes, as models in space see them; pos ``[n, 3]`` in Angstrom."""
    return ConformerFeaturizer()(
        Conformer("", numbers.astype(np.uint8), np.array(pos, dtype=np.float32))
    )


def hidden_nodes(
    graphs: Sequence[Data], read: Read, sampler: MaskSampler, noise: float
) -> tuple[Array, NDArray[np.int64]]:
    """Columns ``[rows, columns]`` and true kinds ``[rows]`` of all hidden nodes."""
    columns, kinds = [], []
    shift = CoordinateNoise(noise, sampler.seed) if noise else None
    for number, graph in enumerate(graphs):
        (mask,) = sampler(graph, epoch=0, sample=number)
        seen = graph if shift is None else shift(graph, epoch=0, sample=number)
        columns.append(read(seen, mask))
        kinds.append(graph.x[mask, 0].numpy())
    return np.concatenate(columns), np.concatenate(kinds)


def read_kinds(
    graphs: Sequence[Data],
    fit: int,
    read: Read,
    sampler: MaskSampler,
    noise: float = 0.0,
    *,
    rounds: int = 100,
    limits: tuple[int, int] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Fit on the first graphs, read the rest.

    Args:
        graphs: clouds or topologies.
        fit: how many to fit on.
        read: columns of hidden nodes.
        sampler: one view per graph.
        noise: on the coordinates, Angstrom.
        rounds: of boosting.
        limits: at most so many nodes to fit and to score, drawn at random.

    Returns:
        Kinds that were fitted, and true and read kinds of the hidden nodes of the rest.
    """
    x, y = hidden_nodes(graphs[:fit], read, sampler, noise)
    # Other masks and other noise for the rest: they are numbered on.
    later = MaskSampler(sampler.kind, sampler.ratio, sampler.views, sampler.seed + 1)
    x_score, y_score = hidden_nodes(graphs[fit:], read, later, noise)
    if limits is not None:
        rng = np.random.default_rng(SEED)
        chosen, scored = (
            rng.permutation(len(rows))[:limit]
            for rows, limit in zip((y, y_score), limits, strict=True)
        )
        x, y, x_score, y_score = x[chosen], y[chosen], x_score[scored], y_score[scored]
    known = ~np.isnan(x).all(0)  # trees cannot bin a column without numbers
    x, x_score = x[:, known], x_score[:, known]
    # Without shrinkage, rare kinds (fluorine) let boosting diverge.
    model = HistGradientBoostingClassifier(
        max_iter=rounds, l2_regularization=1.0, early_stopping=False, random_state=SEED
    )
    return y, y_score, model.fit(x, y).predict(x_score)


def shares(
    fitted: NDArray[np.int64],
    truth: NDArray[np.int64],
    read: NDArray[np.int64],
    *,
    leave_out: int | None = None,
) -> dict[str, float]:
    """Share read right, and share that the commonest kind would be; some kind may be left out."""
    counted, common = truth != leave_out, np.bincount(fitted[fitted != leave_out]).argmax()
    return {
        "right": float((read == truth)[counted].mean()),
        "commonest": float((truth[counted] == common).mean()),
        "nodes": int(counted.sum()),
    }


def molecules(folder: Path) -> dict[str, Scores]:
    """Read elements in every setting; heavy atoms and all atoms."""
    file = np.load(folder / "3d" / "qm9" / "qm9_sample10k.npz", allow_pickle=False)
    numbers, pos, ptr = file["z"], file["pos"], file["ptr"]
    rows = np.random.default_rng(SEED).permutation(len(ptr) - 1)[: FIT + SCORE]
    atoms = [np.arange(ptr[row], ptr[row + 1]) for row in rows]
    heavy = [each[numbers[each] > 1] for each in atoms]
    clouds = {
        ALL: [point_cloud(numbers[each], pos[each]) for each in atoms],
        HEAVY: [point_cloud(numbers[each], pos[each]) for each in heavy],
    }
    mols = [Chem.MolFromSmiles(str(file["smiles"][row])) for row in rows]
    featurizer = MoleculeFeaturizer()
    bonds = {
        HEAVY: [Batch.from_data_list([featurizer(mol)]) for mol in mols],
        ALL: [Batch.from_data_list([featurizer(Chem.AddHs(mol))]) for mol in mols],
    }
    topology = partial(from_topology, kinds=list(range(1, 10)))
    space = partial(from_space, kinds=ELEMENTS, radii=SHELLS)
    scores: dict[str, Scores] = {"heavy atoms": {}, "all atoms": {}}
    for together in (False, True):
        for ratio in RATIOS:
            name = f"{'ball / subgraph' if together else 'random'}, {ratio:.0%}"
            for level, graphs in bonds.items():
                sampler = MaskSampler("subgraph" if together else "random", ratio, 1, SEED)
                add(scores, in_2d(level), name, read_kinds(graphs, FIT, topology, sampler))
            sampler = MaskSampler("ball" if together else "random", ratio, 1, SEED)
            for cloud, graphs in clouds.items():
                for noise in NOISE:
                    read = read_kinds(graphs, FIT, space, sampler, noise)
                    add(scores, in_3d(cloud, noise), name, read)
    return scores


def in_2d(atoms: str) -> str:
    """Name a topology."""
    return f"2D {atoms}"


def in_3d(atoms: str, noise: float) -> str:
    """Name a cloud and its noise."""
    return f"3D {atoms}, noise {noise:.2f} Å"


def add(scores: dict[str, Scores], view: str, mask: str, read: tuple) -> None:
    """Note the shares of heavy atoms and of all atoms, and say so."""
    for group, leave_out in (("heavy atoms", HYDROGEN), ("all atoms", None)):
        if leave_out is None and HEAVY in view:
            continue  # the same
        found = shares(*read, leave_out=leave_out)
        scores[group].setdefault(view, {})[mask] = found
        print(f"{view}; {mask}; {group}: {found['right']:.3f}", flush=True)


def proteins(folder: Path) -> Scores:
    """Read kinds of residues in every setting."""
    store = open_chains(folder / "pdb" / "chains_ca", min_residues=20, max_residues=1000)
    entry = np.array([name[:4].lower() for name in store.info["names"]])
    chosen = np.random.default_rng(SEED).permutation(np.unique(entry))[: sum(ENTRIES)]
    parts = chosen[: ENTRIES[0]], chosen[ENTRIES[0] :]
    rows = [np.flatnonzero(np.isin(entry, part)).tolist() for part in parts]
    featurizer = ProteinFeaturizer()
    graphs = [featurizer(store[row]) for row in rows[0] + rows[1]]
    kinds = list(range(1, featurizer.node_sizes[0] - 1))
    space = partial(from_space, kinds=kinds, radii=RESIDUE_SHELLS)
    sequence = partial(from_sequence, reach=8)
    scores: Scores = {}
    for kind in ("random", "ball"):
        sampler = MaskSampler(kind, 0.5, 1, SEED)
        views: dict[str, tuple[Read, float]] = {"sequence, no positions": (sequence, 0.0)}
        views |= {f"3D, noise {noise:.2f} Å": (space, noise) for noise in RESIDUE_NOISE}
        for view, (read, noise) in views.items():
            found = shares(
                *read_kinds(graphs, len(rows[0]), read, sampler, noise, rounds=30, limits=RESIDUES)
            )
            scores.setdefault(view, {})[f"{kind}, 50%"] = found
            print(f"residues, {view}; {kind}: {found['right']:.3f}", flush=True)
    return scores


def smallest_noise(scores: Scores, cloud: str, level: str, mask: str) -> float | None:
    """Smallest noise from which on no more than ``MARGIN`` above topology is read; or ``None``."""
    best, most = None, scores[in_2d(level)][mask]["right"] + MARGIN
    for noise in reversed(NOISE):
        if scores[in_3d(cloud, noise)][mask]["right"] > most:
            break
        best = noise
    return best


def recommendations(scores: Scores) -> dict[str, dict[str, float | None]]:
    """What is seen and the level to match -> mask -> smallest noise."""
    return {
        f"3D {cloud}, against 2D {level}": {
            mask: smallest_noise(scores, cloud, level, mask) for mask in scores[in_2d(level)]
        }
        for cloud, level in MATCHES
    }


def main() -> None:
    """Read and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 3d/qm9 and pdb")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    for part in ("3d/qm9/qm9_sample10k.npz", "pdb/chains_ca"):
        if not (arguments.data / part).exists():
            parser.error(f"{arguments.data / part} is not there; --data is the mirror's folder")
    document: dict = {"machine": describe(), "seed": SEED}
    document["molecules"] = molecules(arguments.data)
    document["noise"] = recommendations(document["molecules"]["heavy atoms"])
    document["proteins"] = proteins(arguments.data)
    write(arguments.output, document)


def write(folder: Path, document: dict) -> None:
    """Write ``leak.json`` and ``leak.md``, and print the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (folder / "leak.json").write_text(text, encoding="utf-8")
    lines = ["# What gives a hidden node away", ""]
    lines += ["`python -m benchmarks.leak --data $MOLVEC_MIRROR --output benchmarks/results`", ""]
    lines += [f"- {key}: {value}" for key, value in document["machine"].items()]
    lines += ["", "Share of hidden nodes whose kind a plain model reads right, by mask.", ""]
    tables = {f"element, {group}": part for group, part in document["molecules"].items()}
    for title, scores in {**tables, "kind of residue": document["proteins"]}.items():
        lines += [f"## {title}", "", *table(scores), ""]
    lines += ["## smallest noise (Å) at which heavy atoms are read like from topology", ""]
    masks = list(next(iter(document["noise"].values())))
    body = [
        [level, *("—" if found[mask] is None else f"{found[mask]:.2f}" for mask in masks)]
        for level, found in document["noise"].items()
    ]
    lines += [*table_lines(["at most 3 points above topology", *masks], body), ""]
    (folder / "leak.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def table(scores: Scores) -> list[str]:
    """One row per view, after the commonest kind's share."""
    masks = list(next(iter(scores.values())))
    last = scores[max(scores, key=lambda view: view.startswith("3D"))]
    body = [["commonest kind", *(f"{last[mask]['commonest']:.1%}" for mask in masks)]]
    for view, row in scores.items():
        body.append([view, *(f"{row[mask]['right']:.1%}" for mask in masks)])
    return table_lines(["seen", *masks], body)


if __name__ == "__main__":
    main()
