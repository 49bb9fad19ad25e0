"""Samples of the update ops: one step, or two from the start, and the parameter they give."""

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_conformance.optimizers.adaptive import correction
from unigrad_conformance.optimizers.cases import PLAIN, VARIED, Case
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
    m_hat = (0.9 * m + 0.1 * g) / correction(0.9, t)
    v_hat = (0.999 * v + 0.001 * g**2) / correction(0.999, t)
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
    call=_one_step("Adam", "m", "v", epsilon=1e-3),
)

samples(
    "decay_update",
    case(real(3, 4), real(3, 4)),
    oracle=lambda p, g: (1.0 - 0.1 * 0.2) * p - 0.1 * g,
    call=_one_step("SGD", weight_decay=0.2, decoupled=True),
)
samples(
    "penalty_update",
    case(real(3, 4), real(3, 4)),
    oracle=lambda p, g: p - 0.1 * (g + 0.2 * p),
    call=_one_step("SGD", weight_decay=0.2, decoupled=False),
)


def _two_steps(case: Case) -> Callable[..., Any]:
    """Return a function that does two steps of an optimizer from its start."""

    def call(ug: Any, parameter: Any, first: Any, second: Any) -> Any:
        optimizer = case.make()
        state = optimizer.init([parameter])
        new = [parameter]
        for gradient in (first, second):
            new, state = optimizer.update([gradient], state, new)
        return new[0]

    return call


def _by_hand(case: Case) -> Callable[..., Any]:
    def oracle(parameter: Any, first: Any, second: Any) -> Any:
        run = case.run(parameter, case.numbers())
        next(run)
        run.send(first)
        return run.send(second)

    return oracle


#: Of each op one case that counts all its numbers.
_CHOSEN = {
    "heavy_ball_update": ("SGD", "dampening"),
    "adam_variant_update": ("Adam", "epsilon_root"),
    "adamax_update": ("Adamax", "epsilon"),
    "adagrad_update": ("Adagrad", "rate_decay"),
    "adadelta_update": ("Adadelta", "epsilon"),
    "nadam_update": ("NAdam", "momentum_decay"),
    "radam_update": ("RAdam", "beta1"),
    "adabelief_update": ("AdaBelief", "epsilon_root"),
    "yogi_update": ("Yogi", "initial"),
    "adan_update": ("Adan", "beta3"),
    "lion_update": ("Lion", "beta1"),
    "rprop_update": ("Rprop", "grow"),
    "lars_update": ("LARS", "trust"),
    "lamb_update": ("LAMB", "weight_decay"),
    "adafactor_update": ("Adafactor", "threshold"),
    "muon_update": ("Muon", "epsilon"),
    "soap_update": ("SOAP", "shampoo_beta"),
    "schedule_free_update": ("ScheduleFreeAdamW", "epsilon"),
    "sophia_update": ("Sophia", "bound"),
}
for _op, (_name, _setting) in _CHOSEN.items():
    _case = next(one for one in [*VARIED, *PLAIN] if one.name == _name and _setting in one.given)
    samples(
        _op,
        # Matrices of SOAP are followed in trajectories: it takes minutes to compile derivatives
        # through their bases.
        case(real(4), positive(4), positive(4))
        if _op == "soap_update"
        else case(real(3, 4), positive(3, 4), positive(3, 4)),
        oracle=_by_hand(_case),
        call=_two_steps(_case),
    )
