import re

import numpy as np
import pytest

from molvec.evaluate.drawing import DRAWING_SIZE, draw_molecule, relative

DRUG = "CC(C)Cc1ccc(cc1)C(C)C(=O)N[C@@H](Cc1ccncc1)C(=O)OCCN1CCOCC1"


def points(path):
    """Absolute end points of relative path data, by an independent walk."""
    at, start, found = np.zeros(2), np.zeros(2), []
    for command, text in re.findall(r"([Mlqcz])([^Mlqcz]*)", path):
        numbers = np.array(re.findall(r"-?\d+", text), dtype=float).reshape(-1, 2)
        if command == "M":
            at = start = numbers[0]
            found.append(at)
        elif command == "z":
            at = start
        else:
            for group in numbers.reshape(-1, {"l": 1, "q": 2, "c": 3}[command], 2):
                at = at + group[-1]
                found.append(at)
    return np.array(found)


def test_drawing_is_small_and_coloured_by_element():
    strokes = draw_molecule("C[C@H](N)C(=O)[O-].[Na+]")
    assert {s.color for s in strokes} == {"ink", "nitrogen", "oxygen"}
    assert sum(len(s.path) for s in strokes) < 2500
    assert all(re.fullmatch(r"[Mlqcz\d -]+", s.path) for s in strokes)
    assert draw_molecule("not a molecule") is None
    assert draw_molecule("") is None
    assert draw_molecule("C" * 200) is None
    assert sum(len(s.path) for s in draw_molecule(DRUG)) < 2500


def test_everything_lies_in_the_box():
    for smiles in ("CCO", DRUG, "C"):
        for stroke in draw_molecule(smiles):
            found = points(stroke.path)
            assert (found >= 0).all()
            assert (found <= DRAWING_SIZE).all()


def test_stereo_bonds_are_kept():
    flat, up, down = (draw_molecule(s) for s in ("CC(N)O", "C[C@H](N)O", "C[C@@H](N)O"))
    assert flat != up
    assert up != down


def test_relative_steps_lead_to_the_absolute_points():
    path = "M 10.1,20.2 L 12.4,20.2 L 9.9,30 Q 1,2 3.3,4.4 C 1,1 2,2 50,60 Z M 5,5 L 6,7"
    expected = [(10.1, 20.2), (12.4, 20.2), (9.9, 30), (3.3, 4.4), (50, 60), (5, 5), (6, 7)]
    found = points(relative(path, 3))
    assert found == pytest.approx(np.array(expected) * 3, abs=0.5)


def test_rounding_does_not_add_up():
    steps = np.linspace(0, 100, 1001)
    path = "M 0,0" + "".join(f" L {v:.1f},0" for v in steps)
    assert points(relative(path, 3))[-1] == pytest.approx([300, 0])
