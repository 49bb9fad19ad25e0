"""Layers: modules that own Variables, and the seeds of their weights."""

from unigrad.layers import convert
from unigrad.layers.attention import BahdanauAttention
from unigrad.layers.bidirectional import Bidirectional, StackedRNN
from unigrad.layers.convolution import (
    AveragePool,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
)
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.embedding import Embedding
from unigrad.layers.luong import LuongAttention
from unigrad.layers.module import Module
from unigrad.layers.multihead import MultiHeadAttention
from unigrad.layers.native import from_keras, from_torch
from unigrad.layers.normalization import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from unigrad.layers.positions import LearnedPositions, SinusoidalPositions, rotary, sinusoidal
from unigrad.layers.recurrent import GRU, LSTM, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from unigrad.layers.seeds import set_seed
from unigrad.layers.sequential import Sequential
from unigrad.layers.shaping import Activation, Flatten, Reshape
from unigrad.layers.training import is_training, training_mode
from unigrad.layers.transformer import TransformerDecoderBlock, TransformerEncoderBlock

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "AveragePool",
    "BahdanauAttention",
    "BatchNorm",
    "Bidirectional",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GroupNorm",
    "LSTMCell",
    "LayerNorm",
    "LearnedPositions",
    "LuongAttention",
    "MaxPool",
    "Module",
    "MultiHeadAttention",
    "RMSNorm",
    "Reshape",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinusoidalPositions",
    "StackedRNN",
    "TransformerDecoderBlock",
    "TransformerEncoderBlock",
    "convert",
    "from_keras",
    "from_torch",
    "is_training",
    "rotary",
    "set_seed",
    "sinusoidal",
    "training_mode",
]
