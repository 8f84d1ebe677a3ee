"""Mask samplers: which nodes are hidden from the student. Masks are data, drawn with a seed."""

from molvec.masking.ball import spatial_ball
from molvec.masking.edges import EdgeMask
from molvec.masking.noise import CoordinateNoise
from molvec.masking.random_nodes import random_nodes
from molvec.masking.sampler import MASKS, MaskSampler
from molvec.masking.subgraph import connected_subgraph

__all__ = [
    "MASKS",
    "CoordinateNoise",
    "EdgeMask",
    "MaskSampler",
    "connected_subgraph",
    "random_nodes",
    "spatial_ball",
]
