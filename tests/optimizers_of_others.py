"""Optimizers of torch, optax and Keras, and the settings with which unigrad's are the same.

Each entry is a name, unigrad's optimizer, and a function that runs the other library's over
parameters and gradients (lists of float64 ndarrays) and returns the parameters after each step.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import numpy as np
from optimizer_runs import STEPS, Arrays, Case, by_keras, by_optax, by_torch, gradients, start

from unigrad import optimizers as ours

#: Where the source keeps a number in float32: NAdam's product in torch, β of Adafactor in optax,
#: the scales of Adafactor and Muon in Keras.
SINGLE = 1e-6


def _torch() -> Iterator[Case]:
    o = ours
    yield Case("SGD", lambda: o.SGD(0.1), by_torch("SGD", lr=0.1))
    yield Case(
        "SGD decay", lambda: o.SGD(0.1, weight_decay=0.1), by_torch("SGD", lr=0.1, weight_decay=0.1)
    )
    yield Case(
        "SGD momentum, dampening",
        lambda: o.SGD(0.1, momentum=0.9, dampening=0.3),
        by_torch("SGD", lr=0.1, momentum=0.9, dampening=0.3),
    )
    yield Case(
        "SGD nesterov",
        lambda: o.SGD(0.1, momentum=0.8, nesterov=True, weight_decay=0.01),
        by_torch("SGD", lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.01),
    )
    yield Case("RMSprop", lambda: o.RMSprop(0.01, rho=0.99), by_torch("RMSprop"))
    yield Case(
        "RMSprop centred, momentum",
        lambda: o.RMSprop(0.01, 0.9, 1e-6, momentum=0.9, centered=True),
        by_torch("RMSprop", alpha=0.9, eps=1e-6, momentum=0.9, centered=True),
    )
    yield Case("Adam", lambda: o.Adam(), by_torch("Adam"))
    yield Case(
        "Adam 0.1",
        lambda: o.Adam(0.1, 0.8, 0.95, 1e-3),
        by_torch("Adam", lr=0.1, betas=(0.8, 0.95), eps=1e-3),
    )
    yield Case(
        "Adam decay",
        lambda: o.Adam(0.1, weight_decay=0.1),
        by_torch("Adam", lr=0.1, weight_decay=0.1),
    )
    yield Case(
        "Adam amsgrad", lambda: o.Adam(0.1, amsgrad=True), by_torch("Adam", lr=0.1, amsgrad=True)
    )
    yield Case("AdamW", lambda: o.AdamW(), by_torch("AdamW"))
    yield Case(
        "AdamW amsgrad",
        lambda: o.AdamW(0.1, weight_decay=0.1, amsgrad=True),
        by_torch("AdamW", lr=0.1, weight_decay=0.1, amsgrad=True),
    )
    yield Case("Adamax", lambda: o.Adamax(), by_torch("Adamax"))
    yield Case("Adagrad", lambda: o.Adagrad(), by_torch("Adagrad"))
    yield Case(
        "Adagrad decay of the rate",
        lambda: o.Adagrad(0.1, rate_decay=0.1, initial_sum=0.5, weight_decay=0.1),
        by_torch("Adagrad", lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, weight_decay=0.1),
    )
    yield Case("Adadelta", lambda: o.Adadelta(), by_torch("Adadelta"))
    yield Case("NAdam", lambda: o.NAdam(), by_torch("NAdam"), SINGLE)
    yield Case(
        "NAdamW",
        lambda: o.NAdamW(0.1),
        by_torch("NAdam", lr=0.1, weight_decay=0.01, decoupled_weight_decay=True),
        SINGLE,
    )
    yield Case("RAdam", lambda: o.RAdam(epsilon_at="hat"), by_torch("RAdam"))
    yield Case(
        "RAdam decay",
        lambda: o.RAdam(0.1, 0.8, 0.9, epsilon_at="hat", weight_decay=0.1),
        by_torch("RAdam", lr=0.1, betas=(0.8, 0.9), weight_decay=0.1),
    )
    yield Case("Rprop", lambda: o.Rprop(), by_torch("Rprop"))
    yield Case(
        "Rprop bounds",
        lambda: o.Rprop(0.1, 0.4, 1.5, 0.05, 0.3),
        by_torch("Rprop", lr=0.1, etas=(0.4, 1.5), step_sizes=(0.05, 0.3)),
    )
    eps = float(np.finfo(np.float64).eps)
    yield Case(
        "Adafactor", lambda: o.Adafactor(epsilon=eps, epsilon_at="estimate"), by_torch("Adafactor")
    )
    yield Case(
        "Adafactor decay",
        lambda: o.Adafactor(0.1, 0.7, eps, 0.1, 1.5, weight_decay=0.1, epsilon_at="estimate"),
        by_torch("Adafactor", lr=0.1, beta2_decay=-0.7, eps=(None, 0.1), d=1.5, weight_decay=0.1),
    )


def _optax() -> Iterator[Case]:
    o = ours
    yield Case(
        "SGD",
        lambda: o.SGD(0.1, momentum=0.9, nesterov=True),
        by_optax("sgd", 0.1, momentum=0.9, nesterov=True),
    )
    yield Case("RMSprop", lambda: o.RMSprop(0.1, epsilon_at="inside"), by_optax("rmsprop", 0.1))
    yield Case(
        "RMSprop, corrected",
        lambda: o.RMSprop(
            0.1, 0.8, 1e-3, momentum=0.9, nesterov=True, bias_correction=True, rate_inside=True
        ),
        by_optax(
            "rmsprop",
            0.1,
            0.8,
            1e-3,
            eps_in_sqrt=False,
            momentum=0.9,
            nesterov=True,
            bias_correction=True,
        ),
    )
    yield Case(
        "RMSprop, centred",
        lambda: o.RMSprop(0.1, 0.8, 1e-3, centered=True),
        by_optax("rmsprop", 0.1, 0.8, 1e-3, eps_in_sqrt=False, centered=True),
    )
    yield Case(
        "RMSprop from 1",
        lambda: o.RMSprop(0.1, initial_square=1.0, momentum=0.5, epsilon_at="inside"),
        by_optax("rmsprop", 0.1, initial_scale=1.0, momentum=0.5),
    )
    yield Case("Adam", lambda: o.Adam(0.1), by_optax("adam", 0.1))
    yield Case(
        "Adam, root", lambda: o.Adam(0.1, epsilon_root=1e-2), by_optax("adam", 0.1, eps_root=1e-2)
    )
    yield Case("AdamW", lambda: o.AdamW(0.1, weight_decay=1e-4), by_optax("adamw", 0.1))
    yield Case("AMSGrad", lambda: o.Adam(0.1, amsgrad="corrected"), by_optax("amsgrad", 0.1))
    yield Case("NAdam", lambda: o.NAdam(0.1, momentum_decay=None), by_optax("nadam", 0.1))
    yield Case(
        "NAdamW",
        lambda: o.NAdamW(0.1, weight_decay=1e-4, momentum_decay=None),
        by_optax("nadamw", 0.1),
    )
    yield Case("Adamax", lambda: o.Adamax(0.1), by_optax("adamax", 0.1))
    yield Case(
        "AdamaxW",
        lambda: o.Adamax(0.1, weight_decay=1e-2, decoupled=True),
        by_optax("adamaxw", 0.1, weight_decay=1e-2),
    )
    yield Case(
        "Adagrad",
        lambda: o.Adagrad(0.1, 1e-7, initial_sum=0.1, epsilon_at="inside"),
        by_optax("adagrad", 0.1),
    )
    yield Case("Adadelta", lambda: o.Adadelta(), by_optax("adadelta", 1.0))
    yield Case("RAdam", lambda: o.RAdam(0.1), by_optax("radam", 0.1))
    yield Case("AdaBelief", lambda: o.AdaBelief(0.1), by_optax("adabelief", 0.1))
    yield Case("Yogi", lambda: o.Yogi(0.1), by_optax("yogi", 0.1))
    yield Case(
        "Adan",
        lambda: o.Adan(
            0.1, epsilon_root=1e-8, change_share="rest", proximal=False, weight_decay=0.1
        ),
        by_optax("adan", 0.1, weight_decay=0.1),
    )
    yield Case("Lion", lambda: o.Lion(0.1, weight_decay=1e-3), by_optax("lion", 0.1))
    yield Case(
        "LARS", lambda: o.LARS(0.1, weight_decay=0.1), by_optax("lars", 0.1, weight_decay=0.1)
    )
    yield Case(
        "LARS nesterov",
        lambda: o.LARS(0.1, 0.8, 0.01, 0.1, nesterov=True),
        by_optax("lars", 0.1, momentum=0.8, trust_coefficient=0.01, eps=0.1, nesterov=True),
    )
    yield Case(
        "LAMB", lambda: o.LAMB(0.1, weight_decay=0.1), by_optax("lamb", 0.1, weight_decay=0.1)
    )
    yield Case("Rprop", lambda: o.Rprop(0.1, late=True), by_optax("rprop", 0.1))
    yield Case(
        "Adafactor",
        lambda: o.Adafactor(0.1, relative_step=False, least_size=2, axes="largest", decay="plain"),
        by_optax("adafactor", 0.1, min_dim_size_to_factor=2),
        SINGLE,
    )
    yield Case(
        "Adafactor, all settings",
        lambda: o.Adafactor(
            0.1,
            0.7,
            momentum=0.9,
            weight_decay=0.1,
            relative_step=False,
            threshold=None,
            scale_parameter=False,
            least_size=128,
            axes="largest",
            decay="plain",
        ),
        by_optax(
            "adafactor",
            0.1,
            decay_rate=0.7,
            momentum=0.9,
            dtype_momentum="float64",
            weight_decay_rate=0.1,
            clipping_threshold=None,
            multiply_by_parameter_scale=False,
        ),
        SINGLE,
    )
    yield Case(
        "Muon",
        lambda: o.Muon(
            0.1, epsilon=1e-8, scale="outputs", accumulate="corrected", adam_nesterov=True
        ),
        by_optax("muon", 0.1),
    )
    yield Case(
        "schedule-free AdamW",
        lambda: o.ScheduleFreeAdamW(0.1, weight_decay=0.1),
        by_optax("schedule_free_adamw", 0.1, weight_decay=0.1),
    )
    yield Case(
        "schedule-free AdamW, warm-up",
        lambda: o.ScheduleFreeAdamW(o.schedules.linear_warmup(8, 0.1), weigh_ahead=True),
        by_optax("schedule_free_adamw", 0.1, warmup_steps=8),
        SINGLE,
    )


def _keras() -> Iterator[Case]:
    o = ours
    yield Case(
        "SGD",
        lambda: o.SGD(0.1, momentum=0.9, nesterov=True),
        by_keras("SGD", learning_rate=0.1, momentum=0.9, nesterov=True),
    )
    yield Case(
        "RMSprop",
        lambda: o.RMSprop(
            0.1, epsilon=1e-7, momentum=0.5, centered=True, epsilon_at="inside", rate_inside=True
        ),
        by_keras("RMSprop", learning_rate=0.1, momentum=0.5, centered=True),
    )
    yield Case("Adam", lambda: o.Adam(epsilon=1e-7, epsilon_at="hat"), by_keras("Adam"))
    yield Case(
        "Adam amsgrad",
        lambda: o.Adam(0.1, epsilon=1e-3, epsilon_at="hat", amsgrad=True),
        by_keras("Adam", learning_rate=0.1, epsilon=1e-3, amsgrad=True),
    )
    yield Case(
        "AdamW",
        lambda: o.AdamW(epsilon=1e-7, epsilon_at="hat", weight_decay=0.004),
        by_keras("AdamW"),
    )
    yield Case(
        "Adamax", lambda: o.Adamax(0.001, epsilon=1e-7, epsilon_at="outside"), by_keras("Adamax")
    )
    yield Case(
        "Adagrad",
        lambda: o.Adagrad(0.001, 1e-7, initial_sum=0.1, epsilon_at="inside"),
        by_keras("Adagrad"),
    )
    yield Case("Adadelta", lambda: o.Adadelta(0.001, 0.95, 1e-7), by_keras("Adadelta"))
    yield Case("NAdam", lambda: o.NAdam(0.001, epsilon=1e-7, momentum_decay=1.0), by_keras("Nadam"))
    yield Case("Lion", lambda: o.Lion(0.001), by_keras("Lion"))
    yield Case("LAMB", lambda: o.LAMB(epsilon=1e-7), by_keras("Lamb"))
    yield Case(
        "LAMB decay",
        lambda: o.LAMB(0.1, epsilon=1e-3, weight_decay=0.1, decoupled=True),
        by_keras("Lamb", learning_rate=0.1, epsilon=1e-3, weight_decay=0.1),
    )
    yield Case(
        "Adafactor",
        lambda: o.Adafactor(0.001, weight_decay=0.1, decay="before"),
        by_keras("Adafactor", weight_decay=0.1),
        SINGLE,
    )
    yield Case(
        "Muon",
        lambda: o.Muon(
            weight_decay=0.004,
            scale="rms",
            accumulate="sum",
            epsilon=1e-7,
            adam_epsilon=1e-7,
            adam_epsilon_at="hat",
        ),
        by_keras("Muon"),
        SINGLE,
    )
    yield Case(
        "schedule-free AdamW",
        lambda: o.ScheduleFreeAdamW(0.01, weight_decay=0.1, power=0.0, decoupled=True),
        by_keras("ScheduleFreeAdamW", learning_rate=0.01, weight_decay=0.1),
    )


CASES = [
    one._replace(name=f"{library}: {one.name}")
    for library, cases in (("torch", _torch()), ("optax", _optax()), ("Keras", _keras()))
    for one in cases
]


def _named(name: str) -> Case:
    return next(one for one in CASES if one.name == name)


@functools.cache
def trajectory_of(name: str) -> list[Arrays]:
    """Return the parameters after each step of the other library's optimizer."""
    if name.startswith("Keras"):
        return _of_keras()[name]
    return _named(name).theirs(start(), gradients())


@functools.cache
def _of_keras() -> dict[str, list[Arrays]]:
    """Return all trajectories of Keras, from a process where it runs on JAX.

    On TensorFlow, whose import chooses Keras's backend, it keeps its numbers in float32, and
    its schedule-free AdamW reads z after it has changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "keras.npz")
        environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"}
        subprocess.run([sys.executable, __file__, path], env=environment, check=True)
        with np.load(path) as flat:
            arrays = {key: flat[key] for key in flat}
    found: dict[str, list[Arrays]] = {}
    for key, array in arrays.items():
        name, step, _ = key.rsplit("|", 2)
        steps = found.setdefault(name, [[] for _ in range(STEPS)])
        steps[int(step)].append(array)
    return found


def _write_keras(path: str) -> None:
    flat = {}
    for case in CASES:
        if case.name.startswith("Keras"):
            for step, some in enumerate(case.theirs(start(), gradients())):
                flat |= {f"{case.name}|{step}|{i}": w for i, w in enumerate(some)}
    np.savez(path, **flat)


if __name__ == "__main__":
    _write_keras(sys.argv[1])
