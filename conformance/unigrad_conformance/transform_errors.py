"""Bad calls of transforms: what is no pair, no sequence of arguments, no cotangent, no position."""

from __future__ import annotations

from functools import partial
from typing import Any

import unigrad as ug
from unigrad_conformance.errors import bad


def _x() -> ug.Tensor:
    return ug.ones(2)


def _by_rules(forward: Any, backward: Any) -> Any:
    f = ug.custom_vjp(ug.sum)
    f.defvjp(forward, backward)
    return ug.grad(f)(_x())


def _pushed(rule: Any) -> Any:
    f = ug.custom_jvp(ug.square)
    f.defjvp(rule)
    return ug.jvp(f, (_x(),), (_x(),))


def _fixed_elsewhere() -> Any:
    f = ug.custom_vjp(ug.sum, nondiff_argnums=(3,))
    f.defvjp(lambda x: (ug.sum(x), x), lambda x, g: (g * x,))
    return f(_x())


def _too_few_rules() -> Any:
    f = ug.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: t * y)
    return ug.jvp(f, (_x(), _x()), (_x(), _x()))


# An array of length 2 is no pair.
bad("has_aux without a pair", ug.SettingError, "grad", "has_aux", "Tensor")(
    lambda: ug.grad(lambda x: x * 2.0, has_aux=True)(_x())
)
bad("a forward function that returns no pair", ug.SettingError, "forward function", "Tensor")(
    lambda: _by_rules(lambda x: x * 2.0, lambda kept, g: (g * _x(),))
)
bad("a forward function that returns three", ug.SettingError, "forward function", "3")(
    lambda: _by_rules(lambda x: (ug.sum(x), x, x), lambda kept, g: (g * kept,))
)
bad("a forward rule that returns no pair", ug.SettingError, "rule", "tangent", "Tensor")(
    lambda: _pushed(lambda primals, tangents: tangents[0])
)
bad("a forward rule that returns nothing", ug.SettingError, "rule", "tangent", "NoneType")(
    lambda: _pushed(lambda primals, tangents: None)
)
bad("a rule for one argument of two", ug.ShapeError, "defjvps", "1", "2")(_too_few_rules)
bad("an argument to leave out that is not there", ug.SettingError, "nondiff_argnums 3", "1")(
    _fixed_elsewhere
)
bad("primals that are one array", ug.SettingError, "jvp", "primals", "Tensor")(
    lambda: ug.jvp(lambda x, y: x * y, _x(), (1.0, 1.0))  # type: ignore[arg-type]
)
bad("tangents that are one array", ug.SettingError, "jvp", "tangents", "Tensor")(
    lambda: ug.jvp(lambda x, y: x * y, (1.0, 1.0), _x())  # type: ignore[arg-type]
)
bad("a vector that is one array", ug.SettingError, "hvp", "tangents", "Tensor")(
    lambda: ug.hvp(lambda x, y: x * y, (1.0, 1.0), _x())  # type: ignore[arg-type]
)
# To a tape it would be ones, to a rule by hand zeros.
bad("a cotangent that is None", ug.ShapeError, "vjp", "None", "zeros")(
    lambda: ug.vjp(lambda x: (x, x * 2.0), _x())[1]((None, _x()))
)
_TREE: Any = {"a": 1.0, "b": [1.0]}
_FEWER: Any = {"a": 1.0}


def _other() -> Any:
    return {"a": 1.0, "b": [_x()]}


def _kept(p: Any) -> Any:
    return ug.tree.map(lambda x: x * 2.0, p)


bad("a cotangent of another shape", ug.ShapeError, "vjp", "cotangent['b'][0]", "(2,)", "()")(
    lambda: ug.vjp(_kept, _TREE)[1](_other())
)
bad("cotangents of another structure", ug.ShapeError, "vjp", "cotangent", "structure")(
    lambda: ug.vjp(_kept, _TREE)[1](_FEWER)
)
bad("a tangent of another shape", ug.ShapeError, "tangents[0]['b'][0]", "(2,)", "()")(
    lambda: ug.jvp(_kept, (_TREE,), (_other(),))
)
bad("tangents of another structure", ug.ShapeError, "tangents", "structure", "'b'")(
    lambda: ug.jvp(_kept, (_TREE,), (_FEWER,))
)
bad("a tangent of another shape, linearized", ug.ShapeError, "tangents[0]['b'][0]", "(2,)")(
    lambda: ug.linearize(_kept, _TREE)[1](_other())
)
bad("a cotangent by hand of another shape", ug.ShapeError, "argument 0", "(1,)", "(2,)")(
    lambda: _by_rules(lambda x: (ug.sum(x), x), lambda kept, g: (kept[:1],))
)
bad("a cotangent by hand that is no number", ug.DTypeError, "argument 0", "str")(
    lambda: _by_rules(lambda x: (ug.sum(x), x), lambda kept, g: ("x",))
)
bad("a function that returns nothing to differentiate", ug.DTypeError, "grad", "result", "None")(
    lambda: ug.grad(lambda x: None)(_x())
)
bad("a position that is no integer", ug.SettingError, "grad", "argnums", "0.5")(
    lambda: ug.grad(ug.sum, argnums=0.5)(_x())  # type: ignore[arg-type]
)
bad("a position of a Jacobian that is no integer", ug.SettingError, "jacobian", "'x'")(
    lambda: ug.jacobian(ug.square, argnums="x")(_x())  # type: ignore[arg-type]
)
bad("has_aux of a pullback without a pair", ug.SettingError, "vjp", "has_aux", "Tensor")(
    lambda: ug.vjp(lambda x: x, _x(), has_aux=True)
)
bad("has_aux of a tangent without a pair", ug.SettingError, "jvp", "has_aux", "Tensor")(
    lambda: ug.jvp(lambda x: x, (_x(),), (_x(),), has_aux=True)
)
_NUMBER: Any = 3
bad("what cannot be compiled", ug.SettingError, "jit", "function", "3")(lambda: ug.jit(*[_NUMBER]))
bad("a static argument that is not there", ug.SettingError, "static_argnums", "3", "1")(
    lambda: ug.jit(lambda x: x, static_argnums=3)
)
bad("a static name that is not there", ug.SettingError, "static_argnames", "'y'", "x")(
    lambda: ug.jit(lambda x: x, static_argnames="y")
)
bad("has_aux of a Jacobian without a pair", ug.SettingError, "jacobian", "has_aux", "Tensor")(
    lambda: ug.jacobian(lambda x: x, has_aux=True)(_x())
)


def _given_a_tensor(call: Any) -> Any:
    return call(_x())


_OF_A_FUNCTION: dict[str, Any] = {
    "grad: f": ug.grad,
    "value_and_grad: f": ug.value_and_grad,
    "vjp: f": lambda f: ug.vjp(f, _x()),
    "jvp: f": lambda f: ug.jvp(f, (_x(),), (_x(),)),
    "linearize: f": lambda f: ug.linearize(f, _x()),
    "jacobian: f": ug.jacobian,
    "hessian: f": ug.hessian,
    "hvp: f": lambda f: ug.hvp(f, (_x(),), (_x(),)),
    "vmap: function": ug.vmap,
    "vectorize: f": ug.vectorize,
    "checkpoint: function": ug.checkpoint,
    "custom_vjp: function": ug.custom_vjp,
    "custom_jvp: function": ug.custom_jvp,
    "custom_gradient: function": ug.custom_gradient,
    "implicit_diff: solver": lambda f: ug.implicit_diff(f, ug.square),
    "sum: bwd": lambda f: ug.custom_vjp(ug.sum).defvjp(ug.sum, f),
    "sum: jvp": lambda f: ug.custom_jvp(ug.sum).defjvp(f),
    "jit: function": lambda f: ug.jit(f),
    "capture: function": ug.graph.capture,
    "interop: function": ug.interop,
    "native_call: function": lambda f: ug.native_call(f, _x()),
    "scan: f": lambda f: ug.scan(f, _x(), _x()),
    "map: f": lambda f: ug.map(f, _x()),
    "while_loop: body_fn": lambda f: ug.while_loop(ug.all, f, _x()),
    "fori_loop: body_fn": lambda f: ug.fori_loop(0, 0, f, _x()),
    "cond: false_fn": lambda f: ug.cond(True, ug.sin, f, _x()),
    "switch: branches[1]": lambda f: ug.switch(0, [ug.sin, f], _x()),
    "associative_scan: fn": lambda f: ug.associative_scan(f, _x()),
}
for _argument, _call in _OF_A_FUNCTION.items():
    bad(f"no function: {_argument}", ug.SettingError, _argument, "callable", "Tensor")(
        partial(_given_a_tensor, _call)
    )


class _Own(ValueError):
    """An error of the program's."""


def _raises(*_: Any) -> Any:
    raise _Own("my own message")


def _backward() -> Any:
    return _by_rules(lambda x: (ug.sum(x), x), _raises)


def _of_custom(make: Any) -> Any:
    f = make(_raises)
    for rule in ("defvjp", "defjvp"):
        if hasattr(f, rule):
            getattr(f, rule)(*[_raises] * (2 if rule == "defvjp" else 1))
    return f(_x())


# What a function of the program's own raises is left as it is.
bad("an error in a function with a backward function", _Own, "my own message")(
    lambda: _of_custom(ug.custom_vjp)
)
bad("an error in a backward function", _Own, "my own message")(_backward)
bad("an error in a function with a forward rule", _Own, "my own message")(
    lambda: _of_custom(ug.custom_jvp)
)
bad("an error in a function with a gradient", _Own, "my own message")(
    lambda: _of_custom(ug.custom_gradient)
)
bad("an error in a solver", _Own, "my own message")(
    lambda: _of_custom(lambda f: ug.implicit_diff(f, lambda x, a: x - a))
)


def _of_a_value(use: Any) -> Any:
    """Call a function with a traced integer where a number of Python's has to be."""
    return ug.jit(use)(ug.asarray(1))


# Shapes and axes are numbers while a function is traced: a value is asked for.
for _name, _use in {
    "a shape": lambda n: ug.zeros(n),
    "a new shape": lambda n: ug.reshape(_x(), (n, 2)),
    "the end of a slice": lambda n: _x()[:n],
    "an axis": lambda n: ug.sum(_x(), axis=n),
    "the length of a draw": lambda n: ug.random.normal(ug.random.key(0), (n,)),
    "a number of classes": lambda n: ug.nn.one_hot(ug.asarray([0]), n),
    "a position of an argument": lambda n: ug.grad(ug.sum, argnums=n)(_x()),
}.items():
    bad(f"a traced value as {_name}", ug.TracingError, "int64[]", "traced")(
        partial(_of_a_value, _use)
    )

bad("a number of examples that is another", ug.ShapeError, "vmap", "has 2", "axis_size is 3")(
    lambda: ug.vmap(ug.sin, axis_size=3)(_x())
)
bad("a number of examples that is none", ug.SettingError, "vmap", "axis_size", "-1")(
    lambda: ug.vmap(ug.sin, axis_size=-1)
)
bad("a batch of no elements", ug.SettingError, "map", "batch_size", "0")(
    lambda: ug.map(ug.sin, _x(), batch_size=0)
)
