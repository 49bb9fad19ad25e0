"""Native kernel, textbook derivative, in TensorFlow's manner.

For kernels whose own derivative in TensorFlow is missing or is not unigrad's. Where nothing may
record, the kernel runs as it is. Nests to any order, since the derivative is made of ops.

``tf.custom_gradient`` costs some 50 µs a call in eager mode; telling the tapes directly costs a
few. Inside a graph, where the cost is paid once, it is used as it is: a graph may be
differentiated from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from unigrad.autodiff.bridge import RuleSource, lent, rule_of, vjp
from unigrad.core.registry import load_backend
from unigrad_tensorflow.private import (
    could_possibly_record,
    do_not_convert,
    eager_context,
    is_on_a_tape,
    record_operation,
    stop_recording,
)
from unigrad_tensorflow.raw import BINDERS, MAKERS

Kernel = Callable[..., Any]

#: From kernels to what they run where nothing records.
UNWATCHED: dict[Kernel, Kernel] = {}
_SCALARS = (bool, int, float, complex)


def differentiable(kernel: Kernel, rule: RuleSource) -> Kernel:
    """Return a kernel whose derivative is a rule's.

    Args:
        kernel: takes tensors and Python scalars by position, settings by keyword.
        rule: gives the rule when a derivative is wanted (`unigrad.autodiff.bridge.rule_of`).
    """

    def run(*natives: Any, **settings: Any) -> Any:
        context = eager_context()
        if context is None:
            return _in_graph(run, kernel, rule, natives, settings)
        if not could_possibly_record():
            return kernel(*natives, **settings) if settings else kernel(*natives)
        # A tape's question to each input: none, first or higher order.
        wanted = [type(x) not in _SCALARS and is_on_a_tape(x) for x in natives]
        if True not in wanted:
            return kernel(*natives, **settings)
        with stop_recording():
            result = kernel(*natives, **settings)
        result = _apart(result, natives)
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]

        def backward(*cotangents: Any) -> list[Any]:
            found = _pulled(rule, natives, result, cotangents, wanted, settings)
            return [one for one, asked in zip(found, wanted, strict=True) if asked]

        tracked = [x for x, asked in zip(natives, wanted, strict=True) if asked]
        record_operation("unigrad", outputs, tracked, backward)
        return result

    UNWATCHED[run] = kernel
    make = MAKERS.get(kernel)
    if make is not None:
        return make(could_possibly_record, run)
    bind = BINDERS.get(kernel)
    if bind is not None:
        BINDERS[run] = partial(_bound, run, bind)
    return run


def _bound(run: Kernel, bind: Callable[..., Kernel], *scalars: Any, **settings: Any) -> Kernel:
    """Return a kernel that has its settings in it; where something records, ``run`` hears them."""
    quick = bind(*scalars, **settings)

    def run_bound(*natives: Any) -> Any:
        if not could_possibly_record() and eager_context() is not None:
            return quick(*natives)
        return run(*natives, *scalars, **settings)

    return run_bound


def by_rule(name: str, kernel: Kernel) -> Kernel:
    """Return an op's kernel with the textbook's derivative of that op."""
    return differentiable(kernel, rule_of(name))


def without_derivative(kernel: Kernel) -> Kernel:
    """Return a kernel of which nothing that records hears: its results are steps or places.

    Of its ops TensorFlow has derivatives that fail in forward mode.
    """

    def run(*natives: Any, **settings: Any) -> Any:
        if not could_possibly_record():
            return kernel(*natives, **settings)
        with stop_recording():
            return kernel(*natives, **settings)

    UNWATCHED[run] = kernel
    return run


def _in_graph(
    run: Kernel,
    kernel: Kernel,
    rule: RuleSource,
    natives: Sequence[Any],
    settings: Mapping[str, Any],
) -> Any:
    """Run inside a graph that is being built."""
    tensors = [x for x in natives if type(x) not in _SCALARS]

    def of_tensors(*given: Any) -> Any:
        rest = iter(given)
        inputs = [x if type(x) in _SCALARS else next(rest) for x in natives]
        wanted = [type(x) not in _SCALARS for x in natives]
        with stop_recording():
            result = _apart(kernel(*inputs, **settings), inputs)

        def backward(*cotangents: Any) -> list[Any]:
            # Run again as it was called: through ``result`` TensorFlow's own derivative leads. The
            # identities bring the inputs into the graph of the backward pass.
            here = [x if type(x) in _SCALARS else tf.identity(x) for x in inputs]
            again = run(*here, **settings)
            found = _pulled(rule, here, again, cotangents, wanted, settings)
            return [one for one, asked in zip(found, wanted, strict=True) if asked]

        return result, backward

    return tf.custom_gradient(of_tensors)(*tensors)


def _apart(result: Any, inputs: Sequence[Any]) -> Any:
    """Return several results as tensors of their own.

    A function may return an input, a value from outside, or one twice, and TensorFlow knows a value
    by its tensor: a tape that hears of one as the result of two ops ends in an error of its own.
    """
    if not isinstance(result, (tuple, list)):
        return result
    seen = {id(x) for x in inputs}
    followed = [is_on_a_tape(x) for x in result]
    apart = []
    with stop_recording():
        for x, one in zip(result, followed, strict=True):
            apart.append(tf.identity(x) if one or id(x) in seen else x)
            seen.add(id(x))
    return tuple(apart)


@do_not_convert
def _pulled(
    rule: RuleSource,
    inputs: Sequence[Any],
    result: Any,
    cotangents: Sequence[Any],
    wanted: Sequence[bool],
    settings: Mapping[str, Any],
) -> list[Any]:
    multiple = isinstance(result, (tuple, list))
    backend = load_backend("tensorflow")
    with lent(backend):
        found = vjp(
            backend, rule(), inputs, result if multiple else [result],
            # Rules carry conjugates of TensorFlow's gradients.
            [conj(one) for one in cotangents], wanted, settings, multiple=multiple,
        )  # fmt: skip
    return [conj(one) for one in found]


def conj(x: Any) -> Any:
    """Change between TensorFlow's gradient and a cotangent of the rules, if it is complex."""
    return tf.math.conj(x) if x is not None and x.dtype.is_complex else x
