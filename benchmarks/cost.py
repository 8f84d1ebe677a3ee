"""What a training step on points costs, beside a PaiNN-like network of the same width.

    python -m benchmarks.cost --data $MOLVEC_MIRROR --output benchmarks/results

Forward and backward pass on one batch of QM9's molecules, all atoms, edges up to 5 Angstrom. Rates
are medians over rounds in which the contenders take turns on one thread, so that ratios hold when
the machine's speed drifts. Memory is what autograd keeps for the backward pass, parameters and the
batch itself left out, scaled to 20,000 edges; and, at preset ``small``, for protein chains, where
attention grows with the square of the residues. Writes ``cost.json`` and ``cost.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from e3nn import o3
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch_geometric.data import Batch

from benchmarks.leak import point_cloud
from benchmarks.painn import PaiNN
from benchmarks.speed import take_turns
from molvec.evaluate.markdown_table import table_lines
from molvec.featurize.conformer import CUTOFF, ELEMENT
from molvec.featurize.protein import ProteinFeaturizer
from molvec.graph import Encoder
from molvec.nn.equivariant_encoder import EquivariantEncoder
from molvec.nn.graph_transformer import GraphTransformer
from molvec.nn.presets import PRESETS, build_encoder
from molvec.provenance import describe
from molvec.records import Chain
from molvec.records.structure import BACKBONE

SEED = 0
MOLECULES = 64
EDGES = 20_000
REACH = 10.0  # of the Transformer's distances, Angstrom
YARDSTICK = "PaiNN-like"
RESIDUES = (300, 1000)
VOLUME = 135.0  # Angstrom^3 of a residue: 110 Da at 1.35 g/cm^3


def contenders(dim: int, depth: int) -> dict[str, Encoder]:
    """Networks of equal width and depth."""
    size = {"node_sizes": ELEMENT.sizes, "dim": dim, "depth": depth}
    networks: dict[str, Callable[[], Encoder]] = {
        YARDSTICK: lambda: PaiNN(**size, cutoff=CUTOFF),
        "equivariant, lmax 1": lambda: EquivariantEncoder(
            **size, edge_sizes=(), lmax=1, cutoff=CUTOFF
        ),
        "equivariant, lmax 2": lambda: EquivariantEncoder(
            **size, edge_sizes=(), lmax=2, cutoff=CUTOFF
        ),
        "graph Transformer with distances": lambda: GraphTransformer(
            **size, edge_sizes=(), heads=8, reach=REACH
        ),
    }
    torch.manual_seed(SEED)
    return {name: build() for name, build in networks.items()}


def read_batch(folder: Path, count: int) -> Batch:
    """Molecules of QM9 drawn at random."""
    file = np.load(folder / "3d" / "qm9" / "qm9_sample10k.npz", allow_pickle=False)
    numbers, pos, ptr = file["z"], file["pos"], file["ptr"]
    rows = np.random.default_rng(SEED).permutation(len(ptr) - 1)[:count]
    return Batch.from_data_list(
        [point_cloud(*(a[ptr[r] : ptr[r + 1]] for a in (numbers, pos))) for r in rows]
    )


def loss_of(encoder: Encoder, batch: Batch) -> Tensor:
    """A number that depends on all outputs; a new batch brings no topology computed earlier."""
    if "structure" in batch:
        del batch["structure"]
    return encoder(batch).output.square().mean()


def step(encoder: Encoder, batch: Batch) -> int:
    """Forward and backward pass; returns the number of atoms."""
    loss_of(encoder, batch).backward()
    for parameter in encoder.parameters():
        parameter.grad = None
    return int(batch.num_nodes)


def bytes_saved(encoder: Encoder, batch: Batch) -> int:
    """Bytes that autograd keeps for the backward pass, each storage once.

    Parameters and tensors of the batch are there anyway and do not count.
    """
    there = [*encoder.parameters(), *encoder.buffers(), batch.x, batch.pos, batch.edge_index]
    known = {tensor.untyped_storage().data_ptr() for tensor in there}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = loss_of(encoder, batch)  # keeps all that is saved alive, so addresses are unique
    total = sum(size for address, size in kept.items() if address not in known)
    loss.backward()
    return total


def product_modes(module: nn.Module) -> set[str]:
    """How the tensor products in a network join channels: ``uvu``, ``uuu``, ``uvw`` ..."""
    return {
        instruction.connection_mode
        for part in module.modules()
        if isinstance(part, o3.TensorProduct)
        for instruction in part.instructions
    }


def check_products(module: nn.Module) -> None:
    """Refuse products that mix channels on every edge, as costly as a matrix per edge.

    Raises:
        ValueError: if there is a ``uvw`` product.
    """
    if "uvw" in product_modes(module):
        raise ValueError(f"{type(module).__name__} has a uvw tensor product")


def measure(networks: dict[str, Encoder], batch: Batch, rounds: int) -> list[dict]:
    """One row per network."""
    for network in networks.values():
        check_products(network)
        for _ in range(3):  # compiled parts settle, and with them what they save
            step(network, batch)
    num_edges = batch.edge_index.shape[1]
    saved = {name: bytes_saved(network, batch) for name, network in networks.items()}
    jobs = {name: lambda n=network: step(n, batch) for name, network in networks.items()}
    rates = take_turns(jobs, rounds)
    return [
        {
            "network": name,
            "parameters": sum(p.numel() for p in network.parameters()),
            "products": sorted(product_modes(network)),
            "atoms_per_second": rates[name],
            "relative_rate": rates[name] / rates[YARDSTICK],
            "bytes_per_20000_edges": round(saved[name] / num_edges * EDGES),
        }
        for name, network in networks.items()
    ]


def chain_of(residues: int) -> Chain:
    """CA atoms at random places of a cube, as dense as in a protein."""
    backbone = np.full((residues, len(BACKBONE), 3), np.nan, dtype=np.float32)
    side = (residues * VOLUME) ** (1 / 3)
    ca = side * np.random.default_rng(SEED).random((residues, 3))
    backbone[:, BACKBONE.index("CA")] = ca
    return Chain("made up", "A" * residues, tuple(map(str, range(residues))), backbone)


def chain_memory(lengths: tuple[int, ...] = RESIDUES, preset: str = "small") -> list[dict]:
    """Bytes kept for the backward pass of one chain, by family and length."""
    featurizer = ProteinFeaturizer()
    space = {"cutoff": featurizer.cutoff, "neighbours": featurizer.max_neighbours}
    rows = []
    for family, more in (("equivariant", space), ("graph_transformer", {"reach": 2 * REACH})):
        torch.manual_seed(SEED)
        encoder = build_encoder(
            {"family": family, **PRESETS[family][preset], **more},
            node_sizes=featurizer.node_sizes,
            edge_sizes=featurizer.edge_sizes,
        )
        for residues in lengths:
            batch = Batch.from_data_list([featurizer(chain_of(residues))])
            rows.append(
                {"family": family, "residues": residues, "bytes": bytes_saved(encoder, batch)}
            )
    return rows


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 3d/qm9")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--preset", choices=sorted(PRESETS["equivariant"]), default="small")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    machine = describe()
    batch = read_batch(arguments.data, MOLECULES)
    size = {name: PRESETS["equivariant"][arguments.preset][name] for name in ("dim", "depth")}
    document = {
        "machine": machine,
        "seed": SEED,
        "batch": {
            "molecules": MOLECULES,
            "atoms": int(batch.num_nodes),
            "edges": int(batch.edge_index.shape[1]),
        },
        "size": size,
        "rounds": arguments.rounds,
        "rows": measure(contenders(**size), batch, arguments.rounds),
        "chains": chain_memory(),
    }
    write(arguments.output, document)


def write(folder: Path, document: dict) -> None:
    """Write ``cost.json`` and ``cost.md``, and print the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1) + "\n"
    (folder / "cost.json").write_text(text, encoding="utf-8")
    lines = ["# Cost of a training step on points", ""]
    lines += ["`python -m benchmarks.cost --data $MOLVEC_MIRROR --output benchmarks/results`", ""]
    lines += [f"- {key}: {value}" for key, value in document["machine"].items()]
    batch, size = document["batch"], document["size"]
    lines += [
        "",
        f"One batch of {batch['molecules']} molecules, {batch['atoms']:,} atoms, "
        f"{batch['edges']:,} edges; dim {size['dim']}, depth {size['depth']}; medians of "
        f"{document['rounds']} rounds, one thread.",
        "",
    ]
    header = [
        "network",
        "parameters",
        "atoms per second",
        f"rate / {YARDSTICK}",
        "MB kept for backward per 20,000 edges",
    ]
    body = [
        [
            row["network"],
            f"{row['parameters']:,}",
            f"{row['atoms_per_second']:,.0f}",
            f"{row['relative_rate']:.2f}",
            f"{row['bytes_per_20000_edges'] / 1e6:,.0f}",
        ]
        for row in document["rows"]
    ]
    lines += [*table_lines(header, body), ""]
    modes = sorted({mode for row in document["rows"] for mode in row["products"]})
    lines += [
        f"Tensor products join channels as {', '.join(modes)}; none is uvw."
        if modes
        else "No network has a tensor product that mixes channels on edges (uvw).",
        "",
    ]
    rows = [
        [row["family"], f"{row['residues']:,}", f"{row['bytes'] / 1e6:,.0f}"]
        for row in document["chains"]
    ]
    header = ["preset small", "residues of one chain", "MB kept for backward"]
    lines += [*table_lines(header, rows), ""]
    (folder / "cost.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
