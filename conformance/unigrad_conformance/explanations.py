"""What is no error but comes with an explanation: gradients of None, and causes of errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import unigrad as ug
from unigrad_conformance.subject import Deviation


def warns_of_an_unwatched_source() -> None:
    """A gradient of None says why."""
    x, z = ug.asarray([1.0, 1.0]), ug.asarray([1.0, 1.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x * z
    _require_warning(lambda: tape.gradient(y, z), "neither watched")


def warns_of_an_unconnected_source() -> None:
    """A watched source that the target does not use says so."""
    x, z = ug.asarray([1.0, 1.0]), ug.asarray([1.0, 1.0])
    with ug.GradientTape() as tape:
        tape.watch([x, z])
        y = x * x
    _require_warning(lambda: tape.gradient(y, z), "does not depend")


def warns_of_an_unrecorded_target() -> None:
    """A target computed outside of the tape says so."""
    x = ug.asarray([1.0, 1.0])
    y = x * x
    with ug.GradientTape() as tape:
        tape.watch(x)
    _require_warning(lambda: tape.gradient(y, x), "not computed")


def warns_of_an_integer_source() -> None:
    """An integer source says its dtype."""
    n = ug.asarray([1, 2])
    with ug.GradientTape() as tape:
        y = n * 2
    _require_warning(lambda: tape.gradient(y, n), "int64")


def warns_of_a_watched_integer() -> None:
    """Watching an integer says that it is not watched."""
    n = ug.asarray([1, 2])
    with ug.GradientTape() as tape:
        _require_warning(lambda: tape.watch(n), "int64", result=False)


def nan_is_data() -> None:
    """NaN in data goes through an op and its gradient without error."""
    x = ug.asarray([float("nan"), 1.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sum(x * x)
    gradient = tape.gradient(y, x)
    if str(gradient.tolist()) != "[nan, 2.0]" or str(y.item()) != "nan":
        raise Deviation(f"NaN did not go through: value {y.item()}, gradient {gradient.tolist()}")


def native_error_is_the_cause() -> None:
    """What the library said is the error's cause."""
    try:
        ug.add(ug.asarray([[1.0] * 3] * 2), ug.asarray([1.0] * 4))
    except ug.ShapeError as error:
        if error.__cause__ is None:
            raise Deviation("the error has no cause") from error


def _require_warning(call: Callable[[], Any], words: str, result: bool = True) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call()
    if result and found is not None:
        raise Deviation(f"the gradient is {found!r}, not None")
    texts = [str(one.message) for one in caught if one.category is ug.GradientWarning]
    if not any(words in text for text in texts):
        raise Deviation(f"no GradientWarning has {words!r}: {texts}")


EXPLANATIONS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        warns_of_an_unwatched_source,
        warns_of_an_unconnected_source,
        warns_of_an_unrecorded_target,
        warns_of_an_integer_source,
        warns_of_a_watched_integer,
        nan_is_data,
        native_error_is_the_cause,
    )
}
