import pytest

from molvec.nn.budget import by_size


@pytest.mark.parametrize("pairs", [1, 50, 400, 10**9])
def test_every_position_once_and_within_the_budget(pairs):
    sizes = [5, 1, 20, 7, 7, 3, 12, 1]
    groups = list(by_size(sizes, pairs))
    assert sorted(i for group in groups for i in group) == list(range(len(sizes)))
    ordered = [sizes[i] for group in groups for i in group]
    assert ordered == sorted(sizes)
    for group in groups:
        assert len(group) == 1 or len(group) * max(sizes[i] for i in group) ** 2 <= pairs
    assert len(groups) == {1: 8, 50: 6, 400: 3, 10**9: 1}[pairs]


def test_nothing():
    assert list(by_size([])) == []
