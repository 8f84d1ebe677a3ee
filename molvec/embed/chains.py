"""Structures in, vectors out: a row per protein chain, or per residue of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from molvec.data.archive import entry_records, fetch_entries, is_list
from molvec.embed.embedder import Embedder, OnError
from molvec.errors import UserError
from molvec.featurize.protein import ProteinFeaturizer
from molvec.records import ChainRecord, RecordError, chain_records


class ChainEmbedder(Embedder):
    """A frozen encoder of protein chains with its featuriser and readout.

    A chain's vector depends on the chain alone; turning or shifting the structure leaves it as it
    is. For the arguments see :class:`molvec.embed.Embedder`.
    """

    def embed(
        self,
        items: Any,
        *,
        level: str = "graph",
        on_error: OnError = "nan",
        max_atoms: int | None = None,
    ) -> Any:
        """Embed the chains of structures.

        Args:
            items: a PDB or mmCIF file (also ``.gz``), a folder of them, a ``.txt`` with PDB ids
                (see :mod:`molvec.data.archive`), a :class:`molvec.records.Chain`, or a list of
                files, folders and chains. :meth:`records` gives the rows with their names, and
                can be given here.
            level: one vector per chain (``"graph"``), or one per residue (``"residue"`` or
                ``"node"``, in the file's order).
            on_error: what becomes of a file without a protein chain: a NaN row (``"nan"``; no
                rows at level "residue"), an error (``"raise"``), or nothing (``"drop"``).
            max_atoms: treat chains with more residues as errors; no limit by default.

        Returns:
            float32 ``[num_chains, dim]``; at level "residue" a list of
            ``[num_residues, node_dim]``.

        Raises:
            UserError: for a failing row with ``on_error="raise"``, a file or folder that is not
                there, or an unknown option.
        """
        nodes = "node" if level == "residue" else level
        if nodes not in ("graph", "node"):
            raise UserError(f"level must be 'graph' or 'residue', got {level!r}")
        return super().embed(items, level=nodes, on_error=on_error, max_atoms=max_atoms)  # type: ignore[arg-type]

    def records(self, items: Any) -> Iterable[ChainRecord]:
        """Return the rows that :meth:`embed` makes of ``items``: chains, and files without one."""
        return chain_records(_listed(items) if is_list(items) else items)

    def read(self, source: Path, *, smiles_column: str | None = None) -> Iterable[ChainRecord]:
        """Read the chains of a file or a folder.

        Raises:
            UserError: if there is nothing to read.
        """
        if smiles_column is not None:
            raise UserError("this model embeds structures, which have no SMILES column")
        return self.records(source)

    def graph(self, record: ChainRecord, max_atoms: int | None) -> Data:
        """Make a chain's graph.

        Raises:
            RecordError: if there is no chain, or a longer one than ``max_atoms``.
        """
        if record.chain is None:
            raise RecordError(record.error)
        if max_atoms is not None and len(record.chain) > max_atoms:
            raise RecordError(
                f"{len(record.chain):,} residues, more than the limit of {max_atoms:,}"
            )
        assert isinstance(self.featurizer, ProteinFeaturizer)
        return self.featurizer(record.chain)


def _listed(source: Any) -> Iterator[ChainRecord]:
    for entry in fetch_entries(Path(source)):
        yield from entry_records(entry)
