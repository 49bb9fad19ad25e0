"""`ug.jit` on JAX: one jaxpr, compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from jax.extend.core import jaxpr_as_fun

from unigrad.core.backend import Program


class JaxProgram(Program):
    """A jaxpr of all possible inputs."""

    def __init__(self, jaxpr: Any, examples: Sequence[Any]) -> None:
        self._function = jaxpr_as_fun(jaxpr)
        self._count = len(examples)

    def compile(self, used: Sequence[int]) -> Callable[..., Sequence[Any]]:
        positions = list(used)
        function, count = self._function, self._count

        def run(*natives: Any) -> Any:
            # Inputs that nothing depends on are dropped by XLA; any value will do for them.
            full: list[Any] = [None] * count
            for position, native in zip(positions, natives, strict=True):
                full[position] = native
            return function(*full)

        compiled: Callable[..., Sequence[Any]] = jax.jit(run)
        return compiled


def trace(
    function: Callable[..., Sequence[Any]], examples: Sequence[Any], options: Mapping[str, Any]
) -> Program:
    """Trace a function of arrays to a jaxpr, once."""
    return JaxProgram(jax.make_jaxpr(function)(*examples), examples)
