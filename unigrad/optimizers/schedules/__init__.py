"""Schedules: learning rates as functions of the number of steps done so far.

Each function here returns a function of an integer (Python's, or a Tensor, also a traced one) that
gives a 0-d float64 Tensor: hand it to an optimizer as ``learning_rate``. They are pure, and can be
added, multiplied, put one after the other (`join`) and plotted.
"""

from unigrad.optimizers.schedules.decays import (
    constant,
    cosine,
    exponential,
    inverse_time,
    linear,
    noam,
    piecewise,
    polynomial,
)
from unigrad.optimizers.schedules.phases import (
    cosine_restarts,
    cyclic,
    join,
    linear_warmup,
    one_cycle,
    warmup_cosine,
    wsd,
)

__all__ = [
    "constant",
    "cosine",
    "cosine_restarts",
    "cyclic",
    "exponential",
    "inverse_time",
    "join",
    "linear",
    "linear_warmup",
    "noam",
    "one_cycle",
    "piecewise",
    "polynomial",
    "warmup_cosine",
    "wsd",
]
