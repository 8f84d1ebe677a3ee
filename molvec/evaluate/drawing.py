"""Molecule drawings for inline SVG: path data by colour group, small enough to embed thousands.

Nothing here writes markup or picks a colour: the page does both, and escapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

DRAWING_SIZE = (660, 480)
SCALE = 3  # units a pixel of the drawing as RDKit makes it: whole numbers are then precise enough
MAX_DRAWN_ATOMS = 80  # unreadable above at this size, and a drawing costs about 50 bytes an atom
BOND_LENGTH = 26  # in pixels, at most; keeps ethanol from filling the whole box

# Colour groups of a drawing: RDKit draws in these pure colours, the template maps the names.
_PALETTE: dict[str, tuple[float, float, float]] = {
    "ink": (0.0, 0.0, 0.0),
    "nitrogen": (0.0, 0.0, 1.0),
    "oxygen": (1.0, 0.0, 0.0),
    "sulfur": (1.0, 1.0, 0.0),
    "halogen": (0.0, 1.0, 0.0),
    "phosphorus": (1.0, 0.0, 1.0),
}
_ELEMENTS = {-1: "ink", 7: "nitrogen", 8: "oxygen", 16: "sulfur", 15: "phosphorus"} | dict.fromkeys(
    (9, 17, 35, 53), "halogen"
)
_PATH = re.compile(r"<path[^>]*? d='([^']*)'[^>]*?>")
_STROKE = re.compile(r"stroke:#([0-9A-F]{6})")
_FILL = re.compile(r"fill[:=]'?#([0-9A-F]{6})")
_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")


@dataclass(frozen=True)
class Stroke:
    """Path data of a drawing in one colour group, either outlined or filled."""

    color: str
    filled: bool
    path: str


def draw_molecule(smiles: str) -> list[Stroke] | None:
    """Draw a molecule as path data in a 660 x 480 box; None if unreadable or above 80 atoms.

    RDKit writes one element per bond and glyph (10 kB for a drug). Joined by colour and written
    as relative steps in whole numbers it is 1-2 kB.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem.Draw import rdMolDraw2D

    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None or not 0 < mol.GetNumAtoms() <= MAX_DRAWN_ATOMS:
            return None
        drawer = rdMolDraw2D.MolDraw2DSVG(DRAWING_SIZE[0] // SCALE, DRAWING_SIZE[1] // SCALE)
        options: Any = drawer.drawOptions()  # the stubs mistype its plain attributes
        options.clearBackground = False
        options.padding = 0.04
        options.fixedBondLength = BOND_LENGTH
        options.setAtomPalette({z: _PALETTE[name] for z, name in _ELEMENTS.items()})
        try:
            rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol)
        except (ValueError, RuntimeError):  # no kekulé form or layout
            return None
        drawer.FinishDrawing()
    return _strokes(drawer.GetDrawingText())


def _strokes(svg: str) -> list[Stroke]:
    names = {"".join(f"{round(255 * c):02X}" for c in rgb): name for name, rgb in _PALETTE.items()}
    joined: dict[tuple[str, bool], list[str]] = {}
    for match in _PATH.finditer(svg):
        element = match.group(0)
        fill, stroke = _FILL.search(element), _STROKE.search(element)
        if fill is None and "class=" not in element:
            continue  # pads the corner between two bonds, which round line ends do as well
        found = fill or stroke
        color = names.get(found.group(1), "ink") if found else "ink"
        joined.setdefault((color, fill is not None), []).append(relative(match.group(1), SCALE))
    return [Stroke(color, filled, "".join(paths)) for (color, filled), paths in joined.items()]


def relative(path: str, scale: float) -> str:
    """Rewrite absolute path data (M, L, Q, C, Z) in relative whole steps, ``scale`` times as big.

    Every step leads from one rounded point to the next, so rounding does not add up.
    """
    at = start = (0, 0)
    written, last = [], ""
    for command, text in _STEP.findall(path):
        if command in "Zz":
            written.append("z")
            at, last = start, "z"
            continue
        assert command in "MLQC", f"RDKit drew {command!r}, which is not handled here"
        numbers = [round(scale * float(v)) for v in re.findall(r"-?[\d.]+", text)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "M":
            at = start = points.pop(0)
            written.append(f"M{at[0]} {at[1]}")
            command, last = "L", "M"  # further points of a move are lines
        size = {"L": 1, "Q": 2, "C": 3}[command]
        for k in range(0, len(points), size):
            steps = [f"{x - at[0]} {y - at[1]}" for x, y in points[k : k + size]]
            # A repeated command needs no letter.
            written.append((" " if command == last else command.lower()) + " ".join(steps))
            at, last = points[k + size - 1], command
    return "".join(written).replace(" -", "-")
