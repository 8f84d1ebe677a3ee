"""Use a model: load it, embed molecules or proteins, put it in an sklearn pipeline."""

from molvec.embed.chains import ChainEmbedder
from molvec.embed.embedder import Embedder
from molvec.embed.load import load
from molvec.embed.network import NetworkEmbedder
from molvec.embed.sklearn import MolvecTransformer

__all__ = ["ChainEmbedder", "Embedder", "MolvecTransformer", "NetworkEmbedder", "load"]
