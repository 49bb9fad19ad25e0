"""What compiled functions promise: the same as uncompiled, whatever has changed since the trace.

Each check is a function that raises `Deviation`. What programs compute is checked in
`unigrad_conformance.program_values`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation


def _require(what: str, found: Any, expected: Any) -> None:
    """Compare values, NaN equal to NaN."""
    found = found.numpy() if isinstance(found, ug.Tensor) else found
    same = np.allclose(
        np.asarray(found, np.float64), np.asarray(expected, np.float64), 1e-5, 1e-6, equal_nan=True
    )
    if not same:
        raise Deviation(f"{what}: {found} where {expected} is right")


# -- variables


def reads_are_fresh() -> None:
    """A variable assigned between two calls is read anew."""
    v = ug.Variable(2.0)
    f = ug.jit(lambda x: x * v)
    _require("before", f(ug.asarray(3.0)), 6.0)
    v.assign(10.0)
    _require("after an assignment", f(ug.asarray(3.0)), 30.0)


def writes_arrive() -> None:
    """What a compiled function assigns is there afterwards, once per call."""
    v = ug.Variable([1.0, 2.0])

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        v.assign_add(x)
        return v * 2.0

    for n in range(1, 4):
        _require("read after the write", f(ug.asarray([1.0, 1.0])), [2.0 * (1 + n), 2.0 * (2 + n)])
        _require("the variable", v.read(), [1.0 + n, 2.0 + n])


def writes_without_reads_arrive() -> None:
    """A variable that is only written changes too."""
    v = ug.Variable(0.0)
    f = ug.jit(lambda x: v.assign(x * 2.0))
    for x in (1.0, 5.0):
        f(ug.asarray(x))
        _require("the variable", v.read(), 2.0 * x)


def a_failed_call_changes_nothing() -> None:
    """An error in the trace leaves variables alone, and the next trace."""
    v = ug.Variable([1.0, 1.0])

    def f(x: ug.Tensor) -> ug.Tensor:
        v.assign_add([1.0, 1.0])
        return x @ ug.ones((7,))

    try:
        ug.jit(f)(ug.ones((2,)))
    except ug.ShapeError:
        _require("the variable", v.read(), [1.0, 1.0])
    else:
        raise Deviation("no ShapeError")
    _require("another function", ug.jit(lambda x: x + v)(ug.ones((2,))), [2.0, 2.0])


def a_step_is_a_step() -> None:
    """A compiled training step, dropout and Adam included, does what the plain one does."""

    def losses(compiled: bool) -> list[float]:
        model = ug.layers.Sequential(
            [
                ug.layers.Dense(4, "tanh", key=1),
                ug.layers.Dropout(0.5, 2),
                ug.layers.Dense(1, key=3),
            ]
        )
        optimizer = ug.optimizers.Adam(0.05)
        x = ug.asarray(np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(4, 3))
        model(x)

        def step(x: ug.Tensor) -> ug.Tensor:
            with ug.GradientTape() as tape:
                loss = ug.mean(model(x, training=True) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        run = ug.jit(step) if compiled else step
        return [float(run(x)) for _ in range(5)]

    _require("losses", losses(True), losses(False))


# -- the signature


def training_mode_is_in_the_signature() -> None:
    """A program traced in one mode is not run in the other."""
    layer = ug.layers.Dropout(0.5, 1)
    f = ug.jit(lambda x: layer(x))
    x = ug.ones((64,))
    _require("in evaluation", ug.sum(f(x)), 64.0)
    with ug.layers.training_mode():
        zeros = int(np.sum(f(x).numpy() == 0.0))
    if not zeros:
        raise Deviation("traced in evaluation, Dropout drops nothing in training")
    _require("in evaluation again", ug.sum(f(x)), 64.0)


def default_dtype_is_in_the_signature() -> None:
    """What is made in a compiled function has the default dtype of the call."""
    before = ug.default_dtype()
    f = ug.jit(lambda x: ug.zeros(2))
    try:
        for name in ("float32", "float64", "float32"):
            ug.set_default_dtype(name)
            found = f(ug.asarray([1, 2])).dtype.name
            if found != name:
                raise Deviation(f"under the default dtype {name} zeros are {found}")
    finally:
        ug.set_default_dtype(before)


def static_types_are_in_the_signature() -> None:
    """2, 2.0 and True are equal and do different things."""
    f = ug.jit(static_argnums=1)(lambda x, n: x * 1 if n is True else x * n)
    x = ug.asarray([3])
    for n, expected, dtype in ((1, 3, "int64"), (1.0, 3, "float32"), (True, 3, "int64")):
        found = f(x, n)
        _require(f"static {n!r}", found, [expected])
        if found.dtype.name != dtype:
            raise Deviation(f"static {n!r}: {found.dtype.name} where {dtype} is right")


# -- what a trace took from Python


def a_change_of_trainable_is_seen() -> None:
    """A variable that is no longer trainable is no longer watched, and the other way round."""
    w = ug.Variable(2.0)

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = w * w * x
            watched = [one is w for one in tape.watched_variables()]
        found: ug.Tensor = ug.asarray(float(len(watched))) + 0.0 * tape.gradient(y, x)
        return found

    x = ug.asarray(1.0)
    for trainable in (True, False, True):
        w.trainable = trainable
        _require(f"trainable={trainable}", f(x), float(trainable))


class _Scale(ug.layers.Module):
    """Holds variables in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.w = ug.Variable(2.0)
        self.factor = 1.0
        self.more = [ug.Variable(1.0)]

    def call(self, x: ug.Tensor) -> ug.Tensor:
        y = x * self.w * self.factor
        for one in self.more:
            y = y + one
        return y


def a_replaced_variable_is_seen() -> None:
    """The variable that a module holds now counts, not the one of the trace."""
    module = _Scale()
    f, g = ug.jit(lambda x: module(x)), ug.jit(lambda x: x * module.w)
    x = ug.asarray(1.0)
    _require("first", f(x), 3.0)
    _require("first attribute", g(x), 2.0)
    module.w = ug.Variable(5.0)
    _require("replaced", f(x), 6.0)
    _require("replaced attribute", g(x), 5.0)


def a_longer_list_is_seen() -> None:
    """Lists of variables, and of layers, may grow after the trace."""
    module = _Scale()
    f = ug.jit(lambda x: module(x))
    total = ug.jit(lambda x: sum((one * 1.0 for one in module.variables), x))
    x = ug.asarray(1.0)
    _require("first", f(x), 3.0)
    _require("all first", total(x), 4.0)
    module.more.append(ug.Variable(10.0))
    _require("longer", f(x), 13.0)
    _require("all longer", total(x), 14.0)
    module.more[0] = ug.Variable(100.0)
    _require("changed", f(x), 112.0)
    _require("all changed", total(x), 113.0)


def a_changed_attribute_is_seen() -> None:
    """So may plain numbers in attributes change."""
    module = _Scale()
    f = ug.jit(lambda x: module(x))
    x = ug.asarray(1.0)
    _require("first", f(x), 3.0)
    module.factor = 4.0
    _require("changed", f(x), 9.0)


def a_rebound_name_is_seen() -> None:
    """A closure's variable stands for what it stands for now."""
    v, factor = ug.Variable(1.0), 2.0
    several = [ug.Variable(1.0)]

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        return x * v * factor * several[0]

    x = ug.asarray(1.0)
    _require("first", f(x), 2.0)
    v = ug.Variable(3.0)
    _require("another variable", f(x), 6.0)
    factor = 5.0
    _require("another number", f(x), 15.0)
    several[0] = ug.Variable(2.0)
    _require("another element", f(x), 30.0)


def nothing_else_retraces() -> None:
    """What the function does not use may change freely."""
    module = _Scale()
    count = 0

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        nonlocal count
        count += 1
        found: ug.Tensor = module(x)
        return found

    x = ug.asarray(1.0)
    f(x)
    for n in range(3):
        module.w.assign(float(n))
        setattr(module, f"note{n}", n)
        _Scale()
        _require("the value", f(x), n + 1.0)
    if count > 1:
        raise Deviation(f"traced {count} times")


# -- values that are not there


def kept_tensors_are_refused() -> None:
    """A Tensor that was kept from a trace raises in whatever is done with it."""
    kept: list[ug.Tensor] = []
    v = ug.Variable([1.0, 2.0])

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        kept[:] = [x, x * 2.0, v.read()]
        return x * v

    f(ug.asarray([3.0, 4.0]))
    uses: dict[str, Callable[[ug.Tensor], object]] = {
        "exp": ug.exp,
        "multiply": lambda t: t * 3.0,
        "add": lambda t: ug.asarray([1.0, 1.0]) + t,
        "sum": ug.sum,
        "index": lambda t: t[0],
        "reshape": lambda t: ug.reshape(t, (2, 1)),
        "stack": lambda t: ug.stack([t, t]),
        "matmul": lambda t: t @ t,
        "numpy": lambda t: t.numpy(),
        "assign": v.assign,
        "Variable": ug.Variable,
        "jit": ug.jit(lambda t: t * 2.0),
        "closure of jit": lambda t: ug.jit(lambda x: x * t)(ug.asarray([1.0, 1.0])),
        "grad": lambda t: ug.grad(lambda x: ug.sum(x * t))(ug.asarray([1.0, 1.0])),
    }
    for name, use in uses.items():
        for which, tensor in zip(("input", "result", "variable"), kept, strict=True):
            try:
                use(tensor)
            except ug.TracingError:
                continue
            raise Deviation(f"{name} of a kept {which} raises no TracingError")


def labels_out_of_range_are_nan() -> None:
    """Labels and tokens that mean nothing give NaN where nobody can look, and no gradient."""
    logits = ug.asarray(np.log(np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]], np.float32)))
    table = ug.layers.Embedding(3, 2)
    table(ug.asarray([0]))
    functions: dict[str, Callable[[ug.Tensor, ug.Tensor], ug.Tensor]] = {
        "sparse_softmax_crossentropy": ug.sparse_softmax_crossentropy,
        "sparse_categorical_crossentropy": lambda x, i: ug.losses.sparse_categorical_crossentropy(
            i, ug.softmax(x)
        ),
        "Embedding": lambda x, i: table(i)[:, 0] + 0.0 * x[:, 0],
    }
    for name, function in functions.items():
        program = _values_and_gradient(function)
        for dtype in ("int64", "int32", "uint8"):
            for bad in (3, 99) if dtype == "uint8" else (-1, 3, -4, 99):
                labels = ug.asarray(np.array([bad, 0]).astype(dtype))
                found, gradient = [one.numpy() for one in program(logits, labels)]
                if not (np.isnan(found[0]) and np.isfinite(found[1])):
                    raise Deviation(f"{name} {bad}: {found} where [nan, finite] is right")
                _require(f"gradient of {name} {bad}", gradient[0], [0.0, 0.0, 0.0])


def _values_and_gradient(
    function: Callable[[ug.Tensor, ug.Tensor], ug.Tensor],
) -> Callable[[ug.Tensor, ug.Tensor], tuple[ug.Tensor, ug.Tensor]]:
    """Return a program of a function's values, and of the gradient of all but the first."""

    def run(x: ug.Tensor, labels: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        slope = ug.grad(lambda x: ug.sum(function(x, labels)[1:]))(x)
        return function(x, labels), slope

    program: Callable[[ug.Tensor, ug.Tensor], tuple[ug.Tensor, ug.Tensor]] = ug.jit(run)
    return program


#: By name.
PROGRAMS: dict[str, Callable[[], None]] = {
    one.__name__.replace("_", " "): one
    for one in (
        reads_are_fresh,
        writes_arrive,
        writes_without_reads_arrive,
        a_failed_call_changes_nothing,
        a_step_is_a_step,
        training_mode_is_in_the_signature,
        default_dtype_is_in_the_signature,
        static_types_are_in_the_signature,
        a_change_of_trainable_is_seen,
        a_replaced_variable_is_seen,
        a_longer_list_is_seen,
        a_changed_attribute_is_seen,
        a_rebound_name_is_seen,
        nothing_else_retraces,
        kept_tensors_are_refused,
        labels_out_of_range_are_nan,
    )
}
