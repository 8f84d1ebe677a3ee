"""Use a model: load it, embed molecules, put it in an sklearn pipeline."""

from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.embed.sklearn import MolvecTransformer

__all__ = ["Embedder", "MolvecTransformer", "load"]
