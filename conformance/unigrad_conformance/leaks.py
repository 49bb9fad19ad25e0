"""A tracked value that leaves for the host while something records is warned of, with its line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation

Loss = Callable[[ug.Tensor], Any]

#: Functions that lose a path on the host.
_LOSING: dict[str, Loss] = {
    "float": lambda x: ug.sum(x * float(ug.sum(x))),
    "item": lambda x: ug.sum(x * ug.sum(x).item()),
    "numpy": lambda x: ug.sum(x * x.numpy()),
    "tolist": lambda x: ug.sum(x * ug.asarray(x.tolist(), dtype=x.dtype)),
    "np.asarray": lambda x: ug.sum(x * np.asarray(x)),
    "a function of NumPy": lambda x: ug.sum(ug.asarray(np.concatenate([x, x])) ** 2),
    "a float for a result": lambda x: float(ug.sum(x * x)),
    "a constant for a result": lambda x: ug.asarray(1.0),
}
#: Functions that lose nothing.
_KEEPING: dict[str, Loss] = {
    "float of stop_gradient": lambda x: ug.sum(x * float(ug.stop_gradient(ug.sum(x)))),
    "bool, int, format and repr": lambda x: ug.sum(
        x * len(f"{bool(ug.sum(x) > 0)} {int(ug.sum(x))} {ug.sum(x):.2f} {x!r} {x.shape}")
    ),
}


def _gradient(loss: Loss) -> None:
    ug.grad(loss)(ug.asarray([1.0, 2.0]))


def _on_tape(loss: Loss) -> None:
    variable = ug.Variable([1.0, 2.0])
    with ug.GradientTape() as tape:
        loss(variable.read())
    tape.reset()


def _forward(loss: Loss) -> None:
    x = ug.asarray([1.0, 2.0])
    ug.jvp(loss, (x,), (x,))


def _warned(run: Callable[[Loss], None], loss: Loss) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(loss)
    return [one for one in caught if one.category is ug.GradientWarning]


def values_that_leave_are_warned_of() -> None:
    """Each way to the host warns under a transform, a tape and an accumulator, at its line."""
    for name, loss in _LOSING.items():
        runs = (_gradient,) if name.endswith("result") else (_gradient, _on_tape, _forward)
        for run in runs:
            found = _warned(run, loss)
            if not found:
                raise Deviation(f"{name} under {run.__name__}: lost without a word")
            for one in found:
                if one.filename != __file__:
                    raise Deviation(f"{name}: the warning names {one.filename}:{one.lineno}")


def values_that_stay_are_not() -> None:
    """What has no derivative to lose is not warned of, and nothing is where nothing records."""
    for name, loss in _KEEPING.items():
        for run in (_gradient, _on_tape, _forward):
            if found := _warned(run, loss):
                raise Deviation(f"{name} under {run.__name__}: {found[0].message}")
    for name, loss in _LOSING.items():
        if found := _warned(lambda loss: loss(ug.asarray([1.0, 2.0])), loss):
            raise Deviation(f"{name} without a recorder: {found[0].message}")


def native_results_are_followed_or_warned_of() -> None:
    """A function that gives its native array has the right gradient, or a warning."""
    x = ug.asarray([1.0, 2.0])
    for name, loss in {
        "result": lambda x: ug.sum(x * x).native,
        "product": lambda x: ug.sum(x * ug.asarray(x.native)),
    }.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gradient = ug.grad(loss)(x).tolist()
        if gradient != [2.0, 4.0] and not caught:
            raise Deviation(f"the native array as {name}: gradient {gradient} without a word")


LEAKS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        values_that_leave_are_warned_of,
        values_that_stay_are_not,
        native_results_are_followed_or_warned_of,
    )
}
