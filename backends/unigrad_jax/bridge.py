"""Native kernel, textbook derivative, in JAX's manner: a ``jax.custom_jvp`` made from a rule.

For kernels whose own derivative in JAX is missing or is not unigrad's. JAX transposes the forward
rule for reverse mode; a rule that has none becomes a ``jax.custom_vjp``. Nests to any order, since
the derivative is made of ops, which JAX traces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from unigrad.autodiff.bridge import RuleSource, pull, push, rule_of
from unigrad.core.registry import load_backend

Kernel = Callable[..., Any]
_SCALARS = (bool, int, float, complex)


def differentiable(kernel: Kernel, rule: RuleSource) -> Kernel:
    """Return a kernel whose derivative is a rule's.

    Args:
        kernel: takes arrays and Python scalars by position, settings by keyword.
        rule: gives the rule when a derivative is wanted (`unigrad.autodiff.bridge.rule_of`).
    """

    def run(*natives: Any, **settings: Any) -> Any:
        scalars = {i: x for i, x in enumerate(natives) if type(x) in _SCALARS}

        def inputs_of(arrays: Sequence[Any]) -> list[Any]:
            rest = iter(arrays)
            return [scalars[i] if i in scalars else next(rest) for i in range(len(natives))]

        def plain(*arrays: Any) -> Any:
            return kernel(*inputs_of(arrays), **settings)

        make = _by_jvp if rule().jvp is not None else _by_vjp
        function = make(plain, rule, inputs_of, settings)
        return function(*[x for i, x in enumerate(natives) if i not in scalars])

    return run


def by_rule(name: str, kernel: Kernel) -> Kernel:
    """Return an op's kernel with the textbook's derivative of that op."""
    return differentiable(kernel, rule_of(name))


def _by_jvp(plain: Kernel, rule: RuleSource, inputs_of: Any, settings: Any) -> Kernel:
    function: Any = jax.custom_jvp(plain)

    def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        result = function(*primals)
        multiple = isinstance(result, (tuple, list))
        outputs = list(result) if multiple else [result]
        moving = iter([None if type(t) is SymbolicZero else t for t in tangents])
        inputs = inputs_of(_of_one_dtype(primals))
        given = [None if type(x) in _SCALARS else next(moving) for x in inputs]
        found = push(
            load_backend("jax"), rule(), inputs, outputs, given, settings, multiple=multiple
        )
        return result, type(result)(found) if multiple else found[0]

    function.defjvp(jvp, symbolic_zeros=True)
    return function


def _by_vjp(plain: Kernel, rule: RuleSource, inputs_of: Any, settings: Any) -> Kernel:
    function: Any = jax.custom_vjp(plain)

    def forward(*arrays: Any) -> Any:
        result = function(*arrays)
        return result, (arrays, result)

    def backward(saved: Any, cotangents: Any) -> Any:
        arrays, result = saved
        multiple = isinstance(result, (tuple, list))
        inputs = inputs_of(_of_one_dtype(arrays))
        found = pull(
            load_backend("jax"), rule(), inputs, result if multiple else [result],
            cotangents if multiple else [cotangents], [True] * len(inputs), settings,
            multiple=multiple,
        )  # fmt: skip
        return tuple([one for x, one in zip(inputs, found, strict=True) if type(x) not in _SCALARS])

    function.defvjp(forward, backward)
    return function


def _of_one_dtype(arrays: Sequence[Any]) -> list[Any]:
    """Give weakly typed arrays, which were Python's numbers, the dtype that they meet."""
    dtype = jnp.result_type(*arrays)
    return [
        jax.lax.convert_element_type(x, dtype) if getattr(x, "weak_type", False) else x
        for x in arrays
    ]
