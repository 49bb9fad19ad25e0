"""Samples of unigrad.optimizers.updates: one step, the parameter it gives."""

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_conformance.sample import case, positive, real, samples

STEPS_DONE = 2


def _one_step(name: str, *slots: str, **settings: Any) -> Callable[..., Any]:
    """Return a function that does one step of an optimizer from given slots."""

    def call(ug: Any, parameter: Any, gradient: Any, *values: Any) -> Any:
        optimizer = getattr(ug.optimizers, name)(0.1, **settings)
        state = {slot: [value] for slot, value in zip(slots, values, strict=True)}
        state["step"] = ug.asarray(STEPS_DONE)
        return optimizer.update([gradient], state, [parameter])[0][0]

    return call


def _adam(p: Any, g: Any, m: Any, v: Any) -> Any:
    t = STEPS_DONE + 1
    m_hat = (0.9 * m + 0.1 * g) / (1 - 0.9**t)
    v_hat = (0.999 * v + 0.001 * g**2) / (1 - 0.999**t)
    return p - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-3)


def _rmsprop(p: Any, g: Any, v: Any) -> Any:
    return p - 0.1 * g / (np.sqrt(0.9 * v + 0.1 * g**2) + 1e-3)


samples(
    "sgd_update",
    case(real(3, 4), real(3, 4)),
    case(real(), real()),
    oracle=lambda p, g: p - 0.1 * g,
    call=_one_step("SGD"),
)
samples(
    "momentum_update",
    case(real(3, 4), real(3, 4), real(3, 4)),
    case(real(), real(), real()),
    oracle=lambda p, g, v: p - 0.1 * (0.9 * v + 0.1 * g),
    call=_one_step("Momentum", "velocity"),
)
samples(
    "rmsprop_update",
    case(real(3, 4), real(3, 4), positive(3, 4)),
    oracle=_rmsprop,
    call=_one_step("RMSprop", "square", epsilon=1e-3),
)
samples(
    "adam_update",
    case(real(3, 4), real(3, 4), real(3, 4), positive(3, 4)),
    case(real(), real(), real(), positive()),
    oracle=_adam,
    ulps=8,
    call=_one_step("Adam", "m", "v", epsilon=1e-3),
)
