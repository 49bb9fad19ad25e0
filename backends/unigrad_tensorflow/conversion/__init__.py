"""Layers of Keras 3 as data for layers of unigrad, and made of it.

Keras keeps maps as (inputs, outputs) and channels last, as unigrad does. The gates of its GRU are
update, reset, new; its two biases lie in one array.
"""

from unigrad_tensorflow.conversion import attention, layers, recurrent
from unigrad_tensorflow.conversion.registry import layer_data, layer_from

__all__ = ["attention", "layer_data", "layer_from", "layers", "recurrent"]
