"""Optimizers: a pure pair ``init`` and ``update`` each, and `apply_gradients` on Variables.

One formula per name on all backends; where a name means several algorithms, the class says which,
and settings give the others.

How it is made, from the bottom up:

* `updates`: a formula is a function of the step's numbers that returns the function of one
  parameter, its gradient and its slots; `update` makes one op of it over all parameters of a dtype.
  JAX and TensorFlow compile that op as one program, NumPy and torch run its body, or a fused kernel
  where one is worth it. The formula is written once, in ops, and nowhere else but there.
* `transformation`: ``init`` and ``update`` over pytrees, for whatever moves columns (parameters,
  gradients, slots) to columns. State is a dictionary: the step, a tree like the parameters per
  slot, a number per piece of shared state.
* `base`: the same state in Variables, with `apply_gradients`, `minimize`, checkpoints.
* `descent`: an optimizer that is one formula: its numbers, a schedule, weight decay.
* `clipping`, `transforms`: functions of gradients to put before an optimizer with `chaining`.
* `wrappers`, `groups`, `sam`: optimizers made of optimizers.
* `schedules`: rates as functions of the step; `plateau`: one that looks at a metric.
* `lbfgs`, `least_squares`, over a `line_search` and `flat` vectors: for a few parameters, exact
  losses and high precision.
"""

from unigrad.optimizers import schedules
from unigrad.optimizers.adafactor import Adafactor
from unigrad.optimizers.adagrad import Adadelta, Adagrad
from unigrad.optimizers.adam import Adam, Adamax, AdamW
from unigrad.optimizers.base import Optimizer
from unigrad.optimizers.beliefs import AdaBelief, Adan, Yogi
from unigrad.optimizers.chaining import chain
from unigrad.optimizers.clipping import (
    clip_adaptively,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    global_norm,
)
from unigrad.optimizers.groups import Groups, freeze
from unigrad.optimizers.layerwise import LAMB, LARS
from unigrad.optimizers.lbfgs import LBFGS, ConjugateGradient
from unigrad.optimizers.least_squares import GaussNewton, LevenbergMarquardt
from unigrad.optimizers.muon import Muon
from unigrad.optimizers.nadam import NAdam, NAdamW, RAdam
from unigrad.optimizers.plateau import ReduceOnPlateau
from unigrad.optimizers.rmsprop import RMSprop
from unigrad.optimizers.sam import SAM, sharpness_aware
from unigrad.optimizers.schedule_free import ScheduleFreeAdamW
from unigrad.optimizers.sgd import SGD, Momentum
from unigrad.optimizers.signs import Lion, Rprop
from unigrad.optimizers.soap import SOAP
from unigrad.optimizers.sophia import Sophia, hessian_diagonal, hessian_diagonal_of
from unigrad.optimizers.transformation import Transformation
from unigrad.optimizers.transforms import add_noise, add_weight_decay, centralize, scale
from unigrad.optimizers.wrappers import Accumulate, AverageWeights, Lookahead, SkipNonfinite

__all__ = [
    "LAMB",
    "LARS",
    "LBFGS",
    "SAM",
    "SGD",
    "SOAP",
    "Accumulate",
    "AdaBelief",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adan",
    "AverageWeights",
    "ConjugateGradient",
    "GaussNewton",
    "Groups",
    "LevenbergMarquardt",
    "Lion",
    "Lookahead",
    "Momentum",
    "Muon",
    "NAdam",
    "NAdamW",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "ReduceOnPlateau",
    "Rprop",
    "ScheduleFreeAdamW",
    "SkipNonfinite",
    "Sophia",
    "Transformation",
    "Yogi",
    "add_noise",
    "add_weight_decay",
    "centralize",
    "chain",
    "clip_adaptively",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "freeze",
    "global_norm",
    "hessian_diagonal",
    "hessian_diagonal_of",
    "scale",
    "schedules",
    "sharpness_aware",
]
