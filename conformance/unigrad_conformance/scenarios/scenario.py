"""What a scenario is, and how one runs on unigrad or on TensorFlow."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad_conformance.subject import Deviation

#: Elementary functions may differ by some units in the last place of float64.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Api:
    """What the scenarios use. All floats are float64; no operation but these and operators."""

    name: str
    GradientTape: Callable[..., Any]
    ForwardAccumulator: Callable[..., Any]
    variable: Callable[..., Any]
    constant: Callable[..., Any]
    integer: Callable[..., Any]
    exp: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    sum: Callable[[Any], Any]
    matmul: Callable[[Any, Any], Any]
    to_integer: Callable[[Any], Any]
    #: 1 where a number is positive, else 0.
    step: Callable[[Any], Any]
    #: Of two, the first where a number is positive.
    choice: Callable[[Any, Any, Any], Any]
    #: Split into one part, which is the whole.
    part: Callable[[Any], Any]
    stop_gradient: Callable[[Any], Any]
    #: A layer with nothing to do: the same value as one of its own.
    passed: Callable[[Any], Any]
    #: A function for the compiler.
    jit: Callable[[Callable[..., Any]], Callable[..., Any]]
    #: A tensor whose elements have all been assigned those of another.
    written: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Scenario:
    """A function of an `Api` and what it returns."""

    run: Callable[[Api], Any]
    expected: Any
    #: False where the expected is another on TensorFlow: a better error, say.
    as_tensorflow: bool = True

    @property
    def name(self) -> str:
        """The function's name."""
        return self.run.__name__


#: Every scenario, in order of declaration.
SCENARIOS: list[Scenario] = []


def scenario(
    expected: Any, as_tensorflow: bool = True
) -> Callable[[Callable[[Api], Any]], Callable[[Api], Any]]:
    """Declare a scenario and its expected."""

    def declare(run: Callable[[Api], Any]) -> Callable[[Api], Any]:
        SCENARIOS.append(Scenario(run, expected, as_tensorflow))
        return run

    return declare


def error_of(function: Callable[[], Any]) -> str | None:
    """Return the kind of error that a call raises: a scenario's way to tell of it."""
    try:
        function()
    except (RuntimeError, ValueError, TypeError) as error:
        kinds = (RuntimeError, ValueError, TypeError)
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    return None


def unigrad_api() -> Api:
    """Return the scenarios' names in unigrad, on the current backend."""
    import unigrad as ug

    return Api(
        name="unigrad",
        GradientTape=ug.GradientTape,
        ForwardAccumulator=ug.ForwardAccumulator,
        variable=lambda value, **rest: ug.Variable(value, dtype="float64", **rest),
        constant=lambda value: ug.asarray(value, dtype="float64"),
        integer=lambda value: ug.asarray(value, dtype="int64"),
        exp=ug.exp,
        sin=ug.sin,
        cos=ug.cos,
        sum=ug.sum,
        matmul=ug.matmul,
        to_integer=lambda x: ug.astype(x, "int64"),
        step=lambda x: ug.astype(x > 0.0, "float64"),
        choice=lambda x, a, b: ug.where(x > 0.0, a, b),
        part=lambda x: ug.split(x, 1)[0],
        stop_gradient=ug.stop_gradient,
        passed=ug.layers.Dropout(0.5),
        jit=ug.jit,
        written=_written,
    )


def _written(x: Any, y: Any) -> Any:
    x[...] = y
    return x


def tensorflow_api() -> Api:
    """Return the scenarios' names in TensorFlow."""
    import tensorflow as tf

    return Api(
        name="tensorflow",
        GradientTape=lambda persistent=False, watch_accessed_variables=True: tf.GradientTape(
            persistent, watch_accessed_variables
        ),
        ForwardAccumulator=tf.autodiff.ForwardAccumulator,
        variable=lambda value, **rest: tf.Variable(value, dtype=tf.float64, **rest),
        constant=lambda value: tf.constant(value, dtype=tf.float64),
        integer=lambda value: tf.constant(value, dtype=tf.int64),
        exp=tf.exp,
        sin=tf.sin,
        cos=tf.cos,
        sum=tf.reduce_sum,
        matmul=tf.matmul,
        to_integer=lambda x: tf.cast(x, tf.int64),
        step=lambda x: tf.cast(x > 0.0, tf.float64),
        choice=lambda x, a, b: tf.where(x > 0.0, a, b),
        part=lambda x: tf.split(x, 1)[0],
        stop_gradient=tf.stop_gradient,
        passed=tf.identity,
        jit=lambda function: function,
        # It stays computed from what it was, with a derivative of zero.
        written=lambda x, y: 0.0 * x + y,
    )


def check_scenario(one: Scenario, api: Api) -> None:
    """Run a scenario and compare it with what is expected; warnings must go with ``None``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = plain(one.run(api))
    if not same(found, one.expected):
        raise Deviation(f"{one.name}: gave {found!r}, not {one.expected!r}")
    if api.name == "unigrad":
        warned = any(str(warning.message).startswith("gradient: None") for warning in caught)
        if has_none(one.expected) and not warned:
            raise Deviation(f"{one.name}: a gradient is None and no warning says why")


def plain(result: Any) -> Any:
    """Turn tensors in a structure into Python numbers and lists."""
    if result is None or isinstance(result, (bool, int, float, str)):
        return result
    if isinstance(result, dict):
        return {name: plain(one) for name, one in result.items()}
    if isinstance(result, (list, tuple)):
        return [plain(one) for one in result]
    return np.asarray(result.numpy()).tolist()


def same(found: Any, expected: Any) -> bool:
    """Compare two structures, floats up to rounding."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[name], expected[name]) for name in expected)
        )
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(same(one, other) for one, other in zip(found, expected, strict=True))
        )
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=ROUNDING, abs_tol=ROUNDING)
    return type(found) is type(expected) and bool(found == expected)


def has_none(expected: Any) -> bool:
    """Tell whether a gradient in an expected is None."""
    if isinstance(expected, dict):
        return any(has_none(one) for one in expected.values())
    if isinstance(expected, (list, tuple)):
        return any(has_none(one) for one in expected)
    return expected is None
