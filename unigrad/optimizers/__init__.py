"""Optimizers: a pure pair ``init`` and ``update`` each, and `apply_gradients` on Variables.

One formula per name on all backends; where a name means several algorithms, the class says which.
"""

from unigrad.optimizers.adam import Adam
from unigrad.optimizers.base import Optimizer
from unigrad.optimizers.gradients import add_weight_decay, clip_by_global_norm, global_norm
from unigrad.optimizers.rmsprop import RMSprop
from unigrad.optimizers.sgd import SGD, Momentum

__all__ = [
    "SGD",
    "Adam",
    "Momentum",
    "Optimizer",
    "RMSprop",
    "add_weight_decay",
    "clip_by_global_norm",
    "global_norm",
]
