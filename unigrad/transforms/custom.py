"""Derivatives given by hand: `custom_vjp`, `custom_jvp` and `custom_gradient`."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function, pair
from unigrad.core.errors import NotDifferentiableError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.functions.through import filled, pushed_through, transposed, with_residuals
from unigrad.tracing.signature import is_input
from unigrad.transforms.closing import call_as_op
from unigrad.transforms.custom_call import Call, Custom, of_shape


class custom_vjp(Custom):
    """A function whose reverse-mode derivative is given by hand.

    Args:
        function: takes pytrees of tensors and returns one.
        nondiff_argnums: positions of arguments that are no tensors, functions say; the backward
            function gets them first.

    Raises:
        NotDifferentiableError: when it is called before `defvjp`, or in forward mode.
        ShapeError: when the backward function gives something of another structure or shape, or the
            forward function another than the function.
        DTypeError: when the forward function gives another dtype than the function.
        SettingError: when the forward function returns no pair.

    Source of signature and meaning: ``jax.custom_vjp``.

    Example:
        >>> import unigrad as ug
        >>> @custom_vjp
        ... def clipped(x):
        ...     return x
        >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (ug.clip(g, -1.0, 1.0),))
        >>> float(ug.grad(lambda x: 5.0 * clipped(x))(2.0))
        1.0
    """

    _forward: Callable[..., Any] | None = None
    _backward: Callable[..., Any] | None = None

    def __init__(
        self, function: Callable[..., Any], nondiff_argnums: int | Sequence[int] = ()
    ) -> None:
        super().__init__(function, nondiff_argnums)
        #: Structures, shapes and dtypes of results, by those of arguments.
        self._known: dict[Any, tuple[Any, list[Any]]] = {}

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the derivative.

        Args:
            fwd: takes what the function takes; returns its result and anything that the backward
                function needs (a pytree).
            bwd: takes that and a cotangent of the result's structure; returns a tuple with the
                cotangent of every argument, ``None`` for zero.
        """
        check_function(f"{self._name}: fwd", fwd)
        check_function(f"{self._name}: bwd", bwd)
        self._forward, self._backward = fwd, bwd

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = self._call(args, kwargs)
        if self._forward is None or self._backward is None:
            raise NotDifferentiableError(f"{self._name}: defvjp has not been called")
        depth = min([x.backend.depth for x in call.tensors], default=0)
        watching = recorders.watchers(tuple([x.uid for x in call.tensors]), depth)
        # Who stands innermost hears of this op, the others of what its derivative is made of.
        taped = bool(watching) and not watching[-1].forward and self not in _pushing.functions
        run = self._with_residuals if taped else self._plain
        out = run(call, self._forward, self._backward)
        return tree.unflatten(call.result, out)

    def _plain(self, call: Call, forward: Any, backward: Any) -> Sequence[Tensor]:
        """Run the function; a derivative that is asked for later runs the forward function.

        Forward over reverse mode, which may come when this is the body of a loop, differentiates
        the forward function. If that calls this one again, the backward pass, which is linear in
        the cotangent, is transposed.
        """

        def function(*tensors: Tensor) -> Sequence[Tensor]:
            return call.flat(self._function(*call.args(tensors)))

        def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
            _, residuals = self._forward_of(call, forward, inputs)
            given = tree.unflatten(call.result, filled(cotangents, outputs))
            return call.of_inputs(backward(*call.fixed, residuals, given), "the cotangents")

        def transpose(tangents: Any, outputs: Any, inputs: Any) -> Any:
            def pulled(*cotangents: Tensor) -> Sequence[Tensor]:
                return filled(pullback(cotangents, outputs, inputs), inputs)

            return transposed(pulled, outputs, filled(tangents, inputs))

        def pushed(tangents: Any, outputs: Any, inputs: Any) -> Any:
            def results(*tensors: Tensor) -> Sequence[Tensor]:
                return call.flat(self._forward_of(call, forward, tensors)[0])

            with _pushing.through(self):
                return pushed_through(results, inputs, tangents)

        active = recorders.active()
        reverse_first = bool(active) and not active[-1].forward
        pushforward = transpose if self in _pushing.functions else pushed if reverse_first else None
        return call_as_op(self._name, function, pullback, pushforward, call.tensors, False)

    def _with_residuals(self, call: Call, forward: Any, backward: Any) -> Sequence[Tensor]:
        """Run the forward function, whose residuals are further results of the op."""
        kept: list[Any] = []
        count = 0

        def function(*tensors: Tensor) -> Sequence[Tensor]:
            nonlocal kept, count
            result, residuals = self._forward_of(call, forward, tensors)
            self._compare(call, tensors, result)
            flat = call.flat(result)
            leaves, structure = tree.flatten(residuals)
            count = len(flat)
            kept = [structure, [None if _is_array(x) else (x,) for x in leaves]]
            return (*flat, *[as_tensor(x) for x in leaves if _is_array(x)])

        def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
            saved = iter(outputs[count:])
            structure, leaves = kept
            residuals = tree.unflatten(
                structure, [next(saved) if one is None else one[0] for one in leaves]
            )
            given = tree.unflatten(call.result, filled(cotangents[:count], outputs))
            found = call.of_inputs(backward(*call.fixed, residuals, given), "the cotangents")
            return with_residuals(function, count, found, cotangents, outputs, inputs)

        def pushforward(tangents: Any, outputs: Any, inputs: Any) -> Any:
            with _pushing.through(self):
                return pushed_through(function, inputs, tangents)

        found = call_as_op(
            self._name, function, pullback, pushforward, call.tensors, False, lambda: count
        )
        return found[:count]

    def _compare(self, call: Call, tensors: Sequence[Tensor], result: Any) -> None:
        """Check a result of the forward function against the function's own.

        For that the function is run once for each structure, shapes and dtypes of arguments.
        """
        key = call.key()
        known = None if key is None else self._known.get(key)
        if known is None:
            known = call.structure_of(self._function(*call.args(tensors)))
            if key is not None:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = known
        call.check_like(result, "the forward function's result", *known)

    def _forward_of(self, call: Call, forward: Any, tensors: Sequence[Tensor]) -> tuple[Any, Any]:
        what = f"{self._name}: the forward function returns a result and what is to be kept"
        return pair(what, forward(*call.args(tensors)))


#: How many kinds of arguments a function remembers its results of.
_MOST_KNOWN = 256


class _Pushing(threading.local):
    """The functions whose forward functions are being differentiated forward in this thread."""

    def __init__(self) -> None:
        self.functions: tuple[Any, ...] = ()

    @contextmanager
    def through(self, function: Any) -> Iterator[None]:
        """Count one in inside the block."""
        before = self.functions
        self.functions = (*before, function)
        try:
            yield
        finally:
            self.functions = before


_pushing = _Pushing()


def _is_array(leaf: Any) -> bool:
    """Tell whether a residual is an array, not a Python number."""
    return not isinstance(leaf, (bool, int, float, complex)) and (
        isinstance(leaf, Variable) or is_input(leaf)
    )


class custom_jvp(Custom):
    """A function whose forward-mode derivative is given by hand; reverse mode transposes it.

    Args:
        function: takes pytrees of tensors and returns one.
        nondiff_argnums: positions of arguments that are no tensors; the rule gets them first.

    Raises:
        NotDifferentiableError: when it is called before `defjvp`.
        ShapeError: when the rule gives a result or tangent of another structure or shape.
        DTypeError: when the rule gives a result of another dtype.
        SettingError: when the rule returns no pair.

    Source of signature and meaning: ``jax.custom_jvp``.

    Example:
        >>> import unigrad as ug
        >>> @custom_jvp
        ... def f(x):
        ...     return ug.sin(x)
        >>> @f.defjvp
        ... def f_jvp(primals, tangents):
        ...     return f(*primals), 2.0 * tangents[0]
        >>> float(ug.grad(f)(0.5))
        2.0
    """

    _rule: Callable[..., Any] | None = None

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Give the derivative: a function of primals and tangents, each a tuple with an entry per
        argument, that returns the result and its tangent, linear in the tangents.
        """
        check_function(f"{self._name}: jvp", jvp)
        self._rule = jvp
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Give a function ``jvp(tangent, out, *primals)`` per argument; ``None`` for zero."""

        def rule(*given: Any) -> Any:
            *fixed, primals, tangents = given
            if len(jvps) != len(primals):
                raise ShapeError(
                    f"{self._name}: defjvps was given {len(jvps)} functions for {len(primals)} "
                    "arguments: one for each, None for zero"
                )
            out = self(*fixed, *primals)
            terms = [
                one(t, out, *primals)
                for one, t in zip(jvps, tangents, strict=True)
                if one is not None
            ]
            total = terms[0] if terms else tree.map(zeros_like, out)
            for term in terms[1:]:
                total = tree.map(lambda a, b: a + b, total, term)
            return out, total

        self._rule = rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = self._call(args, kwargs)
        rule = self._rule
        if rule is None:
            raise NotDifferentiableError(f"{self._name}: defjvp has not been called")

        def function(*tensors: Tensor) -> Sequence[Tensor]:
            return call.flat(self._function(*call.args(tensors)))

        def pushforward(tangents: Any, outputs: Any, inputs: Any) -> Any:
            moving = [
                zeros_like(x) if t is None else t for t, x in zip(tangents, inputs, strict=True)
            ]
            found = rule(*call.fixed, call.moving(inputs), call.moving(moving))
            what = f"{self._name}: the rule returns a result and its tangent"
            primal, tangent = pair(what, found)
            call.check(primal, "the rule's result", outputs)
            leaves, structure = tree.flatten(tangent)
            if structure != call.result:
                raise ShapeError(
                    f"{self._name}: the tangent has structure {structure}, not {call.result}"
                )
            return [
                of_shape(f"{self._name}: the tangent", as_tensor(t, out), out)
                for t, out in zip(leaves, outputs, strict=True)
            ]

        def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
            given = filled(cotangents, outputs)
            return transposed(lambda *t: pushforward(t, outputs, inputs), inputs, given)

        out = call_as_op(self._name, function, pullback, pushforward, call.tensors)
        return tree.unflatten(call.result, out)


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function's gradient by hand, in TensorFlow's form (a decorator).

    Args:
        function: takes tensors; returns a pair of its result and a function of the result's
            cotangents (one argument for each leaf), which returns the cotangent of the argument,
            or a tuple or list with one for each.

    The backward pass calls the function again, so that the gradient can be differentiated. Forward
    mode differentiates the function itself, as TensorFlow's does.

    Raises:
        ShapeError: when a cotangent's shape is not its argument's.

    Source of signature and meaning: ``tf.custom_gradient``.

    Example:
        >>> import unigrad as ug
        >>> @custom_gradient
        ... def log1pexp(x):
        ...     e = ug.exp(x)
        ...     return ug.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
        >>> float(ug.grad(log1pexp)(50.0))
        1.0
    """
    check_function("custom_gradient: function", function)
    name = getattr(function, "__name__", "function")

    @functools.wraps(function, updated=())
    def run(*args: Any) -> Any:
        call = Call(name, args, ())

        def plain(*tensors: Tensor) -> Sequence[Tensor]:
            return call.flat(_pair(name, function(*call.args(tensors)))[0])

        def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
            _, gradient = _pair(name, function(*call.args(inputs)))
            found = gradient(*filled(cotangents, outputs))
            given = tuple(found) if isinstance(found, (tuple, list)) else (found,)
            return call.of_inputs(given, "the gradients")

        def pushforward(tangents: Any, outputs: Any, inputs: Any) -> Any:
            return pushed_through(plain, inputs, tangents)

        out = call_as_op(name, plain, pullback, pushforward, call.tensors, False)
        return tree.unflatten(call.result, out)

    return run


def _pair(name: str, found: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a result and its gradient function.

    Raises:
        SettingError: when it is no such pair.
    """
    if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
        raise SettingError(f"{name}: returns a pair of a result and a function for its gradient")
    return found
