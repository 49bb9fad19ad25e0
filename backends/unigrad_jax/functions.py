"""JAX's own derivatives of a function of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_Function = Callable[..., Sequence[Any]]


def vjp(
    function: _Function, primals: Sequence[Any]
) -> tuple[Sequence[Any], Callable[[Sequence[Any]], list[Any]]]:
    """Run a function; return its results and their pullback. See `Backend.vjp`."""
    inexact = [i for i, x in enumerate(primals) if _is_inexact(x)]
    run = _of_some(function, primals, inexact)
    results, of_natives = jax.vjp(run, *[primals[i] for i in inexact])

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        given = [_fit(one, result) for one, result in zip(cotangents, results, strict=True)]
        found: list[Any] = [None] * len(primals)
        for i, one in zip(inexact, of_natives(tuple(given)), strict=True):
            found[i] = one
        return found

    return results, pullback


def jvp(
    function: _Function, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Sequence[Any], list[Any]]:
    """Run a function; return its results and their tangents. See `Backend.jvp`."""
    moving = [i for i, one in enumerate(tangents) if one is not None]
    run = _of_some(function, primals, moving)
    results, found = jax.jvp(run, [primals[i] for i in moving], [tangents[i] for i in moving])
    return results, [one if _is_inexact(x) else None for x, one in zip(results, found, strict=True)]


def _of_some(
    function: _Function, primals: Sequence[Any], positions: Sequence[int]
) -> Callable[..., tuple[Any, ...]]:
    """Return a function of the inputs at some positions; the others stay as they are."""

    def run(*some: Any) -> tuple[Any, ...]:
        inputs = [*primals]
        for i, x in zip(positions, some, strict=True):
            inputs[i] = x
        return tuple(function(*inputs))

    return run


def _is_inexact(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.inexact))


def _fit(cotangent: Any, result: Any) -> Any:
    """Return the cotangent as ``jax.vjp`` wants it: float0 for a result that is no float."""
    if not _is_inexact(result):
        return np.zeros(result.shape, jax.dtypes.float0)
    return jnp.zeros_like(result) if cotangent is None else cotangent
