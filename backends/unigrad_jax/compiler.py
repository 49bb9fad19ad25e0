"""`ug.jit` on JAX: one jaxpr, compiled by XLA."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import jax
from jax.extend import source_info_util
from jax.extend.core import jaxpr_as_fun

from unigrad.core.backend import Lift
from unigrad.core.programs import OtherContext, Program


class JaxProgram(Program):
    """A jaxpr."""

    def __init__(self, jaxpr: Any, donate: bool, context: Callable[[], Hashable]) -> None:
        self._jaxpr = jaxpr
        self._donate = donate
        self._function = jaxpr_as_fun(jaxpr)
        self._inputs = len(jaxpr.in_avals) - 1
        self._context = context
        self._direct: Any = None

    def show(self) -> str:
        examples = [jax.ShapeDtypeStruct(one.shape, one.dtype) for one in self._jaxpr.in_avals]
        function = self._function
        lowered = jax.jit(function).lower(*examples)
        return f"{self._jaxpr}\n\n{lowered.as_text()}"

    def donating(self, places: Sequence[int]) -> Callable[..., Sequence[Any]] | None:
        # Where a run may fail half-way, what it was given must still be there.
        if not self._donate or jax.config.jax_debug_nans or "callback" in str(self._jaxpr):
            return None
        return self.compile(places)

    def direct(self, natives: Sequence[Any]) -> Callable[..., Sequence[Any]] | None:
        # JAX compares its settings at each call, and runs the function again where they are new.
        return self._direct if _alike(natives) else None

    def compile(self, donated: Sequence[int] = ()) -> Callable[..., Sequence[Any]]:
        function, context = self._function, self._context
        before = context()

        def plain(*natives: Any) -> Sequence[Any]:
            found: Sequence[Any] = function(_ANY, *natives)
            return found

        def checked(*natives: Any) -> Sequence[Any]:
            if context() != before:
                raise OtherContext
            return plain(*natives)

        compiled = jax.jit(checked, donate_argnums=(*donated,))
        elsewhere = jax.jit(plain, donate_argnums=(*donated,))
        known: dict[int, tuple[Any, Any]] = {}
        if not donated:
            self._direct = compiled

        def run(*natives: Any) -> Sequence[Any]:
            if not _alike(natives):
                natives = _all_committed(natives, known)
            found: Sequence[Any]
            try:
                found = compiled(*natives)
            except OtherContext:
                found = elsewhere(*natives)
            return found

        return run


def _alike(natives: Sequence[Any]) -> bool:
    """Tell whether all arrays are committed to a device, or none is."""
    try:
        return len({*map(_committed, natives)}) < 2
    except jax.errors.ConcretizationTypeError:
        return True  # Inside of a function that JAX itself traces nothing is committed.


def _all_committed(natives: Sequence[Any], known: dict[int, tuple[Any, Any]]) -> tuple[Any, ...]:
    """Commit to the device of those that are committed the inputs that are not.

    The outputs, new values of the inputs among them, come out committed if any input is, and JAX
    compiles a program again when other inputs are: a training step's second call would be.

    Args:
        natives: the inputs.
        known: what this did with numbers, by position: an optimizer's rates are the same at each
            step, and JAX takes a quarter of a millisecond to move one.
    """
    place = next(one.sharding for one in natives if one.committed)
    if len(place.device_set) > 1:
        return tuple(natives)  # How the others are to be spread out JAX decides.
    found = list(natives)
    for i, one in enumerate(natives):
        if one.committed:
            continue
        given, moved = known.get(i, (None, None))
        if given is not one or moved.is_deleted() or moved.sharding != place:
            moved = jax.device_put(one, place)
            if not one.ndim:
                known[i] = one, moved
        found[i] = moved
    return tuple(found)


_committed = operator.attrgetter("committed")
#: The example of an input that is there for its tracer, which knows the trace.
_ANY = False


def trace(
    function: Callable[..., Sequence[Any]],
    examples: Sequence[Any],
    options: Mapping[str, Any],
    context: Callable[[], Hashable],
) -> Program:
    """Trace a function of arrays to a jaxpr, once, in what a backend's ``context`` is now.

    Option ``donate``: let XLA write the new values of variables into the memory of the old ones
    when no Tensor holds these (default False: arrays may share memory unseen, see the page on jit).
    """

    def run(first: Any, *natives: Any) -> Sequence[Any]:
        return function(_lift_into(first), *natives)

    donate = bool(options.get("donate", False))
    return JaxProgram(jax.make_jaxpr(run)(_ANY, *examples), donate, context)


def _lift_into(tracer: Any) -> Lift:
    """Return a function that gives a tracer's trace one more input.

    JAX has no public way: `tests/test_jit_inputs.py` holds this one.
    """
    innermost = tracer._trace

    def lift(native: Any) -> Any:
        return innermost.new_arg(jax.typeof(native), source_info_util.current())

    return lift
