import numpy as np
import pytest

from molvec.featurize.conformer import ELEMENT, ConformerFeaturizer
from molvec.featurize.kinds import featurizer_from_json
from molvec.graph import validate
from molvec.records import Conformer


def line(*elements, step=2.0):
    positions = np.zeros((len(elements), 3), np.float32)
    positions[:, 0] = step * np.arange(len(elements))
    return Conformer("line", np.array(elements, np.uint8), positions)


def test_elements_and_near_atoms():
    graph = ConformerFeaturizer(cutoff=4.5)(line(1, 6, 92, 118))
    validate(graph)
    assert graph.x[:, 0].tolist() == [1, 6, 92, 118]
    assert graph.edge_attr.shape == (graph.edge_index.shape[1], 0)
    pairs = {tuple(pair) for pair in graph.edge_index.t().tolist()}
    assert pairs == {(i, j) for i in range(4) for j in range(4) if 0 < abs(i - j) <= 2}


def test_the_nearest_are_kept_and_unknown_elements_are_other():
    graph = ConformerFeaturizer(cutoff=9.0, max_neighbours=1)(line(6, 8, 7))
    assert graph.edge_index.tolist() == [[1, 0, 1], [0, 1, 2]]
    assert ConformerFeaturizer()(line(0)).x.tolist() == [[ELEMENT.sizes[0] - 1]]


def test_json_and_empty():
    featurizer = ConformerFeaturizer(cutoff=3.5, max_neighbours=7)
    again = featurizer_from_json(featurizer.to_json())
    assert isinstance(again, ConformerFeaturizer)
    assert again.to_json() == featurizer.to_json()
    with pytest.raises(ValueError, match="no atoms"):
        featurizer(line())
