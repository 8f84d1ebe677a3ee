"""Write the frozen scaffold splits of the data sets with labels, and their sha256 in the cards.

    python -m benchmarks.freeze_splits           # all: compare, and say what would change
    python -m benchmarks.freeze_splits bbbp hiv --write

A split is frozen once, when its card is made. Writing it again with another version of RDKit may
move molecules between the parts, and makes scores incomparable with those published before.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
from pathlib import Path

from molvec.data.card import cards_folder, list_labelled
from molvec.data.frozen import frozen_text, split_file, splits_folder
from molvec.data.labelled import Labelled, load_labelled
from molvec.data.scaffold import deal_hu, scaffold_groups

SPLIT = "scaffold_hu"
_LINE = re.compile(rf'^  {SPLIT}: "[0-9a-f]{{64}}"$', re.MULTILINE)


def split_text(data: Labelled) -> str:
    """Compute the split afresh: one character per file row, see `molvec.data.frozen`."""
    parts = deal_hu(scaffold_groups(data.smiles, chirality=True))
    return frozen_text([data.rows[part] for part in parts], data.num_rows)


def stored_text(name: str) -> str | None:
    """Return what is frozen now, whether or not it fits the card."""
    path = split_file(name, SPLIT)
    return gzip.decompress(path.read_bytes()).decode("ascii") if path.exists() else None


def write(name: str, text: str, folder: Path) -> None:
    """Write the split file, and its sha256 into the card ``folder/NAME.yaml``."""
    card = folder / f"{name}.yaml"
    sha256 = hashlib.sha256(text.encode("ascii")).hexdigest()
    changed, lines = _LINE.subn(f'  {SPLIT}: "{sha256}"', card.read_text(encoding="utf-8"))
    if lines != 1:
        raise SystemExit(f'{card}: needs one line, under splits:, such as   {SPLIT}: "{sha256}"')
    path = split_file(name, SPLIT, folder=folder / "splits")
    path.parent.mkdir(exist_ok=True)
    # No time and no file name in the gzip header: the same content gives the same bytes.
    path.write_bytes(gzip.compress(text.encode("ascii"), mtime=0))
    card.write_text(changed, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="data sets; default all that have labels")
    parser.add_argument("--write", action="store_true", help="write what differs")
    options = parser.parse_args(arguments)
    different = 0
    for name in options.names or list_labelled():
        data = load_labelled(name)
        text, stored = split_text(data), stored_text(name)
        counts = "/".join(f"{text.count(letter):,}" for letter in "012-")
        if text == stored:
            print(f"{name}: {counts}, as frozen")
            continue
        if stored is None:
            change = "not frozen yet"
        else:
            moved = sum(a != b for a, b in zip(text, stored, strict=True))
            change = f"{moved:,} rows differ from what is frozen"
        if options.write:
            write(name, text, cards_folder())
            change += f"; written to {splits_folder()}"
        else:
            different += 1
        print(f"{name}: {counts}, {change}")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
