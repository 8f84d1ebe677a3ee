"""What does a residue's vector know? Interfaces and secondary structure, by linear probes.

    python -m benchmarks.proteins relatives $MOLVEC_MIRROR/pdb relatives.txt
    molvec pretrain pdb --data $MOLVEC_MIRROR/pdb/chains_ca --set data.leave_out=relatives.txt
    python -m benchmarks.proteins validate $MOLVEC_MIRROR/pdb --model runs/pdb
    python -m benchmarks.proteins probe $MOLVEC_MIRROR/pdb --model runs/pdb

``validate`` scores a model by three-fold cross-validation within Train_335, without a look at
Test_60: settings are to be chosen by it. The probes of ``probe`` are fitted on the chains of
Train_335 and scored on Test_60 (GraphPPIS, Yuan et al. 2022, doi:10.1093/bioinformatics/btab643);
50 of the training chains choose the strength, and the threshold of MCC. ``relatives`` writes the
names of the chains in ``chains_ca`` that are in a cluster of sequences with a chain of Test_60. The
given features are those of GraphPPIS: PSSM, HMM profile and DSSP's. Residues without CA are left
out for every row of the tables.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score

from molvec.benchmarking.encoders import ModelFolder
from molvec.embed.load import load
from molvec.evaluate.heads import fit_head
from molvec.evaluate.markdown_table import table_lines
from molvec.objective.collapse import effective_rank
from molvec.provenance import describe
from molvec.records import Chain
from molvec.records.structure import BACKBONE

SEEDS = (0, 1, 2)
FOLDS = 3  # of `validate`
CHOOSING = 50  # chains of Train_335
NEIGHBOURHOOD = 14.0  # Angstrom
THREE = {"H": 0, "G": 0, "I": 0, "E": 1, "B": 1, "T": 2, "S": 2, "C": 2}
"""Helix, strand, rest: the usual reduction of DSSP's eight states."""

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Residues:
    """Chains one after another; ``part`` is 0 to fit, 1 to choose, 2 to score.

    Shapes: ``part``, ``interface``, ``state``: ``[n]``; ``features``, ``around``, ``letter``:
    ``[n, columns]``.
    """

    chains: list[Chain]
    part: NDArray[np.int64]
    interface: Array
    state: Array  # 0, 1, 2; NaN where DSSP says nothing
    features: Array
    around: Array
    letter: Array


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    relatives = commands.add_parser("relatives")
    relatives.add_argument("data", type=Path)
    relatives.add_argument("output", type=Path)
    probing = commands.add_parser("probe")
    probing.add_argument("data", type=Path)
    probing.add_argument("--model", type=Path, required=True)
    validating = commands.add_parser("validate")
    validating.add_argument("data", type=Path)
    validating.add_argument("--model", type=Path, required=True)
    validating.add_argument("--random", action="store_true", help="the same at random start")
    validating.add_argument("--readout", help="another than the model's own")
    validating.add_argument("--folds", type=int, default=FOLDS, help="how many of them to score")
    probing.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    if arguments.command == "relatives":
        names = related(arguments.data)
        arguments.output.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        print(f"{len(names)} chains in {arguments.output}")
        return
    if arguments.command == "validate":
        whole = read(arguments.data / "graphppis" / "graphppis_features.npz")
        model = ModelFolder(arguments.model)
        embedder = model.random_embedder(0) if arguments.random else load(arguments.model)
        embedder.readout = arguments.readout or embedder.readout
        for name, value in validate(whole, embedder, folds=arguments.folds).items():
            print(f"{name}: {value:.4f}")
        return
    machine = describe()
    data = read(arguments.data / "graphppis" / "graphppis_features.npz")
    model = ModelFolder(arguments.model)
    vectors = {"pretrained": [embed(load(arguments.model), data)]}
    vectors["random start"] = [embed(model.random_embedder(seed), data) for seed in SEEDS]
    command = f"python -m benchmarks.proteins probe $MOLVEC_MIRROR/pdb --model {arguments.model}"
    document = {
        "command": command,
        "model": model.about(),
        "machine": machine,
        "interface": interface_scores(data, vectors),
        "secondary structure": state_scores(data, vectors),
    }
    write(arguments.output, document)


def related(folder: Path) -> list[str]:
    """Names of the chains of ``chains_ca`` that share a cluster with one of Test_60."""
    sets = np.load(folder / "graphppis" / "graphppis_features.npz", allow_pickle=False)
    test = set(np.flatnonzero(sets["split"] == "Test_60").tolist())
    with gzip.open(folder / "labels" / "sequence_clusters.tsv.gz", "rt") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    clusters = {
        row["cluster"]
        for row in rows
        if row["file"].startswith("graphppis") and int(row["index"]) in test
    }
    known = np.load(folder / "chains_ca_labels.npz", allow_pickle=False)
    return [
        f"{known['pdb_id'][i]}_{known['chain'][i]}_{known['chain'][i]}"
        for i in (int(row["index"]) for row in rows if _is_relative(row, clusters))
    ]


def _is_relative(row: dict[str, str], clusters: set[str]) -> bool:
    return row["file"] == "mmtf_ca_chains.npz" and row["cluster"] in clusters


def read(path: Path) -> Residues:
    """Read Train_335 and Test_60 from the features of GraphPPIS."""
    sets = np.load(path, allow_pickle=False)
    arrays = {name: sets[name] for name in sets.files}
    train = np.flatnonzero((arrays["split"] == "Train_335") & arrays["has_ca"])
    test = np.flatnonzero((arrays["split"] == "Test_60") & arrays["has_ca"])
    choosing = set(np.random.default_rng(0).permutation(train)[:CHOOSING].tolist())
    alphabet = str(arrays["dssp_ss_alphabet"])
    chains, rows, parts = [], [], []
    for index in [*train, *test]:
        part = slice(int(arrays["offsets"][index]), int(arrays["offsets"][index + 1]))
        known = np.flatnonzero(np.isfinite(arrays["ca"][part]).all(1)) + part.start
        chains.append(_chain(str(arrays["ids"][index]), arrays, known))
        rows.append(known)
        number = 2 if arrays["split"][index] == "Test_60" else int(int(index) in choosing)
        parts.append(np.full(len(known), number))
    chosen = np.concatenate(rows)
    features = np.concatenate(
        [
            arrays["pssm"][chosen] / 240,
            arrays["hmm"][chosen] / 240,
            np.eye(len(alphabet))[arrays["dssp_ss"][chosen]],
            arrays["rsa"][chosen, None],
            arrays["phi_psi_sincos"][chosen],
        ],
        axis=1,
    ).astype(np.float64)
    letters = np.unique(arrays["seq"][chosen])
    states = np.array([THREE.get(letter, np.nan) for letter in alphabet])
    return Residues(
        chains=chains,
        part=np.concatenate(parts),
        interface=arrays["label"][chosen].astype(np.float64),
        state=states[arrays["dssp_ss"][chosen]],
        features=features,
        around=averaged(features, chains),
        letter=(arrays["seq"][chosen, None] == letters).astype(np.float64),
    )


def _chain(name: str, arrays: dict[str, NDArray], rows: NDArray[np.int64]) -> Chain:
    backbone = np.full((len(rows), len(BACKBONE), 3), np.nan, dtype=np.float32)
    backbone[:, BACKBONE.index("CA")] = arrays["ca"][rows]
    return Chain(
        name=name,
        sequence=b"".join(arrays["seq"][rows]).decode("ascii"),
        numbers=tuple(str(i + 1) for i in range(len(rows))),
        backbone=backbone,
    )


def averaged(features: Array, chains: list[Chain]) -> Array:
    """Mean of the features over the residues within 14 Angstrom, itself included."""
    result = []
    start = 0
    for chain in chains:
        own = features[start : start + len(chain)]
        near = cKDTree(chain.ca).query_ball_point(chain.ca, NEIGHBOURHOOD)
        result.append(np.stack([own[members].mean(0) for members in near]))
        start += len(chain)
    return np.concatenate(result)


def embed(embedder, data: Residues) -> Array:
    """One vector per residue, ``[n, dim]``."""
    return np.concatenate(embedder.embed(data.chains, level="residue", on_error="raise"))


def validate(data: Residues, embedder, *, folds: int = FOLDS) -> dict[str, float]:
    """Mean scores over the folds of the training chains; the test chains are not there at all."""
    train = [chain for chain, part in zip(data.chains, _part_of(data), strict=True) if part < 2]
    rows = data.part < 2
    number = np.repeat(
        np.random.default_rng(1).permutation(len(train)) % FOLDS, [len(chain) for chain in train]
    )
    around = {name: value[rows] for name, value in vars(data).items() if name != "chains"}
    x = embed(embedder, Residues(**{**around, "chains": train}))
    scores: dict[str, list[float]] = {"embedding + given AUPRC": [], "AUPRC": [], "Q3": []}
    for fold in range(folds):
        # What is scored here is fitted on elsewhere; the choosing chains stay, unless scored.
        parts = np.where(number == fold, 2, around["part"])
        split = Residues(**{**around, "chains": train, "part": parts})
        both = np.hstack([x, split.features])
        scores["embedding + given AUPRC"].append(interface(split, both)["AUPRC"])
        scores["AUPRC"].append(interface(split, x)["AUPRC"])
        scores["Q3"].append(state(split, x))
    rank = effective_rank(torch.from_numpy(x[:: max(1, len(x) // 4000)]))
    return {name: float(np.mean(values)) for name, values in scores.items()} | {
        "effective rank of residues": rank
    }


def _part_of(data: Residues) -> NDArray[np.int64]:
    """Part of each chain."""
    lengths = [len(chain) for chain in data.chains]
    return data.part[np.cumsum([0, *lengths[:-1]])]


def interface_scores(data: Residues, vectors: dict[str, list[Array]]) -> dict[str, list[dict]]:
    """Score who is at an interface with another chain, from features and from vectors."""
    inputs = {
        "given features": [data.features],
        "given features, mean within 14 Å": [data.around],
        "given features, both": [np.hstack([data.features, data.around])],
        **vectors,
        **{
            f"{name} + given features": [np.hstack([x, data.features]) for x in draws]
            for name, draws in vectors.items()
        },
        **{
            f"{name} + given features, both": [
                np.hstack([x, data.features, data.around]) for x in draws
            ]
            for name, draws in vectors.items()
        },
    }
    return {name: [interface(data, x) for x in draws] for name, draws in inputs.items()}


def interface(data: Residues, x: Array) -> dict[str, float]:
    """Fit on part 0, choose on part 1, score part 2."""
    chosen, predicted = _probe(data, x, data.interface[:, None])
    truth = data.interface[data.part == 1], data.interface[data.part == 2]
    levels = np.quantile(chosen[:, 0], np.linspace(0.5, 0.99, 50))
    best = max(levels, key=lambda level: matthews_corrcoef(truth[0], chosen[:, 0] > level))
    return {
        "AUPRC": float(average_precision_score(truth[1], predicted[:, 0])),
        "AUROC": float(roc_auc_score(truth[1], predicted[:, 0])),
        "MCC": float(matthews_corrcoef(truth[1], predicted[:, 0] > best)),
    }


def state_scores(data: Residues, vectors: dict[str, list[Array]]) -> dict[str, list[dict]]:
    """Score helix, strand or rest, from CA traces; DSSP itself is no input here."""
    inputs = {"kind of residue": [data.letter], **vectors}
    return {name: [{"Q3": state(data, x)} for x in draws] for name, draws in inputs.items()}


def state(data: Residues, x: Array) -> float:
    """Share of the residues of part 2 whose most probable state is right."""
    known = np.isfinite(data.state)[:, None]
    truth = np.where(known, data.state[:, None] == np.arange(3), np.nan)
    _, predicted = _probe(data, x, truth)
    right = predicted.argmax(1) == data.state[data.part == 2]
    return float(right[known[data.part == 2, 0]].mean())


def _probe(data: Residues, x: Array, y: Array) -> tuple[Array, Array]:
    fit, choose, test = (data.part == part for part in range(3))
    head = fit_head(
        "linear", "classification", x[fit], y[fit], x[choose], y[choose], scale=True, seed=0
    )
    return head.predict(x[choose]), head.predict(x[test])


def write(output: Path, document: dict) -> None:
    """Write all scores, and their means as tables."""
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1) + "\n"
    (output / "proteins.json").write_text(text, encoding="utf-8")
    training = document["model"]["training"]
    lines = [
        "# Residues of GraphPPIS, frozen",
        "",
        f"`{document['command']}`: linear probes fitted on Train_335, scored on Test_60. Given are "
        "PSSM, HMM profile, secondary structure, exposure and backbone torsions of each residue; "
        f"the model sees kinds of residues and CA atoms. Random start: {len(SEEDS)} seeds, same "
        f"readout ({document['model']['readout']}). Pretraining: seed "
        f"{training['settings']['seed']}, {training['molecules']:,} chains.",
        "",
        *(f"- {name}: {value}" for name, value in document["machine"].items()),
        "",
    ]
    for task in ("interface", "secondary structure"):
        names = list(next(iter(document[task].values()))[0])
        body = []
        for row, draws in document[task].items():
            cells = []
            for name in names:
                values = [draw[name] for draw in draws]
                spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
                cells.append(f"{np.mean(values):.3f}{spread}")
            body.append([row, *cells])
        lines += [f"**{task}**", "", *table_lines(["linear probe of", *names], body), ""]
    (output / "proteins.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
