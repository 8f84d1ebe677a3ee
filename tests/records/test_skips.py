"""The summary of what was skipped."""

from molvec.records import SkipCount


def test_summary():
    skips = SkipCount()
    for index in (12, 40, 77, 90, 91):
        skips.add(index, "xyz", "not valid SMILES")
    for index in (3, 8):
        skips.add(index, None, "missing value")
    assert len(skips) == 7
    assert skips.summary(5000) == (
        "skipped 7 of 5,000 rows: 5 not valid SMILES (rows 12, 40, 77, ...), "
        "2 missing value (rows 3, 8)"
    )
    assert skips.examples["not valid SMILES"] == [(12, "xyz"), (40, "xyz"), (77, "xyz")]
    assert skips.examples["missing value"] == [(3, ""), (8, "")]


def test_nothing_skipped():
    skips = SkipCount()
    assert not skips
    assert skips.summary(10) == ""


def test_reasons_group_over_numbers():
    skips = SkipCount()
    skips.add(0, "a", "Explicit valence for atom # 1 C, 5, is greater than permitted")
    skips.add(1, "b", "Explicit valence for atom # 17 C, 6, is greater than permitted")
    skips.add(2, "c", "Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4")
    skips.add(3, "d", "Can't kekulize mol. Unkekulized atoms: 7 8")
    skips.add(4, "e", "312 atoms, more than the limit of 256")
    skips.add(5, "f", "1,999 atoms, more than the limit of 256")
    assert dict(skips.counts) == {
        "Explicit valence for atom # … C, …, is greater than permitted": 2,
        "Can't kekulize mol. Unkekulized atoms: …": 2,
        "… atoms, more than the limit of 256": 2,
    }


def test_many_reasons_stay_one_paragraph():
    skips = SkipCount()
    for index, letter in enumerate("aabcdefgh"):
        skips.add(index, "", f"reason {letter}")
    summary = skips.summary(1000)
    assert "2 reason a (rows 0, 1)" in summary
    assert "1 reason e (row 5)" in summary
    assert summary.endswith("3 for 3 other reasons")


def test_long_texts_are_cut():
    skips = SkipCount()
    skips.add(0, "C" * 10_000, "no")
    assert skips.examples["no"] == [(0, "C" * 80)]


def test_merge():
    one, two = SkipCount(), SkipCount()
    for index in (5, 6, 7):
        one.add(index, "x", "a")
    for index in (1, 2):
        two.add(index, "y", "a")
        two.add(index, "y", "b")
    one.merge(two)
    assert one.counts == {"a": 5, "b": 2}
    assert one.examples["a"] == [(1, "y"), (2, "y"), (5, "x")]
    assert two.counts == {"a": 2, "b": 2}
