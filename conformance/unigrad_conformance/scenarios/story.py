"""What a scenario is, and how one is told on unigrad or on TensorFlow."""

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
    variable: Callable[..., Any]
    constant: Callable[..., Any]
    integer: Callable[..., Any]
    exp: Callable[[Any], Any]
    sin: Callable[[Any], Any]
    cos: Callable[[Any], Any]
    sum: Callable[[Any], Any]
    matmul: Callable[[Any, Any], Any]
    to_integer: Callable[[Any], Any]
    stop_gradient: Callable[[Any], Any]


@dataclass(frozen=True)
class Scenario:
    """A function of an `Api` and what it returns."""

    tell: Callable[[Api], Any]
    ending: Any
    #: False where the ending has another shape on TensorFlow: a better error, say.
    as_tensorflow: bool = True

    @property
    def name(self) -> str:
        """The function's name."""
        return self.tell.__name__


#: Every scenario, in order of declaration.
SCENARIOS: list[Scenario] = []


def scenario(
    ending: Any, as_tensorflow: bool = True
) -> Callable[[Callable[[Api], Any]], Callable[[Api], Any]]:
    """Declare a scenario and its ending."""

    def declare(tell: Callable[[Api], Any]) -> Callable[[Api], Any]:
        SCENARIOS.append(Scenario(tell, ending, as_tensorflow))
        return tell

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
        variable=lambda value, **rest: ug.Variable(value, dtype="float64", **rest),
        constant=lambda value: ug.asarray(value, dtype="float64"),
        integer=lambda value: ug.asarray(value, dtype="int64"),
        exp=ug.exp,
        sin=ug.sin,
        cos=ug.cos,
        sum=ug.sum,
        matmul=ug.matmul,
        to_integer=lambda x: ug.astype(x, "int64"),
        stop_gradient=ug.stop_gradient,
    )


def tensorflow_api() -> Api:
    """Return the scenarios' names in TensorFlow."""
    import tensorflow as tf

    return Api(
        name="tensorflow",
        GradientTape=lambda persistent=False, watch_accessed_variables=True: tf.GradientTape(
            persistent, watch_accessed_variables
        ),
        variable=lambda value, **rest: tf.Variable(value, dtype=tf.float64, **rest),
        constant=lambda value: tf.constant(value, dtype=tf.float64),
        integer=lambda value: tf.constant(value, dtype=tf.int64),
        exp=tf.exp,
        sin=tf.sin,
        cos=tf.cos,
        sum=tf.reduce_sum,
        matmul=tf.matmul,
        to_integer=lambda x: tf.cast(x, tf.int64),
        stop_gradient=tf.stop_gradient,
    )


def check_scenario(one: Scenario, api: Api) -> None:
    """Tell a scenario and compare its ending; warnings must go with ``None``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = plain(one.tell(api))
    if not same(found, one.ending):
        raise Deviation(f"{one.name}: ended with {found!r}, not {one.ending!r}")
    if api.name == "unigrad":
        warned = any(str(warning.message).startswith("gradient: None") for warning in caught)
        if has_none(one.ending) and not warned:
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


def same(found: Any, ending: Any) -> bool:
    """Compare two structures, floats up to rounding."""
    if isinstance(ending, dict):
        return (
            isinstance(found, dict)
            and found.keys() == ending.keys()
            and all(same(found[name], ending[name]) for name in ending)
        )
    if isinstance(ending, (list, tuple)):
        return (
            isinstance(found, list)
            and len(found) == len(ending)
            and all(same(one, other) for one, other in zip(found, ending, strict=True))
        )
    if isinstance(ending, float) and isinstance(found, float):
        return math.isclose(found, ending, rel_tol=ROUNDING, abs_tol=ROUNDING)
    return type(found) is type(ending) and bool(found == ending)


def has_none(ending: Any) -> bool:
    """Tell whether a gradient in an ending is None."""
    if isinstance(ending, dict):
        return any(has_none(one) for one in ending.values())
    if isinstance(ending, (list, tuple)):
        return any(has_none(one) for one in ending)
    return ending is None
