"""What does an atom's vector know of its surroundings? Linear probes, against random start.

    python -m benchmarks.atoms --model runs/zinc --output benchmarks/results

Linear heads are fitted on the atoms of 60 % of the first 2,000 NCI molecules that RDKit ships, a
fifth chooses their strength, and the atoms of the last fifth are scored: R², or ROC-AUC. Beside the
model stand the same network at random start, and the atom's own features as indicators, which
know nothing of the surroundings. Writes ``atoms.json`` and ``atoms.md``.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem, RDLogger
from rdkit.Chem import rdMolDescriptors, rdPartialCharges

from molvec.benchmarking.encoders import ModelFolder
from molvec.data.labelled import Task
from molvec.data.store import open_store
from molvec.demo import molecules
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.evaluate.heads import fit_head
from molvec.evaluate.markdown_table import table_lines
from molvec.evaluate.metrics import score
from molvec.provenance import describe

NUM_MOLECULES = 2000
SEEDS = (0, 1, 2)

Array = NDArray[np.floating]


def aromatic_two_bonds_away(mol: Chem.Mol) -> Array:
    """1 where an aromatic atom is exactly two bonds away, ``[num_atoms]``."""
    aromatic = np.array([atom.GetIsAromatic() for atom in mol.GetAtoms()])
    return ((Chem.GetDistanceMatrix(mol) == 2) & aromatic).any(1).astype(float)


def carbonyl_three_bonds_away(mol: Chem.Mol) -> Array:
    """1 where the carbon of a C=O is exactly three bonds away, ``[num_atoms]``."""
    carbonyl = np.zeros(mol.GetNumAtoms(), dtype=bool)
    for carbon, _ in mol.GetSubstructMatches(Chem.MolFromSmarts("[#6]=O")):
        carbonyl[carbon] = True
    return ((Chem.GetDistanceMatrix(mol) == 3) & carbonyl).any(1).astype(float)


def crippen(mol: Chem.Mol) -> tuple[Array, Array]:
    """Contributions to logP and to molar refractivity (doi:10.1021/ci990307l)."""
    parts = np.array(rdMolDescriptors._CalcCrippenContribs(mol))
    return parts[:, 0], parts[:, 1]


def gasteiger(mol: Chem.Mol) -> Array:
    """Partial charges (doi:10.1016/0040-4020(80)80168-2); NaN where they do not converge."""
    rdPartialCharges.ComputeGasteigerCharges(mol)
    charges = np.array([atom.GetDoubleProp("_GasteigerCharge") for atom in mol.GetAtoms()])
    return np.where(np.isfinite(charges), charges, math.nan)


QUESTIONS: dict[str, Task] = {
    "aromatic atom two bonds away": "classification",
    "carbonyl three bonds away": "classification",
    "logP contribution": "regression",
    "refractivity contribution": "regression",
    "Gasteiger charge": "regression",
}


def answers(mol: Chem.Mol) -> Array:
    """Return the truth of all ``QUESTIONS``, ``[num_atoms, num_questions]``."""
    log_p, refractivity = crippen(mol)
    columns = (
        aromatic_two_bonds_away(mol),
        carbonyl_three_bonds_away(mol),
        log_p,
        refractivity,
        gasteiger(mol),
    )
    return np.stack(columns, axis=1)


def main() -> None:
    """Probe and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()

    RDLogger.DisableLog("rdApp.*")
    machine = describe()
    model = ModelFolder(arguments.model)
    mols, truth, parts = questions()
    pretrained = load(arguments.model)
    vectors = {"pretrained": [pretrained.embed(mols, level="node")]}
    vectors["random start"] = [
        model.random_embedder(seed).embed(mols, level="node") for seed in SEEDS
    ]
    vectors["atom features"] = [indicators(pretrained, mols)]
    scores = {
        name: [probe(each, truth, parts) for each in draws] for name, draws in vectors.items()
    }
    write(arguments, {"model": model.about(), "machine": machine, "scores": scores})


def questions() -> tuple[list[Chem.Mol], list[Array], list[NDArray[np.int64]]]:
    """Molecules, the truth about their atoms, and which molecules fit, choose and test."""
    mols = [mol for mol in molecules(open_store("nci"))[:NUM_MOLECULES] if mol is not None]
    cuts = [int(0.6 * len(mols)), int(0.8 * len(mols))]
    parts = np.split(np.random.default_rng(0).permutation(len(mols)), cuts)
    return mols, [answers(mol) for mol in mols], parts


def indicators(embedder: Embedder, mols: list[Chem.Mol]) -> list[Array]:
    """One column per value of every atom feature, ``[num_atoms, num_values]`` each."""
    sizes = torch.tensor((0, *embedder.featurizer.node_sizes))
    offsets = sizes.cumsum(0)
    result = []
    for mol in mols:
        x = embedder.featurizer(mol).x + offsets[:-1]
        hot = torch.zeros(len(x), int(offsets[-1])).scatter_(1, x, 1.0)
        result.append(hot.numpy())
    return result


def probe(
    vectors: list[Array], truth: list[Array], parts: list[NDArray[np.int64]]
) -> dict[str, float]:
    """Fit and score one linear head per question; ``parts`` are of molecules."""
    fit, choose, test = (
        (np.concatenate([vectors[i] for i in part]), np.concatenate([truth[i] for i in part]))
        for part in parts
    )
    result = {}
    for column, (question, task) in enumerate(QUESTIONS.items()):
        y = [part[1][:, [column]] for part in (fit, choose, test)]
        head = fit_head("linear", task, fit[0], y[0], choose[0], y[1], scale=True, seed=0)
        predicted = head.predict(test[0])
        if task == "classification":
            result[question] = score("roc_auc", y[2], predicted).mean
        else:
            known = ~np.isnan(y[2])
            error = np.square(y[2] - predicted)[known].mean()
            result[question] = float(1 - error / y[2][known].var())
    return result


def write(arguments: argparse.Namespace, document: dict) -> None:
    """Write all scores, and their means as a table."""
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1) + "\n"
    (arguments.output / "atoms.json").write_text(text, encoding="utf-8")
    scores = document["scores"]
    body = []
    for question, task in QUESTIONS.items():
        cells = []
        for draws in scores.values():
            values = [draw[question] for draw in draws]
            spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        body.append([f"{question}, {'ROC-AUC' if task == 'classification' else 'R²'}", *cells])
    table = "\n".join(table_lines(["", *scores], body)) + "\n"
    (arguments.output / "atoms.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
