"""data2vec: regress an EMA teacher's view of the hidden nodes. Knows no encoder and no data."""

from molvec.objective.data2vec import Data2Vec, Data2VecOutput
from molvec.objective.teacher import ema_decay, ema_update

__all__ = ["Data2Vec", "Data2VecOutput", "ema_decay", "ema_update"]
