"""``torch.nn`` modules as data for layers of unigrad, and made of it.

torch keeps maps as (outputs, inputs), the channels of a convolution first, and the gates of
recurrent modules in unigrad's order, each with two biases.
"""

from unigrad_torch.conversion import attention, modules, recurrent
from unigrad_torch.conversion.registry import layer_data, layer_from

__all__ = ["attention", "layer_data", "layer_from", "modules", "recurrent"]
