"""JAX has no tape, so every op brings its pullback.

An op that is recorded runs as one compiled program that returns its result and the residuals of
``jax.vjp`` (whose function is a pytree); the backward pass feeds these to a second compiled
program. Both are compiled once per op, settings and set of differentiated inputs, and then per
shape by ``jax.jit`` itself. The forward pass is never run again. Settings that vary from call to
call (bounds, slopes, fill values: see `unigrad_jax.settings`) are inputs of the programs, as weak
scalars. Of all others the latest `PROGRAMS` combinations are kept.

When the backward pass is itself recorded, a pullback must be a function of the op's inputs as
well: then it runs as an op of (inputs…, cotangents…), and so on to any order. Which of those
inputs its result depends on is read off its jaxpr, so that the second derivative of a linear op
is unconnected rather than zero.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.native_tape import Kernel, Pullback
from unigrad.core.op import Op
from unigrad_jax.loops import vjp_through_loops
from unigrad_jax.settings import (
    OPERANDS,
    Operand,
    Settings,
    examples_of,
    key_of,
    names_of,
    operands,
    split,
)  # fmt: skip

#: XLA rounds product and sum at once or not, by what else a program computes: of these the value
#: is that of the program without residuals.
_CONTRACTED = {"quantile_at"}
#: How many programs are kept, of each op and of each kind of derivative: the latest used.
PROGRAMS = 256
DERIVATIVES = 4096

#: A result is where the inputs are, even one that does not depend on them. In a program that a
#: user traces, the ops are those of the kernel and no call of it.
_jit = as_program = partial(jax.jit, keep_unused=True, inline=True)
_Tracer = jax.core.Tracer


def eager(op: Op, backend: Backend) -> Kernel:
    """Return the op's kernel, jitted once per settings if it can be."""
    if op.name in _NOT_JITTED:
        kernel: Kernel = backend.kernels[op.name]
        return kernel
    plain = _jit(function_of(op, backend, ()))

    @lru_cache(PROGRAMS)
    def program(key: Settings) -> Any:
        return _jit(function_of(op, backend, key))

    @lru_cache(PROGRAMS)
    def reduction(axis: Any, keepdims: Any) -> Any:
        return _jit(function_of(op, backend, key_of({"axis": axis, "keepdims": keepdims})))

    def run(*natives: Any, **settings: Any) -> Any:
        return program(key_of(settings))(*natives) if settings else plain(*natives)

    def run_with_operands(*natives: Any, **settings: Any) -> Any:
        key, operands = split(op, settings)
        return program(key)(*natives, *operands)

    def reduce(x: Any, axis: Any, keepdims: Any) -> Any:
        return reduction(axis, keepdims)(x)

    def bind(*scalars: Any, **settings: Any) -> Any:
        key, operands = split(op, settings)
        found = program(key) if key else plain
        if not scalars and not operands:
            return found
        # An array that a trace closes over is an input, which JAX forgets for another dtype.
        numbers = (*scalars, *operands)
        behind, config = _Arrays(numbers), jax.config

        def run_bound(x: Any = None, *more: Any) -> Any:
            if isinstance(x, _Tracer):
                return found(x, *more, *numbers)
            arrays = behind[config.jax_enable_x64]
            return found(*arrays) if x is None else found(x, *more, *arrays)

        return run_bound

    # An op without settings needs no wrapper: jit's own call is the fastest path there is.
    if op.name in _WITHOUT_SETTINGS or _has_no_settings(op):
        return plain
    chosen = reduce if op.name in _REDUCTIONS else run
    if op.name in OPERANDS:
        chosen = run_with_operands
    BINDERS[chosen] = bind
    return chosen


class _Arrays(dict[bool, list[Any]]):
    """Arrays of numbers by JAX's 64-bit mode, which their dtypes are of."""

    def __init__(self, numbers: Sequence[Any]) -> None:
        self._numbers = numbers

    def __missing__(self, mode: bool) -> list[Any]:
        with jax.ensure_compile_time_eval():
            # Weak as the numbers are, and put on the device but once.
            arrays = self[mode] = [jnp.asarray(one) for one in self._numbers]
        return arrays


#: Of the kernels made here.
BINDERS: weakref.WeakKeyDictionary[Kernel, Callable[..., Kernel]] = weakref.WeakKeyDictionary()


def _has_no_settings(op: Op) -> bool:
    """Tell whether a composite takes tensors alone."""
    if op.body is None:
        return False
    return all(one.kind is not one.KEYWORD_ONLY for one in signature(op.body).parameters.values())


#: Elementwise ops, which never have settings, by name.
_WITHOUT_SETTINGS: set[str] = set()


#: Ops of one array whose settings are ``axis`` and ``keepdims``, by name.
_REDUCTIONS: set[str] = set()


def without_settings(*names: str) -> None:
    """Say that ops never have settings."""
    _WITHOUT_SETTINGS.update(names)


#: Ops that cannot be compiled, by name.
_NOT_JITTED: set[str] = set()


def not_jitted(*names: str) -> None:
    """Say that ops run as they are: a program has static shapes, and runs on one device."""
    _NOT_JITTED.update(names)


def reductions(*names: str) -> None:
    """Say that ops take one array, ``axis`` and ``keepdims``: a shorter key than any settings."""
    _REDUCTIONS.update(names)


def _as_by_default(kernel: Kernel) -> Kernel:
    """Return a kernel that means the same whatever a program lets ``jax.numpy`` promote."""

    def run(*natives: Any, **settings: Any) -> Any:
        with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            return kernel(*natives, **settings)

    return run


def function_of(op: Op, backend: Backend, settings: Settings) -> Callable[..., Any]:
    """Return the op as a function of native arrays, and of the operands behind them.

    A composite without a kernel of its own is its body, traced whole.
    """
    kernel = backend.kernels.get(op.name)
    chosen = {name: value for name, value, _ in settings if value is not Operand}
    varying = names_of(settings)
    if kernel is None and op.body is None:
        kernel = op.kernels.get(backend)
    if kernel is not None:
        found = kernel if op.name in _NOT_JITTED else _as_by_default(kernel)
        if not varying:
            return lambda *natives: found(*natives, **chosen)
        count = len(varying)

        def run(*natives: Any) -> Any:
            given = dict(zip(varying, natives[-count:], strict=True))
            return found(*natives[:-count], **chosen, **given)

        return run
    body = op.body
    assert body is not None

    def composed(*natives: Any) -> Any:
        inputs = natives[: len(natives) - len(varying)]
        given = {
            name: wrap(backend, jnp.asarray(value, natives[0].dtype))
            for name, value in zip(varying, natives[len(inputs) :], strict=True)
        }
        result = body(*[_handle(backend, native) for native in inputs], **chosen, **given)
        if isinstance(result, tuple):
            return tuple([one._native for one in result])
        return result._native

    return composed


def _handle(backend: Backend, native: Any) -> Any:
    return native if isinstance(native, (bool, int, float, complex)) else wrap(backend, native)


def _vjp(op: Op, function: Callable[..., Any], *inputs: Any) -> Any:
    return (vjp_through_loops if op.name in _NOT_JITTED else jax.vjp)(function, *inputs)


@lru_cache(DERIVATIVES)
def _forward(op: Op, backend: Backend, settings: Settings, mask: tuple[bool, ...]) -> Any:
    """Return the program that gives an op's result and its residuals."""
    return _jit(_with_residuals(op, backend, settings, mask))


def _with_residuals(
    op: Op, backend: Backend, settings: Settings, mask: tuple[bool, ...]
) -> Callable[..., Any]:
    function = function_of(op, backend, settings)

    def run(*natives: Any) -> Any:
        def of_tracked(*tracked: Any) -> Any:
            rest = iter(tracked)
            return function(*[next(rest) if m else x for x, m in zip(natives, mask, strict=True)])

        return _vjp(op, of_tracked, *[x for x, m in zip(natives, mask, strict=True) if m])

    return run


_apply = _jit(lambda residuals, cotangents: residuals(cotangents))


def run_with_pullback(
    op: Op,
    backend: Backend,
    natives: Sequence[Any],
    uids: Sequence[int],
    settings: Mapping[str, Any],
) -> tuple[Any, Pullback | None]:
    """Run an op and return its result with its pullback."""
    floats = backend.native_floats
    flat = () if op.rule is None else op.rule.flat
    mask = tuple(
        [
            uid != 0 and x.dtype in floats and i not in flat
            for i, (x, uid) in enumerate(zip(natives, uids, strict=True))
        ]
    )
    if True not in mask:
        return op.kernels[backend](*natives, **settings), None  # type: ignore[misc]
    key, varying = split(op, settings)
    whole = mask + (False,) * len(varying)
    for x in natives:
        if isinstance(x, _Tracer) or op.foreign or op.name in _NOT_JITTED:
            result, residuals = _with_residuals(op, backend, key, whole)(*natives, *varying)
            return result, JaxPullback(op, backend, key, varying, mask, residuals, result, True)
    result, residuals = _forward(op, backend, key, whole)(*natives, *varying)
    if op.name in _CONTRACTED:
        result = op.kernels[backend](*natives, **settings)  # type: ignore[misc]
    return result, JaxPullback(op, backend, key, varying, mask, residuals, result, False)


class JaxPullback(Pullback):
    """The pullback of one op that was run."""

    __slots__ = ("_operands", "_residuals", "_result", "_traced", "backend", "key", "mask", "of")

    def __init__(
        self,
        of: Op,
        backend: Backend,
        key: Settings,
        operands: tuple[Any, ...],
        mask: tuple[bool, ...],
        residuals: Any,
        result: Any,
        traced: bool,
    ) -> None:
        self.of = of
        self.backend = backend
        self.key = key
        self._operands = operands
        self.mask = mask
        self._residuals = residuals
        self._result = result
        #: True when it was made while a function was being traced, or cannot be compiled.
        self._traced = traced

    def __call__(self, cotangents: Sequence[Any]) -> Sequence[Any]:
        result = self._result
        fitting: Any
        if isinstance(result, (tuple, list)):
            fitting = _like(
                result, [_fit(one, out) for one, out in zip(cotangents, result, strict=True)]
            )
            first = fitting[0]
        else:
            first = fitting = cotangents[0]
        if self._traced or isinstance(first, _Tracer):
            found = iter(self._residuals(fitting))
        else:
            found = iter(_apply(self._residuals, fitting))
        return [next(found) if tracked else None for tracked in self.mask]

    def op(self, position: int) -> Callable[..., Any] | None:
        if self.of.foreign:
            return None
        op = _pullback_op(self.of, self.backend, self.key, position, len(self.mask))
        if not self._operands:
            return op
        return partial(op, **dict(zip(names_of(self.key), self._operands, strict=True)))


def _like(result: Any, cotangents: list[Any]) -> Any:
    return tuple(cotangents) if isinstance(result, tuple) else cotangents


def _fit(cotangent: Any, out: Any) -> Any:
    """Return the cotangent as jax.vjp wants it: float0 for an output that is no float."""
    if jnp.issubdtype(out.dtype, jnp.inexact):
        return cotangent
    return np.zeros(out.shape, jax.dtypes.float0)


@lru_cache(DERIVATIVES)
def _pullback_op(of: Op, backend: Backend, key: Settings, position: int, count: int) -> Op:
    """Return the op that gives the cotangent of one input from all inputs and cotangents."""
    function = function_of(of, backend, key)
    varying = names_of(key)

    def kernel(*natives: Any, **operands: Any) -> Any:
        inputs, cotangents = natives[:count], natives[count:]
        behind = [operands[name] for name in varying]

        def of_one(x: Any) -> Any:
            return function(*inputs[:position], x, *inputs[position + 1 :], *behind)

        result, pullback = _vjp(of, of_one, inputs[position])
        if not isinstance(result, (tuple, list)):
            return pullback(_fit(cotangents[0], result))[0]
        fitting = [_fit(c, out) for c, out in zip(cotangents, result, strict=True)]
        return pullback(_like(result, fitting))[0]

    op = Op(f"{of.name}_pull_{position}")
    if varying:
        operands(op.name, *varying)
    if of.by_value:
        # Its kernel looks at values, which a trace has not.
        op.by_value = True
        not_jitted(op.name)
        op.kernels[backend] = kernel
        return op
    if of.name in _NOT_JITTED:
        not_jitted(op.name)
        op.kernels[backend] = kernel
    else:
        op.kernels[backend] = _jit(kernel)
    op.dependencies = _dependencies(partial(kernel, **examples_of(key)))
    return op


def _dependencies(kernel: Callable[..., Any]) -> Callable[..., Sequence[bool]]:
    """Return a function that tells which native inputs a kernel's result depends on."""
    known: dict[Any, Sequence[bool]] = {}

    def find(*natives: Any) -> Sequence[bool]:
        key = tuple((x.shape, x.dtype) if hasattr(x, "dtype") else type(x) for x in natives)
        found = known.get(key)
        if found is None:
            if len(known) >= PROGRAMS:
                known.clear()
            found = known[key] = _used(jax.make_jaxpr(kernel)(*natives).jaxpr)
        return found

    return find


def _used(jaxpr: Any) -> list[bool]:
    """Tell which inputs of a jaxpr its outputs depend on."""
    live = {id(v) for v in jaxpr.outvars}
    for equation in reversed(jaxpr.eqns):
        if any(id(v) in live for v in equation.outvars):
            live.update(id(v) for v in equation.invars)
    return [id(v) in live for v in jaxpr.invars]
