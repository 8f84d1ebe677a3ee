"""Model cards of shipped models: data, recipe, results, limits, licence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from molvec.data.card import load_card


def of_molecules(name: str, config: dict[str, Any], results: str) -> str:
    """Write the card of a model of molecules."""
    training = config["training"]
    settings = training["settings"]
    data = settings["data"]
    sources = {data["source"]: 1, **data.get("extra", {})}
    encoder = config["encoder"]
    lines = [
        f"# {name}",
        "",
        f"A graph Transformer ({encoder['depth']} blocks of {encoder['dim']}) that learned from "
        "molecules without labels, with data2vec. Use it frozen, with a linear head, a random "
        "forest or a kernel method on top, or fine-tune it:",
        "",
        "```python",
        f'X = molvec.load("{name}").embed(smiles)',
        "```",
        "",
        "## Data",
        "",
    ]
    for source, times in sources.items():
        about = load_card(source)
        often = "" if times == 1 else f", each row {times} times an epoch"
        lines.append(
            f"- {about.title} (`{source}`, {about.rows:,} rows{often}; licence: {about.licence})"
        )
    lines += [
        "",
        "## Training",
        "",
        f"{training['steps']:,} steps of {settings['batch_size']} molecules: "
        f"{training['molecules']:,} molecules, {training['views']:,} masked views, "
        f"{training['seconds'] / 60:.0f} minutes on a CPU, seed {settings['seed']}, "
        f"torch {training['torch']}. The weights are the teacher's, in half precision. "
        f"`molvec pretrain {name}` repeats it.",
        "",
    ]
    if settings["objective"]["grounding_weight"]:
        lines += [
            "Beside the teacher's view of hidden atoms it learned what RDKit computes of molecules "
            f"(`objective.grounding: {settings['objective']['grounding']}`), no measured value.",
            "",
        ]
    if results:
        lines += ["## Results, frozen", "", "MoleculeNet, split `scaffold_hu`:", "", results]
    lines += [
        "## Limits",
        "",
        "- ZINC's Clean Leads are neutral molecules of C, N, O, S, F, Cl and Br with 250 to 350 "
        "Da: ions, other elements, and much smaller or larger molecules were not there.",
        "- No stereochemistry in the training data: tetrahedral and double-bond labels are read, "
        "and mean little to it.",
        "- The table says where fingerprints or descriptors are better. Look there first.",
        "",
    ]
    return _closed(lines, settings)


def of_proteins(name: str, config: dict[str, Any], results: str) -> str:
    """Write the card of a model of protein chains."""
    training = config["training"]
    settings = training["settings"]
    encoder = config["encoder"]
    left_out = settings["data"]["leave_out"]
    lines = [
        f"# {name}",
        "",
        f"An equivariant network ({encoder['depth']} blocks of {encoder['dim']} scalars and "
        f"{encoder['dim'] // 4} vectors, residues at their CA atoms) that learned from protein "
        "structures without labels, with data2vec. Use it frozen, with a linear head on its "
        "residues or chains:",
        "",
        "```python",
        f'residues = molvec.load("{name}").embed("1abc.pdb", level="residue")[0]',
        "```",
        "",
        "## Data",
        "",
        "- CA traces of 1,487 chains of distinct sequences (300,587 residues) from X-ray entries "
        "of the Protein Data Bank; licence: CC0-1.0. "
        + (
            "Chains in a cluster of sequences with a chain of GraphPPIS's Test_60 are left out "
            "(`python -m benchmarks.proteins relatives`)."
            if left_out
            else ""
        ),
        "",
        "## Training",
        "",
        f"{training['steps']:,} steps of {settings['batch_size']} chains: "
        f"{training['molecules']:,} chains, {training['views']:,} masked views, "
        f"{training['seconds'] / 60:.0f} minutes on one CPU core, seed {settings['seed']}, "
        f"torch {training['torch']}. The weights are the teacher's, in half precision. "
        "`molvec pretrain pdb --data FOLDER` does the same with a folder of yours.",
        "",
    ]
    if results:
        lines += ["## Results, frozen", "", "GraphPPIS, Test_60, linear probes:", "", results]
    lines += [
        "## Limits",
        "",
        "- It sees kinds of residues and CA atoms: no side chains, no other chains of a complex, "
        "no ligands, no relatives in sequence.",
        "- It cannot tell a structure from its mirror image.",
        "- X-ray structures of single chains; disordered, designed or predicted ones were not "
        "there.",
        "- The table says what features that are given with the residues know without it.",
        "",
    ]
    return _closed(lines, settings)


def of_conformers(name: str, config: dict[str, Any], results: str) -> str:
    """Write the card of a model of molecules in space."""
    training = config["training"]
    settings = training["settings"]
    encoder = config["encoder"]
    about = load_card(settings["data"]["source"])
    objective = settings["objective"]
    said = ""
    if objective["grounding_weight"]:
        said = {
            "extended_huckel": " and from what an extended Hückel calculation says of their "
            "electrons",
            "xtb": " and from what semi-empirical tight binding (xTB) says of their electrons",
        }.get(objective["grounding"], "")
    lines = [
        f"# {name}",
        "",
        f"An equivariant network ({encoder['depth']} blocks of {encoder['dim']} scalars and "
        f"{encoder['dim'] // 4} vectors, all atoms with hydrogens) that learned from geometries "
        f"of small molecules without labels, with data2vec{said}. Use it frozen, with a linear "
        "head, or fine-tune it:",
        "",
        "```python",
        f'X = molvec.load("{name}").embed(Path("my.sdf"))  # or SMILES, which get a geometry',
        "```",
        "",
        "## Data",
        "",
        f"- {about.title} (`{about.name}`, {about.rows:,} geometries; licence: {about.licence}). "
        "No label was used.",
        "",
        "## Training",
        "",
        f"{training['steps']:,} steps of {settings['batch_size']} molecules: "
        f"{training['molecules']:,} molecules, {training['views']:,} masked views, "
        f"{training['seconds'] / 60:.0f} minutes on one thread and {settings['data']['workers']} "
        f"processes that read ahead, seed {settings['seed']}, torch "
        f"{training['torch']}. The weights are the teacher's, in half precision. "
        "`molvec pretrain qm9` repeats it.",
        "",
    ]
    if results:
        lines += ["## Results", "", "QM9, mean absolute errors on 10,831 test molecules:", ""]
        lines += [results]
    lines += [
        "## Limits",
        "",
        "- At most nine heavy atoms of C, N, O and F, neutral, in one geometry at a minimum of "
        "B3LYP/6-31G(2df,p): other elements, ions, larger molecules and strained geometries were "
        "not there.",
        "- It cannot tell a molecule from its mirror image.",
        "- Geometries that are made of SMILES come from a force field, not from B3LYP.",
        "",
    ]
    return _closed(lines, settings)


def _closed(lines: list[str], settings: dict[str, Any]) -> str:
    """Add licence and settings."""
    closing = [
        "## Licence",
        "",
        "MIT, as molvec. The training data have the licences above.",
        "",
        "## Settings",
        "",
        "```json",
        json.dumps(settings, indent=1),
        "```",
    ]
    return "\n".join([*lines, *closing]) + "\n"


CARDS: dict[str, Callable[[str, dict[str, Any], str], str]] = {
    "molecule": of_molecules,
    "conformer": of_conformers,
    "protein": of_proteins,
}
"""By the kind of a model's featuriser."""
