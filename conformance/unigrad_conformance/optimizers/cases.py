"""Every optimizer with its defaults, and with each of its settings: what is compared by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import unigrad as ug
from unigrad_conformance.optimizers import adaptive, others
from unigrad_conformance.optimizers.adaptive import Run


@dataclass(frozen=True)
class Case:
    """An optimizer, how it is made, and its formula by hand."""

    name: str
    formula: Callable[..., Run]
    #: What the constructor is given by keyword.
    given: Mapping[str, Any] = field(default_factory=dict)
    #: What the formula is given beside numbers.
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: α λ w is taken from the weights first, or λ w added to the gradient.
    decay: tuple[str, float] | None = None

    @property
    def id(self) -> str:
        """A name for reports."""
        shown = ", ".join(f"{name}={value}" for name, value in self.given.items())
        return f"{self.name}({shown})"

    def make(self) -> ug.optimizers.Optimizer:
        """Make the optimizer."""
        made: ug.optimizers.Optimizer = getattr(ug.optimizers, self.name)(**self.given)
        return made

    def numbers(self) -> SimpleNamespace:
        """Return the numbers that its formula takes."""
        found = {key: value for key, value in self.given.items() if key in DEFAULTS[self.name]}
        return SimpleNamespace(**{**DEFAULTS[self.name], **found})

    def run(self, w: Any, numbers: Any) -> Run:
        """Start the formula on a parameter."""
        run = self.formula(w, numbers, **self.settings)
        return run if self.decay is None else _decaying(run, numbers, *self.decay)


def _decaying(run: Run, numbers: Any, how: str, share: float) -> Run:
    """Do weight decay around a formula that has none."""
    w = next(run)
    lost = 0.0 * w
    while True:
        g = yield w - lost
        share = getattr(numbers, "weight_decay", share)
        if how == "decoupled":
            lost = lost + numbers.learning_rate * share * (w - lost)
        else:
            g = g + share * w
        w = run.send(g)


_BETAS = {"beta1": 0.9, "beta2": 0.999}
#: Every number of every optimizer, as it is by default: a part of the formula.
DEFAULTS: dict[str, dict[str, float]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "dampening": 0.0},
    "Momentum": {"learning_rate": 0.01, "beta": 0.9},
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-8, "momentum": 0.0},
    "Adam": {"learning_rate": 0.001, **_BETAS, "epsilon": 1e-8},
    "AdamW": {"learning_rate": 0.001, **_BETAS, "epsilon": 1e-8, "weight_decay": 0.01},
    "Adamax": {"learning_rate": 0.002, **_BETAS, "epsilon": 1e-8},
    "Adagrad": {"learning_rate": 0.01, "epsilon": 1e-10, "rate_decay": 0.0},
    "Adadelta": {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6},
    "NAdam": {"learning_rate": 0.002, **_BETAS, "epsilon": 1e-8, "momentum_decay": 0.004},
    "NAdamW": {
        "learning_rate": 0.002, **_BETAS, "epsilon": 1e-8, "momentum_decay": 0.004,
        "weight_decay": 0.01,
    },
    "RAdam": {"learning_rate": 0.001, **_BETAS, "epsilon": 1e-8},
    "AdaBelief": {"learning_rate": 0.001, **_BETAS, "epsilon": 1e-16, "epsilon_root": 1e-16},
    "Yogi": {"learning_rate": 0.01, **_BETAS, "epsilon": 1e-3},
    "Adan": {
        "learning_rate": 0.001, "beta1": 0.98, "beta2": 0.92, "beta3": 0.99, "epsilon": 1e-8,
        "weight_decay": 0.0, "epsilon_root": 0.0,
    },
    "Lion": {"learning_rate": 1e-4, "beta1": 0.9, "beta2": 0.99},
    "Rprop": {
        "learning_rate": 0.01, "shrink": 0.5, "grow": 1.2, "least_step": 1e-6, "largest_step": 50.0,
    },
    "LARS": {"learning_rate": 0.1, "momentum": 0.9, "trust": 0.001, "epsilon": 0.0},
    "LAMB": {"learning_rate": 0.001, **_BETAS, "epsilon": 1e-6, "weight_decay": 0.0},
    "Adafactor": {
        "learning_rate": 0.01, "decay_power": 0.8, "epsilon": 1e-30, "least_scale": 1e-3,
        "threshold": 1.0, "momentum": 0.0, "weight_decay": 0.0,
    },
    "Muon": {
        "learning_rate": 0.001, "momentum": 0.95, "epsilon": 1e-7, **_BETAS, "adam_epsilon": 1e-8,
        "rate_ratio": 1.0,
    },
    "SOAP": {
        "learning_rate": 0.003, "beta1": 0.95, "beta2": 0.95, "epsilon": 1e-8,
        "shampoo_beta": 0.95, "shift": 1e-3,
    },
    "ScheduleFreeAdamW": {
        "learning_rate": 0.0025, **_BETAS, "epsilon": 1e-8, "weight_decay": 0.0, "power": 2.0,
    },
    "Sophia": {
        "learning_rate": 1e-4, "beta1": 0.965, "beta2": 0.99, "gamma": 0.01, "epsilon": 1e-12,
        "bound": 1.0,
    },
}  # fmt: skip

_FORMULAS: dict[str, Callable[..., Run]] = {
    "SGD": others.sgd,
    "Momentum": others.momentum,
    "RMSprop": others.rmsprop,
    "Adam": adaptive.adam,
    "AdamW": adaptive.adam,
    "Adamax": adaptive.adamax,
    "Adagrad": others.adagrad,
    "Adadelta": others.adadelta,
    "NAdam": adaptive.nadam,
    "NAdamW": adaptive.nadam,
    "RAdam": adaptive.radam,
    "AdaBelief": adaptive.adabelief,
    "Yogi": adaptive.yogi,
    "Adan": adaptive.adan,
    "Lion": others.lion,
    "Rprop": others.rprop,
    "LARS": others.lars,
    "LAMB": adaptive.lamb,
    "Adafactor": others.adafactor,
    "Muon": others.muon,
    "SOAP": others.soap,
    "ScheduleFreeAdamW": adaptive.schedule_free,
    "Sophia": adaptive.sophia,
}

#: Weights decay beside the formula unless somebody says otherwise.
_BESIDE = ("Lion", "Muon", "SOAP", "Sophia")
#: The decay of those that have one by default.
_DECOUPLED = {"AdamW": 0.01, "NAdamW": 0.01}


def _case(name: str, around: tuple[str, float] | None = None, **given: Any) -> Case:
    """Write down one case: what is no number is a setting of the formula as well."""
    settings = {k: v for k, v in given.items() if k not in DEFAULTS[name]}
    if around is not None:
        given["weight_decay"] = around[1]
        if name not in _BESIDE and around[0] == "decoupled":
            given["decoupled"] = True
    elif name in _DECOUPLED:
        around = ("decoupled", given.get("weight_decay", _DECOUPLED[name]))
    return Case(name, _FORMULAS[name], given, settings, around)


#: Each with its defaults.
PLAIN = [_case(name) for name in DEFAULTS]
#: Each with other numbers, and each setting.
VARIED = [
    _case("SGD", ("coupled", 0.1), learning_rate=0.1),
    _case("SGD", ("decoupled", 0.1), learning_rate=0.1),
    _case("SGD", learning_rate=0.1, momentum=0.8, dampening=0.3),
    _case("SGD", learning_rate=0.1, momentum=0.8, nesterov=True),
    _case("SGD", learning_rate=0.1, momentum=0.8, rate_inside=True),
    _case("SGD", learning_rate=0.1, momentum=0.8, rate_inside=True, nesterov=True),
    _case("Momentum", ("coupled", 0.1), learning_rate=0.1, beta=0.8),
    _case("RMSprop", learning_rate=0.1, rho=0.8, epsilon=1e-2),
    _case("RMSprop", learning_rate=0.1, rho=0.8, epsilon=1e-2, epsilon_at="inside"),
    _case("RMSprop", learning_rate=0.1, rho=0.8, epsilon=1e-2, centered=True),
    _case(
        "RMSprop",
        learning_rate=0.1,
        rho=0.8,
        epsilon=1e-2,
        epsilon_at="inside",
        centered=True,
        bias_correction=True,
    ),
    _case("RMSprop", learning_rate=0.1, momentum=0.7, epsilon=1e-2),
    _case("RMSprop", learning_rate=0.1, momentum=0.7, epsilon=1e-2, epsilon_at="inside"),
    _case("RMSprop", learning_rate=0.1, momentum=0.7, nesterov=True, rate_inside=True),
    _case("RMSprop", learning_rate=0.1, bias_correction=True, initial_square=0.5),
    _case("Adam", learning_rate=0.1, beta1=0.8, beta2=0.95, epsilon=1e-2),
    _case("Adam", learning_rate=0.1, epsilon=1e-2, epsilon_at="inside"),
    _case("Adam", learning_rate=0.1, epsilon=1e-2, epsilon_at="hat"),
    _case("Adam", learning_rate=0.1, epsilon=1e-2, epsilon_root=1e-2),
    _case("Adam", learning_rate=0.1, beta2=0.9, amsgrad=True),
    _case("Adam", learning_rate=0.1, beta2=0.9, amsgrad="corrected"),
    _case("Adam", learning_rate=0.1, beta1=0.8, nesterov=True),
    _case("Adam", ("coupled", 0.1), learning_rate=0.1),
    _case("AdamW", learning_rate=0.1, weight_decay=0.2),
    _case("AdamW", learning_rate=0.1, weight_decay=0.2, amsgrad=True, beta2=0.9),
    _case("Adamax", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2),
    _case("Adamax", learning_rate=0.1, epsilon=1e-2, epsilon_at="outside"),
    _case("Adagrad", learning_rate=0.1, epsilon=1e-2, rate_decay=0.3, initial_sum=0.5),
    _case("Adagrad", learning_rate=0.1, epsilon=1e-2, epsilon_at="inside"),
    _case("Adadelta", learning_rate=0.5, rho=0.8, epsilon=1e-2),
    _case("NAdam", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2, momentum_decay=0.3),
    _case("NAdamW", learning_rate=0.1, weight_decay=0.2),
    _case("RAdam", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2),
    _case("RAdam", learning_rate=0.1, beta2=0.9, epsilon=1e-2, epsilon_at="hat"),
    _case("AdaBelief", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2, epsilon_root=1e-3),
    _case("Yogi", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2, initial=0.1),
    _case(
        "Adan", learning_rate=0.1, beta1=0.9, beta2=0.8, beta3=0.95, epsilon=1e-2, weight_decay=0.1
    ),
    _case("Adan", learning_rate=0.1, weight_decay=0.1, epsilon_root=1e-2, proximal=False),
    _case("Adan", learning_rate=0.1, change_share="rest"),
    _case("Lion", ("decoupled", 0.1), learning_rate=0.1, beta1=0.7, beta2=0.8),
    _case("Rprop", learning_rate=0.1, shrink=0.4, grow=1.5, least_step=0.05, largest_step=0.3),
    _case("Rprop", learning_rate=0.1, late=True),
    _case("LARS", learning_rate=1.0, momentum=0.8, trust=0.1, epsilon=0.1),
    _case("LARS", ("coupled", 0.1), learning_rate=1.0, nesterov=True),
    _case("LAMB", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2, weight_decay=0.1),
    _case("LAMB", learning_rate=0.1, epsilon=1e-2, weight_decay=0.1, decoupled=True),
    _case("Adafactor", learning_rate=0.1, decay_power=0.7, least_scale=0.5, threshold=1.5),
    _case("Adafactor", learning_rate=0.1, epsilon=1e-2, epsilon_at="estimate", weight_decay=0.1),
    _case("Adafactor", learning_rate=0.1, momentum=0.9, weight_decay=0.1, decay="plain"),
    _case("Adafactor", learning_rate=2.0, weight_decay=0.1, decay="before", epsilon=1e-2),
    _case("Adafactor", learning_rate=0.1, relative_step=False, scale_parameter=False),
    _case("Adafactor", learning_rate=0.1, least_size=3),
    _case("Muon", ("decoupled", 0.1), learning_rate=0.1, momentum=0.8, epsilon=0.1),
    _case("Muon", learning_rate=0.1, scale="rms", accumulate="sum", nesterov=False),
    _case("Muon", learning_rate=0.1, scale="outputs", accumulate="corrected", steps=3),
    _case("Muon", learning_rate=0.1, scale="none", rate_ratio=0.3, beta1=0.8, beta2=0.9),
    _case("Muon", learning_rate=0.1, adam_epsilon=1e-2, adam_epsilon_at="hat"),
    _case("SOAP", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2, shampoo_beta=0.7, every=3),
    _case("SOAP", ("decoupled", 0.1), learning_rate=0.1, every=1, largest_size=3, shift=0.1),
    _case("ScheduleFreeAdamW", learning_rate=0.1, beta1=0.8, beta2=0.9, epsilon=1e-2),
    _case("ScheduleFreeAdamW", learning_rate=0.1, weight_decay=0.1, power=0.0),
    _case("Sophia", ("decoupled", 0.1), learning_rate=0.1, beta1=0.8, epsilon=2.0, bound=0.5),
    _case("Sophia", learning_rate=0.1, epsilon=1.0, bias_correction=True),
]


def _all_counting() -> list[Case]:
    """Return a case of each optimizer in which all of its numbers count."""
    chosen = {
        "SGD": _case("SGD", learning_rate=0.1, momentum=0.8, dampening=0.3),
        "RMSprop": _case("RMSprop", learning_rate=0.1, momentum=0.7),
        "Adafactor": _case("Adafactor", learning_rate=0.1, momentum=0.9, weight_decay=0.1),
    }
    return [chosen.get(case.name, case) for case in PLAIN]


#: Each optimizer once, for numbers that change between steps.
CHANGING = _all_counting()
