"""Bad calls of transforms: what is no pair, no sequence of arguments, no cotangent, no position."""

from __future__ import annotations

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
