"""Protein chains from PDB and mmCIF files, by stated rules.

- The first model of several (NMR); of alternative locations the first.
- A residue is an amino acid of the polymer with a CA atom. Modified ones (MSE, SEP, ...) count as
  what they were made from; what is an amino acid and in no table is ``X``.
- Nucleic acids, ligands, sugars and water are left out, and counted; so are residues without CA.
- Residues keep the author's numbers with insertion codes; order is that of the file.
- Where the numbers of a chain begin again, a second chain of the same name begins: ``A``, ``A-2``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molvec.errors import UserError
from molvec.records.folder import files_below
from molvec.records.lines import UNREADABLE, open_bytes
from molvec.records.record import RecordError

FORMATS = (".pdb", ".ent", ".cif", ".mmcif")
BACKBONE = ("N", "CA", "C", "O")


@dataclass(frozen=True, eq=False)
class Chain:
    """One protein chain of ``n`` residues.

    Attributes:
        name: file stem and chain, e.g. ``"1abc_A"``.
        sequence: one letter per residue; modified residues as what they were made from, ``X`` for
            what is in no table.
        numbers: the author's residue numbers with insertion codes, e.g. ``"52A"``.

    Shapes:
        - ``backbone``: float32 ``[n, 4, 3]``, atoms N, CA, C, O in Angstrom; NaN where an atom is
          missing, which CA never is.
    """

    name: str
    sequence: str
    numbers: tuple[str, ...]
    backbone: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def ca(self) -> NDArray[np.float32]:
        """Positions of the CA atoms, ``[n, 3]``, Angstrom."""
        return self.backbone[:, BACKBONE.index("CA")]


@dataclass(frozen=True)
class Structure:
    """What a file holds: its protein chains, and what else there was (reason -> how many)."""

    chains: tuple[Chain, ...]
    left_out: dict[str, int]


def read_structure(path: Path) -> Structure:
    """Read the protein chains of a PDB or mmCIF file, plain or gzipped.

    Raises:
        RecordError: if the file cannot be read, or holds no residue with a CA atom; the reason is
            short.
    """
    import gemmi

    try:
        if path.name.lower().endswith(".gz"):
            _require_whole(path)
        if path.name.lower().removesuffix(".gz").endswith((".pdb", ".ent")):
            structure = gemmi.read_pdb(str(path), split_chain_on_ter=True)
        else:
            structure = gemmi.read_structure(str(path))
    except IndexError:  # gemmi, of an mmCIF file without a block
        raise RecordError("no atoms") from None
    except (*UNREADABLE, RuntimeError, ValueError) as error:  # gemmi's own text names the file
        raise RecordError(f"not a readable structure: {_reason(error, path)}") from None
    if not any(len(chain) for model in structure for chain in model):
        raise RecordError("no atoms")
    structure.setup_entities()
    left_out: Counter[str] = Counter()
    if len(structure) > 1:
        left_out["models after the first"] = len(structure) - 1
    by_name: dict[str, list[Any]] = {}
    for part in structure[0]:  # a chain, or what is of it between two TER records
        by_name.setdefault(part.name, []).extend(_protein_residues(part, left_out))
    chains = [
        _chain(f"{_stem(path)}_{name}{f'-{copy}' if copy > 1 else ''}", residues)
        for name, found in by_name.items()
        for copy, residues in enumerate(_copies(found, left_out), 1)
    ]
    if not chains:
        what = ", ".join(f"{count} {name}" for name, count in left_out.items())
        raise RecordError(f"no protein residue with a CA atom{what and f' ({what})'}")
    return Structure(tuple(chains), dict(left_out))


def structure_files(source: Path) -> list[Path]:
    """Find structure files: the file itself, or all below a folder, sorted by path.

    Raises:
        UserError: if there is no such file or folder, or no structure in it.
    """
    if source.is_file():
        if not _format(source):
            raise UserError(
                f"{source} is not a structure: expected a file ending in {', '.join(FORMATS)}, "
                "or one of these with .gz"
            )
        return [source]
    if not source.is_dir():
        raise UserError(f"there is no file or folder {source}")
    found = files_below(source, _format)
    if not found:
        raise UserError(
            f"{source} holds no structures: expected files ending in {', '.join(FORMATS)}, "
            "or these with .gz"
        )
    return found


@dataclass(frozen=True, eq=False)
class ChainRecord:
    """One row of a reading: a chain, or a file without one and why.

    Attributes:
        index: the row, counted from 0.
        text: the chain's name, or the file's where there is no chain.
        chain: the chain, if there is one.
        error: why there is none.
        left_out: what else the file held (reason -> how many), with its first chain.
        file: where it was read, below the folder that was given; ``None`` for what is in no file.
    """

    index: int
    text: str
    chain: Chain | None = None
    error: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    file: str | None = None


def chain_records(items: Any) -> Iterator[ChainRecord]:
    """Read chains: one record per chain, one per file that has none.

    Args:
        items: a file or a folder of structures, a :class:`Chain`, a record, or an
            iterable of these.

    Raises:
        UserError: if there is no such file or folder, or something else was given.
    """
    for index, record in enumerate(_found(items)):
        yield replace(record, index=index)


def _found(items: Any) -> Iterator[ChainRecord]:
    if isinstance(items, Chain):
        yield ChainRecord(0, items.name, items)
    elif isinstance(items, ChainRecord):
        yield items
    elif isinstance(items, str | Path):
        source = Path(items).expanduser()
        for path in structure_files(source):
            file = path.relative_to(source).as_posix() if path != source else path.name
            try:
                structure = read_structure(path)
            except RecordError as error:
                yield ChainRecord(0, path.name, error=error.reason, file=file)
            else:
                for place, chain in enumerate(structure.chains):
                    held = {} if place else structure.left_out
                    yield ChainRecord(0, chain.name, chain, left_out=held, file=file)
    elif isinstance(items, Iterable):
        for item in items:
            yield from _found(item)
    else:
        raise UserError(f"expected files of structures, got {type(items).__name__}")


def _protein_residues(chain: Any, left_out: Counter[str]) -> Iterator[Any]:
    """Residues with a CA atom; everything else is counted by what it is."""
    import gemmi

    for residue in chain.first_conformer():
        kind = gemmi.find_tabulated_residue(residue.name)
        polymer = residue.entity_type in (gemmi.EntityType.Polymer, gemmi.EntityType.Unknown)
        known = kind.kind != gemmi.ResidueKind.UNKNOWN
        if kind.is_water():
            left_out["waters"] += 1
        elif kind.is_nucleic_acid():
            left_out["nucleotides"] += 1
        elif not polymer or (known and not kind.is_amino_acid()):
            left_out["ligands"] += 1
        elif _position(residue, "CA") is None:
            left_out["residues without CA" if known else "ligands"] += 1
        else:
            yield residue


def _copies(residues: list[Any], left_out: Counter[str]) -> Iterator[list[Any]]:
    """Divide residues where their numbers begin again: there another chain begins.

    Raises:
        RecordError: if atoms of two chains are mixed in one residue, as no TER stands between them.
    """
    copy: dict[str, Any] = {}
    doubled = 0
    for residue in residues:
        places = [atom.altloc for atom in residue if atom.name == "CA"]
        doubled += len(places) > len(set(places))  # a few have lost their insertion codes
        number = str(residue.seqid)
        if number in copy and places != ["\0"]:  # two residues at one place: the first counts
            left_out["alternative residues"] += 1
            continue
        if number in copy:
            yield list(copy.values())
            copy = {}
        copy[number] = residue
    if 2 * doubled >= max(1, len(residues)):
        raise RecordError("two chains of one name, atom by atom: name them apart")
    if doubled:
        left_out["alternative residues"] += doubled
    if copy:
        yield list(copy.values())


def _chain(name: str, residues: list[Any]) -> Chain:
    missing = (np.nan, np.nan, np.nan)
    backbone = [[_position(residue, atom) or missing for atom in BACKBONE] for residue in residues]
    return Chain(
        name=name,
        sequence="".join(_letter(residue.name) for residue in residues),
        numbers=tuple(str(residue.seqid) for residue in residues),
        backbone=np.array(backbone, dtype=np.float32),
    )


def _letter(name: str) -> str:
    import gemmi

    letter = gemmi.find_tabulated_residue(name).one_letter_code
    return letter.upper() if letter.isalpha() else "X"


def _position(residue: Any, atom: str) -> tuple[float, float, float] | None:
    """Return the first location of an atom; a calcium ion is no CA."""
    for found in residue:
        if found.name == atom and found.element.name != "Ca":
            position = (found.pos.x, found.pos.y, found.pos.z)
            return position if np.isfinite(position).all() else None
    return None


def _format(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(FORMATS)


def _stem(path: Path) -> str:
    name = path.name
    return Path(name[: -len(".gz")] if name.lower().endswith(".gz") else name).stem


def _require_whole(path: Path) -> None:
    """Read a gzip file to its end: gemmi takes what is there of a truncated one for the whole."""
    with open_bytes(path) as file:
        while file.read(1 << 20):
            pass


def _reason(error: Exception, path: Path) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.replace(str(path), path.name)
