"""Equal arguments of other meaning: the suite's checks, and faults that they must catch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.ops import filling, indexing, joining, keys, reductions, shaping
from unigrad_conformance.lookalikes import LOOKALIKES
from unigrad_conformance.subject import Deviation

Patch = pytest.MonkeyPatch


def _zeros_without_a_sign(patch: Patch) -> None:
    backend = load_backend("numpy")
    patch.setitem(
        OPS["full"].kernels, backend, lambda shape, value, dtype: np.full(shape, value + 0, dtype)
    )


def _one_plan_for_both_zeros(patch: Patch) -> None:
    plans: dict[Any, Any] = {}
    honest = filling._plan_filling

    def plan(name: str, lengths: Any, value: Any, dtype: Any) -> Any:
        key = (lengths, value, dtype)
        return plans.setdefault(key, honest(name, lengths, value, dtype))

    patch.setattr(filling, "_plan_filling", plan)


def _any_axis(patch: Patch) -> None:
    for module in (shaping, joining):
        patch.setattr(module, "plain_axis", lambda name, axis: axis)


def _any_length(patch: Patch) -> None:
    patch.setattr(shaping, "plain_ints", tuple)


def _any_key(patch: Patch) -> None:
    def plain(key: Any) -> Any:
        entries = key if type(key) is tuple else (key,)
        return tuple(
            (one.start, one.stop, one.step) if type(one) is slice else one for one in entries
        )

    patch.setattr(indexing, "plain_key", plain)


def _any_axis_of_a_sum(patch: Patch) -> None:
    honest = reductions.normalize_axes
    patch.setattr(
        reductions,
        "normalize_axes",
        lambda name, axis, ndim: honest(name, int(axis) if axis is True else axis, ndim),
    )


FAULTS: dict[str, tuple[str, Callable[[Patch], None]]] = {
    "a kernel loses the sign of zero": ("zeros_of_both_signs", _zeros_without_a_sign),
    "one plan for 0.0 and -0.0": ("zeros_of_both_signs", _one_plan_for_both_zeros),
    "one plan for 1, 1.0 and True": ("dtypes_of_equal_numbers", _one_plan_for_both_zeros),
    "any axis": ("numbers_that_are_no_integers", _any_axis),
    "any length": ("numbers_that_are_no_integers", _any_length),
    "any key": ("numbers_that_are_no_integers", _any_key),
    "any axis of a sum": ("numbers_that_are_no_integers", _any_axis_of_a_sum),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_as_the_suite_checks(backend: str, name: str) -> None:
    LOOKALIKES[name]()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(monkeypatch: Patch, name: str) -> None:
    check, plant = FAULTS[name]
    for module in (filling, joining, indexing):
        for plans in (one for one in vars(module).values() if type(one).__name__ == "Plans"):
            plans.clear()
    with ug.use_backend("numpy"):
        plant(monkeypatch)
        with pytest.raises(Deviation):
            LOOKALIKES[check]()
    assert keys.plain_key(True) is None
