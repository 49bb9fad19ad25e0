"""Bad loops and branches: one class of error, eagerly and compiled, that names the leaf."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import unigrad as ug
from unigrad_conformance.errors import bad


def _ones(*shape: int, dtype: str = "float32") -> ug.Tensor:
    return ug.ones(shape, dtype=dtype)


def _both(
    name: str, error: type[Exception], *words: str
) -> Callable[[Callable[[ug.Tensor], Any]], None]:
    """Write down a bad function of two ones: it is called eagerly, and compiled."""

    def declare(call: Callable[[ug.Tensor], Any]) -> None:
        bad(name, error, *words)(lambda: call(_ones(2)))
        bad(f"{name}, compiled", error, *words)(lambda: ug.jit(call)(_ones(2)))

    return declare


def _compiled(
    name: str, error: type[Exception], *words: str
) -> Callable[[Callable[[ug.Tensor], Any]], None]:
    """Write down what is bad where functions are traced: eagerly one branch runs alone."""

    def declare(call: Callable[[ug.Tensor], Any]) -> None:
        bad(name, error, *words)(lambda: ug.jit(call)(_ones(2)))

    return declare


_both("a scan whose carry changes its structure", ug.ShapeError, "scan", "carry", "structure")(
    lambda x: ug.scan(lambda c, row: ((c, c), row), x, x)
)
_both("a scan whose carry changes its shape", ug.ShapeError, "carry['a']", "(2,)", "(3,)")(
    lambda x: ug.scan(lambda c, row: ({"a": _ones(3)}, row), {"a": x}, x)
)
_both("a scan whose carry changes its dtype", ug.DTypeError, "carry[1]", "float32", "int32")(
    lambda x: ug.scan(lambda c, row: ((c[0], ug.astype(c[1], "int32")), row), (0, x), x)
)
_both("a step that returns no pair", ug.SettingError, "scan", "carry and a result", "Tensor")(
    lambda x: ug.scan(lambda c, row: c + row, x, ug.stack([x, x]))
)
_both("a length that is no integer", ug.SettingError, "scan", "length", "2.0")(
    lambda x: ug.scan(lambda c, _: (c, c), x, None, length=2.0)  # type: ignore[arg-type]
)
_both("a scan along a scalar", ug.ShapeError, "map", "scalar")(
    lambda x: ug.map(lambda row: row, {"a": x, "b": ug.sum(x)})
)
_both("a counted loop whose carry changes", ug.ShapeError, "fori_loop", "structure")(
    lambda x: ug.fori_loop(0, 3, lambda i, c: (c, c), x)
)
_both("a scan of several lengths", ug.ShapeError, "scan", "length", "2", "3")(
    lambda x: ug.scan(lambda c, rows: (c, c), 0.0, (x, _ones(3)))
)
_both("a scan of no length", ug.ShapeError, "scan", "xs", "length=")(
    lambda x: ug.scan(lambda c, _: (c, c), x)
)


def _assigned_in(transform: Callable[[Callable[..., Any], ug.Tensor], Any]) -> Any:
    v = ug.Variable([0.0, 0.0])
    return transform(lambda x: v.assign(x).read() * x, _ones(2))


for _name, _transform in {
    "checkpoint": lambda f, x: ug.grad(lambda x: ug.sum(ug.checkpoint(f)(x)))(x),
    "linearize": lambda f, x: ug.linearize(f, x),
}.items():
    bad(f"a variable assigned in {_name}", ug.TracingError, "traced once", f"ug.{_name}")(
        partial(_assigned_in, _transform)
    )
_both("a loop whose carry changes its shape", ug.ShapeError, "while_loop", "carry", "(1, 2)")(
    lambda x: ug.while_loop(lambda c: ug.sum(c) < 9.0, lambda c: c[None], x)
)
_both("a loop whose carry changes its dtype", ug.DTypeError, "while_loop", "float32", "int64")(
    lambda x: ug.while_loop(lambda c: ug.sum(c) < 9, lambda c: ug.astype(c, "int64"), x)
)
_both("a loop whose condition is no scalar", ug.ShapeError, "condition", "(2,)")(
    lambda x: ug.while_loop(lambda c: c < 9.0, lambda c: c + 1.0, x)
)
_both("a loop whose condition is no bool", ug.DTypeError, "condition", "float32")(
    lambda x: ug.while_loop(ug.sum, lambda c: c - 1.0, x)
)
_both("a loop of negative length", ug.SettingError, "max_steps", "-1")(
    lambda x: ug.while_loop(lambda c: ug.sum(c) < 9.0, lambda c: c + 1.0, x, max_steps=-1)
)
_both("a counted loop with a bound that is no integer", ug.DTypeError, "fori_loop", "float32")(
    lambda x: ug.fori_loop(0, x[0], lambda i, c: c + 1.0, x)
)
_both("a branch by several truths", ug.ShapeError, "cond", "(2,)")(
    lambda x: ug.cond(x > 0.0, ug.sin, ug.cos, x)
)
_both("a switch by a float", ug.DTypeError, "switch", "float32")(
    lambda x: ug.switch(x[0], [ug.sin, ug.cos], x)
)
_both("a switch without branches", ug.ShapeError, "switch", "no branch")(
    lambda x: ug.switch(0, [], x)
)
_both("a switch by nothing", ug.SettingError, "switch", "branches", "NoneType")(
    lambda x: ug.switch(0, cast(Any, None), x)
)
_both("an associative scan that changes shapes", ug.ShapeError, "associative_scan", "elems")(
    lambda x: ug.associative_scan(lambda a, b: ug.sum(a), _ones(4))
)
_compiled("branches of several structures", ug.ShapeError, "cond", "true_fn", "false_fn")(
    lambda x: ug.cond(x[0] > 0.0, lambda: (x, x), lambda: x)
)
_compiled("branches of several shapes", ug.ShapeError, "result[1]", "float32[2]", "float32[]")(
    lambda x: ug.cond(x[0] > 0.0, lambda: (x, x), lambda: (x, x[0]))
)
_compiled("branches of several dtypes", ug.DTypeError, "result['a']", "float32[2]", "int64[2]")(
    lambda x: ug.cond(x[0] > 0.0, lambda: {"a": x}, lambda: {"a": ug.astype(x, "int64")})
)
_compiled("a value asked of a carry", ug.TracingError, "value")(
    lambda x: ug.scan(lambda c, row: (c + float(row), c), 0.0, x)
)
_compiled("a Python branch in a body", ug.TracingError)(
    lambda x: ug.while_loop(lambda c: ug.sum(c) < 9.0, lambda c: c + 1.0 if c[0] > 0 else c, x)
)
