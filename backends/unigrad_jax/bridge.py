"""Native kernel, textbook derivative, in JAX's manner: a ``jax.custom_jvp`` made from a rule.

For kernels whose own derivative in JAX is missing or is not unigrad's. JAX transposes the forward
rule for reverse mode; a rule that has none becomes a ``jax.custom_vjp``. Nests to any order, since
the derivative is made of ops, which JAX traces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from unigrad.autodiff.bridge import RuleSource, jvp, rule_of, vjp
from unigrad.core.dispatch import wrap
from unigrad.core.registry import load_backend
from unigrad.core.weak import weak

Kernel = Callable[..., Any]
_SCALARS = (bool, int, float, complex)
#: A kernel's inputs and settings.
Taken: TypeAlias = tuple[list[Any], dict[str, Any]]


def differentiable(kernel: Kernel, rule: RuleSource) -> Kernel:
    """Return a kernel whose derivative is a rule's.

    Args:
        kernel: takes arrays and Python scalars by position, settings by keyword.
        rule: gives the rule when a derivative is wanted (`unigrad.autodiff.bridge.rule_of`).
    """

    def run(*natives: Any, **settings: Any) -> Any:
        scalars = {i: x for i, x in enumerate(natives) if type(x) in _SCALARS}
        # Settings that are inputs of programs: JAX wants to be given what is of a trace.
        varying = {name: one for name, one in settings.items() if isinstance(one, jax.Array)}
        # JAX keeps the functions with what it has traced: these hold no array and no tracer.
        count, names = len(natives), tuple(varying)
        fixed = {name: one for name, one in settings.items() if name not in varying}

        def taken(arrays: Sequence[Any]) -> Taken:
            rest = iter(arrays)
            inputs = [scalars[i] if i in scalars else next(rest) for i in range(count)]
            return inputs, fixed | dict(zip(names, map(_number, rest), strict=True))

        def plain(*arrays: Any) -> Any:
            inputs, given = taken(arrays)
            return kernel(*inputs, **given)

        # A transposed forward rule is no backward rule of its own.
        make = _by_jvp if rule().jvp is not None and rule().transposed else _by_vjp
        function = make(plain, rule, taken)
        tensors = [x for i, x in enumerate(natives) if i not in scalars]
        return function(*tensors, *varying.values())

    return run


def _number(array: Any) -> Any:
    """Return a setting as bodies and rules take it: as weak as the Python number that it was."""
    return weak(wrap(load_backend("jax"), array), float)


def by_rule(name: str, kernel: Kernel) -> Kernel:
    """Return an op's kernel with the textbook's derivative of that op."""
    return differentiable(kernel, rule_of(name))


def _by_jvp(plain: Kernel, rule: RuleSource, taken: Callable[..., Taken]) -> Kernel:
    function: Any = jax.custom_jvp(plain)

    def of_natives(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        result = function(*primals)
        multiple = isinstance(result, (tuple, list))
        outputs = list(result) if multiple else [result]
        moving = iter([None if type(t) is SymbolicZero else t for t in tangents])
        inputs, settings = taken(primals)
        inputs = _of_one_dtype(inputs)
        given = [None if type(x) in _SCALARS else next(moving) for x in inputs]
        found = jvp(
            load_backend("jax"), rule(), inputs, outputs, given, settings, multiple=multiple
        )
        found = [_fitting(one, out) for one, out in zip(found, outputs, strict=True)]
        return result, type(result)(found) if multiple else found[0]

    function.defjvp(of_natives, symbolic_zeros=True)
    return function


def _fitting(tangent: Any, out: Any) -> Any:
    """Return the tangent as JAX wants it: float0 for a result that is no float."""
    if jnp.issubdtype(out.dtype, jnp.inexact):
        return tangent
    return np.zeros(out.shape, jax.dtypes.float0)


def _by_vjp(plain: Kernel, rule: RuleSource, taken: Callable[..., Taken]) -> Kernel:
    function: Any = jax.custom_vjp(plain)

    def forward(*arrays: Any) -> Any:
        result = function(*arrays)
        return result, (arrays, result)

    def backward(saved: Any, cotangents: Any) -> Any:
        arrays, result = saved
        multiple = isinstance(result, (tuple, list))
        inputs, settings = taken(arrays)
        inputs = _of_one_dtype(inputs)
        found = vjp(
            load_backend("jax"), rule(), inputs, result if multiple else [result],
            cotangents if multiple else [cotangents], [True] * len(inputs), settings,
            multiple=multiple,
        )  # fmt: skip
        tensors = [one for x, one in zip(inputs, found, strict=True) if type(x) not in _SCALARS]
        return (*tensors, *[None] * (len(arrays) - len(tensors)))

    function.defvjp(forward, backward)
    return function


def _of_one_dtype(arrays: Sequence[Any]) -> list[Any]:
    """Give weakly typed arrays, which were Python's numbers, the dtype that they meet."""
    dtype = jnp.result_type(*[x for x in arrays if type(x) not in _SCALARS])
    return [
        jax.lax.convert_element_type(x, dtype) if getattr(x, "weak_type", False) else x
        for x in arrays
    ]
