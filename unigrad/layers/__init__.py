"""Layers: modules that own Variables, and the seeds of their weights."""

from unigrad.layers.attention import BahdanauAttention
from unigrad.layers.bidirectional import Bidirectional
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.embedding import Embedding
from unigrad.layers.module import Module
from unigrad.layers.normalization import LayerNorm
from unigrad.layers.recurrent import GRU, GRUCell
from unigrad.layers.seeds import set_seed
from unigrad.layers.sequential import Sequential
from unigrad.layers.training import is_training, training_mode

__all__ = [
    "GRU",
    "BahdanauAttention",
    "Bidirectional",
    "Dense",
    "Dropout",
    "Embedding",
    "GRUCell",
    "LayerNorm",
    "Module",
    "Sequential",
    "is_training",
    "set_seed",
    "training_mode",
]
