import pytest
import torch

from molvec.masking import CoordinateNoise
from tests.graphs import molecule


@pytest.fixture
def graph():
    graph = molecule("C" * 100)
    graph.pos = torch.zeros(100, 3)
    return graph


def test_the_student_gets_positions_of_its_own(graph):
    noisy = CoordinateNoise(0.2)(graph, epoch=0, sample=0)
    assert noisy.pos.equal(graph.pos)
    assert "student_pos" not in graph
    assert noisy.student_pos.dtype == torch.float32
    assert float(noisy.student_pos.std()) == pytest.approx(0.2, rel=0.15)
    assert CoordinateNoise(0.0)(graph, epoch=0, sample=0).student_pos.equal(graph.pos)
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        CoordinateNoise(-1)


def test_noise_is_a_pure_function_of_seed_epoch_and_sample(graph):
    def draw(seed=1, epoch=2, sample=3):
        return CoordinateNoise(0.1, seed)(graph, epoch=epoch, sample=sample).student_pos

    assert draw().equal(draw())
    for other in (draw(seed=9), draw(epoch=9), draw(sample=9)):
        assert not draw().equal(other)
