"""Values that leave: tracked ones for the host, with a warning, and traced ones, with an error."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable
from copy import deepcopy
from functools import partial
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
    "a function of Python's library": lambda x: ug.sum(x * statistics.fmean(x)),
    "np.asarray": lambda x: ug.sum(x * np.asarray(x)),
    "a function of NumPy": lambda x: ug.sum(ug.asarray(np.unwrap(x)) ** 2),
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


def _columns(loss: Loss) -> None:
    ug.jacfwd(loss)(ug.asarray([1.0, 2.0]))


def _rows(loss: Loss) -> None:
    ug.jacrev(loss)(ug.asarray([1.0, 2.0]))


def _second(loss: Loss) -> None:
    ug.hessian(loss)(ug.asarray([1.0, 2.0]))


def _warned(run: Callable[[Loss], None], loss: Loss) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(loss)
    return [one for one in caught if one.category is ug.GradientWarning]


def values_that_leave_are_warned_of() -> None:
    """Each way to the host warns under a transform, a tape and an accumulator, at its line."""
    for name, loss in _LOSING.items():
        whole = (_gradient, _columns, _rows, _second)
        runs = whole if name.endswith("result") else (_gradient, _on_tape, _forward)
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
        for run in (_gradient, _on_tape, _forward, _columns, _rows, _second):
            if found := _warned(run, loss):
                raise Deviation(f"{name} under {run.__name__}: {found[0].message}")
    for name, loss in _LOSING.items():
        found = _warned(lambda loss: loss(ug.asarray([1.0, 2.0])), loss)
        # That NumPy's result is no Tensor is said whether something records or not.
        if found and name != "a function of NumPy":
            raise Deviation(f"{name} without a recorder: {found[0].message}")


def native_results_are_followed_or_warned_of() -> None:
    """A function that gives its native array has the right gradient, or a warning."""
    x = ug.asarray([1.0, 2.0])
    for name, loss in {
        "result": lambda x: ug.sum(x * x).native,
        "product": lambda x: ug.sum(x * ug.asarray(x.native)),
        "what the library's operator takes": lambda x: ug.sum(x * ug.asarray(x.native * 1.0)),
    }.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gradient = ug.grad(loss)(x).tolist()
        if gradient != [2.0, 4.0] and not caught:
            raise Deviation(f"the native array as {name}: gradient {gradient} without a word")


def _watched(x: ug.Tensor) -> None:
    with ug.GradientTape() as tape:
        tape.watch(x)


#: What may be done with a tensor that was kept from a trace.
_USES: dict[str, Loss] = {
    "an op": lambda x: x + 1.0,
    "a watch": _watched,
    "a gradient by it": lambda x: ug.grad(lambda x: ug.sum(x * x))(x),
    "a gradient through it": lambda x: ug.grad(lambda y: ug.sum(x * y))(ug.asarray([1.0, 2.0])),
    "a cotangent": lambda x: ug.vjp(lambda y: y * y, ug.asarray([1.0, 2.0]))[1](x),
    "a tangent": lambda x: ug.jvp(lambda y: y * y, (ug.asarray([1.0, 2.0]),), (x,)),
    "a copy": ug.copy,
    "a copy by asarray": lambda x: ug.asarray(x, copy=True),
    "a cast to its own dtype": lambda x: ug.astype(x, x.dtype),
    "a move to its own device": lambda x: ug.to_device(x, x.device),
    "a copy by Python": deepcopy,
    "an argument of a compiled function": lambda x: ug.jit(lambda y: y * 2.0)(x),
}


def tensors_kept_from_a_trace_are_refused() -> None:
    """Whatever is done with one raises `TracingError`, in words that say what was kept."""
    kept: list[ug.Tensor] = []

    def function(x: ug.Tensor) -> ug.Tensor:
        kept.append(x * 2.0)
        return ug.sum(kept[-1])

    for name, use in _USES.items():
        ug.jit(lambda x: function(x))(ug.asarray([1.0, 2.0]))
        if not kept[-1].backend.is_traced(kept[-1].native):
            return  # A backend that traces nothing has values.
        _refused(name, partial(use, kept[-1]), "kept")


def traced_numbers_are_not_written_into_arrays() -> None:
    """NumPy asks a traced tensor for its value, which raises `TracingError`."""
    array = np.zeros(2)

    def one(x: ug.Tensor) -> ug.Tensor:
        array[0] = x[0]
        return x

    def several(x: ug.Tensor) -> ug.Tensor:
        array[:] = x
        return x

    for function in (one, several):
        x = ug.asarray([1.0, 2.0])
        _refused(function.__name__, partial(ug.jit(function), x), "traced")


def _refused(name: str, use: Callable[[], Any], word: str) -> None:
    try:
        use()
    except ug.TracingError as error:
        if word not in str(error):
            raise Deviation(f"{name}: the message does not say {word!r}: {error}") from error
    else:
        raise Deviation(f"{name}: nothing was raised")


LEAKS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        values_that_leave_are_warned_of,
        values_that_stay_are_not,
        native_results_are_followed_or_warned_of,
        tensors_kept_from_a_trace_are_refused,
        traced_numbers_are_not_written_into_arrays,
    )
}
