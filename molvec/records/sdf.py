"""Records from SD files, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rdkit import Chem, rdBase

from molvec.errors import UserError
from molvec.records.columns import LabelColumns
from molvec.records.lines import open_bytes
from molvec.records.record import Record


def read_sdf(
    path: Path, smiles_column: str | None = None, labels: LabelColumns | None = None
) -> Iterator[Record]:
    """Yield one record per ``$$$$`` block; hydrogens removed, title and properties ignored.

    Blocks are split here, not by RDKit's supplier, so that a broken block costs one row, never the
    alignment of those after it, and RDKit can be asked what is wrong with it.
    """
    if smiles_column is not None:
        raise UserError(f"{path} has no columns: drop --smiles-column")
    if labels is not None:
        raise UserError(f"{path} has no columns, so no labels: use a .csv, .tsv or .parquet file")
    index = 0
    for block in blocks(path):
        yield _record(index, block)
        index += 1
    if index == 0:
        raise UserError(f"{path} is empty")


def blocks(path: Path) -> Iterator[str]:
    """Yield the text of each block; what follows the last ``$$$$`` is one too unless blank."""
    lines: list[bytes] = []
    with open_bytes(path) as file:
        for line in file:
            if line.startswith(b"$$$$"):
                yield _text(lines)
                lines = []
            else:
                lines.append(line)
    if any(line.strip() for line in lines):
        yield _text(lines)


def _text(lines: list[bytes]) -> str:
    # Only titles and properties can hold other than ASCII, and they are not used.
    return b"".join(lines).decode("utf-8", errors="replace")


def _record(index: int, block: str) -> Record:
    if not block.strip():
        return Record(index, error="empty SDF block")
    with rdBase.BlockLogs():
        mol = Chem.MolFromMolBlock(block)
        if mol is not None:
            return Record(index, mol=mol)
        raw = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
        if raw is not None:
            try:
                Chem.SanitizeMol(raw)
            except ValueError as error:
                return Record(index, error=str(error).strip())
    return Record(index, error="not a valid SDF block")
