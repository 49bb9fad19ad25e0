"""Composites that look at values, as one program: what it gives is looked at afterwards.

A body hands its checks to `unigrad.core.arguments.checked`. While it is traced these are noted,
and the program gives what they are to see. A body that looks in any other way does something else
for other values: it is no program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.errors import CloserLookError
from unigrad.core.interpreters import outside
from unigrad.core.native_tape import Kernel
from unigrad.core.op import Op
from unigrad.core.plans import Planned
from unigrad.core.tensor import Tensor
from unigrad.core.traces import traced_by
from unigrad_jax.pullback import as_program


class _Frame:
    """What is noted while one body is traced."""

    def __init__(self, first: Any) -> None:
        self._trace = first._trace
        #: Checks, and the arrays that they are to see.
        self.checks: list[tuple[Callable[..., None], list[Any]]] = []
        #: Whether the body would have looked at a value itself.
        self.looked = False

    def holds(self, native: Any) -> bool:
        """Tell whether an array is of this trace, and not of one inside."""
        return isinstance(native, jax.core.Tracer) and native._trace is self._trace


class _Noting(threading.local):
    frame: _Frame | None = None


noting = _Noting()


def note(check: Callable[..., None], tensors: Sequence[Tensor]) -> bool:
    """Take a check, if a body is being traced for `Looking`; tell whether."""
    frame = noting.frame
    if frame is None or not all(frame.holds(one._native) for one in tensors):
        return False
    frame.checks.append((check, [one._native for one in tensors]))
    return True


def looked(native: Any) -> None:
    """Hear that somebody would have looked at a tracer."""
    frame = noting.frame
    if frame is not None and frame.holds(native):
        frame.looked = True


class _LookedError(Exception):
    """A body looks at values itself."""


class _NotTracedError(Exception):
    """JAX runs a program's function itself, to find a NaN or because nothing is to be compiled."""


class Looking:
    """A composite with its settings, on arrays of one kind. See the module's docstring."""

    def __init__(self, op: Op | Planned, backend: Backend, settings: Mapping[str, Any]) -> None:
        self._body: Any = op.declared.body
        self._backend = backend
        self._settings = settings
        #: What the body returns, a class, if it is a program, once that was made.
        self.gives: type | None = None
        self.forget()

    def forget(self) -> None:
        """Forget the program, which has the kernels of other ops in it."""
        self._run: Kernel | None = None

    def __call__(self, *natives: Any) -> Any:
        run = self._run
        if run is None:
            if not self._backend.are_plain(natives):
                return self._run_body(natives)
            run = self.made(natives)
        return run(*natives)

    def made(self, natives: Sequence[Any]) -> Kernel:
        """Trace the body once, and return what runs from now on."""
        if self._run is None:
            program: Any = as_program(lambda *given: self._traced(*given))
            try:
                program.trace(*natives)
            except Exception:
                # What is wrong with it the body says.
                self.gives = None
                self._run = lambda *given: self._run_body(given)
            else:
                self._run = self._checked(program)
        return self._run

    def _found(self, natives: Sequence[Any]) -> Any:
        return self._body(*[wrap(self._backend, one) for one in natives], **self._settings)

    def _run_body(self, natives: Sequence[Any]) -> Any:
        found = self._found(natives)
        return found._native if type(found) is Tensor else tuple([one._native for one in found])

    def _traced(self, *natives: Any) -> tuple[Any, ...]:
        if not isinstance(natives[0], jax.core.Tracer):
            raise _NotTracedError
        before, frame = noting.frame, _Frame(natives[0])
        noting.frame = frame
        try:
            with outside(), traced_by(None), recorders.only([]):
                found = self._found(natives)
        finally:
            noting.frame = before
        if frame.looked:
            raise _LookedError
        single = type(found) is Tensor
        results = (found,) if single else found
        # What is among the results or the inputs is not given once more.
        held = [one._native for one in results]
        inputs = {id(one): i for i, one in enumerate(natives)}
        self._checks = []
        for check, seen in frame.checks:
            places = []
            for one in seen:
                place = next((i for i, other in enumerate(held) if other is one), len(held))
                if place == len(held) and (given := inputs.get(id(one))) is not None:
                    place = given - len(natives)
                elif place == len(held):
                    held.append(one)
                places.append(place)
            self._checks.append((check, places))
        self._count = None if single else len(results)
        self.gives = Tensor if single else type(found)
        return tuple(held)

    def _checked(self, program: Kernel) -> Kernel:
        """Return a function that runs the program and makes the checks, as short as it can be."""
        checks, count, array_type = self._checks, self._count, self._backend.array_type
        are_plain, asarray, run_body = self._backend.are_plain, np.asarray, self._run_body
        accelerated = len(self._backend.devices()) > 1

        def run(*natives: Any) -> Any:
            for one in natives:
                if type(one) is not array_type:
                    return run_body(natives)
            if accelerated and not are_plain(natives):
                return run_body(natives)
            try:
                found = program(*natives)
            except _NotTracedError:
                return run_body(natives)
            if not found or type(found[0]) is not array_type:
                # It is inside of a function that JAX traces, in which nobody can look.
                return run_body(natives)
            try:
                for check, places in checks:
                    if len(places) == 1 and places[0] >= 0:
                        check(asarray(found[places[0]]))
                    else:
                        held = (*found, *natives)
                        check(*[asarray(held[place]) for place in places])
            except Exception as error:
                # What is wrong the body says; if it finds nothing, the check is.
                results = run_body(natives)
                if isinstance(error, CloserLookError):
                    return results
                raise
            return found[0] if count is None else found[:count]

        return run
