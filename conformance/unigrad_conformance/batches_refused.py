"""What `ug.vmap` refuses, with one class of error on every backend.

Each check is a function that raises `Deviation`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.batches import numbers, refused
from unigrad_conformance.subject import Deviation


def axes_that_do_not_fit() -> None:
    """Lengths that differ, no axis at all, axes that are not there: which argument, and why."""
    x, y = numbers(3, 2), numbers(4, 2)
    f = ug.vmap(lambda *given, **named: given[0])
    text = refused("lengths that differ", lambda: f(x, y), ug.ShapeError)
    for part in ("argument 0 has 3", "argument 1 has 4"):
        if part not in text:
            raise Deviation(f"it is not said which argument: {text}")
    text = refused("in a tree", lambda: f({"a": x, "b": y}, z=x), ug.ShapeError)
    for part in ("argument 0['a'] has 3", "argument 0['b'] has 4", "argument z has 3"):
        if part not in text:
            raise Deviation(f"it is not said which part of an argument: {text}")
    refused("nothing mapped", lambda: ug.vmap(lambda x: x, in_axes=None)(x), ug.ShapeError)
    refused("no argument", lambda: ug.vmap(lambda: x)(), ug.ShapeError)
    refused("no such axis", lambda: ug.vmap(lambda x: x, in_axes=2)(x), ug.ShapeError)
    refused("a scalar", lambda: ug.vmap(lambda x: x)(1.0), ug.ShapeError)
    refused("too many in_axes", lambda: ug.vmap(lambda x: x, (0, 0))(x), ug.SettingError)
    refused("another tree", lambda: ug.vmap(lambda x: x, ({"a": 0},))(x), ug.SettingError)
    axes = ({"b": 0, "c": None},)
    refused(
        "other keys", lambda: ug.vmap(lambda p: p["a"], axes)({"a": x, "b": x}), ug.SettingError
    )
    refused("no such out_axis", lambda: ug.vmap(lambda x: x, 0, 2)(x), ug.ShapeError)
    refused("one of many", lambda: ug.vmap(lambda x: x, 0, None)(x), ug.SettingError)
    refused("out_axes for a pair", lambda: ug.vmap(lambda x: x, 0, (0, 0))(x), ug.SettingError)


def values_are_nobodys() -> None:
    """No value, no branch, no shape that depends on an example's values."""
    x = numbers(3, 2)
    asks: dict[str, Callable[[ug.Tensor], Any]] = {
        "float": lambda x: float(x[0]), "a branch": lambda x: x if x[0] > 0 else -x,
        "numpy": lambda x: x.numpy(), "item": lambda x: x[0].item(), "int": lambda x: int(x[0]),
        "nonzero": ug.nonzero, "unique": ug.unique_values, "a mask": lambda x: x[x > 0],
        "repeats": lambda x: ug.repeat(x, ug.astype(x, "int64")),
    }  # fmt: skip
    for name, ask in asks.items():
        refused(name, partial(ug.vmap(ask), x))
        refused(f"{name} nested", partial(ug.vmap(ug.vmap(ask)), x[None]))
    kept: list[ug.Tensor] = []

    def keep(x: ug.Tensor) -> ug.Tensor:
        kept.append(x)
        return x * 2.0

    ug.vmap(keep)(x)
    refused("a tensor kept", lambda: kept[0] + 1.0)
    refused("a tensor kept, in another map", lambda: ug.vmap(lambda x: x + kept[0])(x))


def indices_out_of_bounds() -> None:
    """They raise as they do for one example, and read NaN in a compiled function."""
    x, i = numbers(3, 4), ug.asarray([0, 4, 1])
    reads: dict[str, Callable[..., Any]] = {
        "x[i]": lambda x, i: x[i],
        "take": lambda x, i: ug.take(x[:, None], i[None], axis=0),
        "along": lambda x, i: ug.take_along_axis(x, i[None], axis=0),
        "write": lambda x, i: x.at[i].set(0.0),
        "write along": lambda x, i: ug.put_along_axis(x, i[None], x[:1], axis=0),
        "a constant": lambda x, i: ug.asarray([1.0, 2.0])[i],
    }
    for name, read in reads.items():
        refused(name, partial(ug.vmap(read), x, i), IndexError)
    found = ug.jit(ug.vmap(reads["x[i]"]))
    try:
        values = found(x, i).numpy()
    except IndexError:
        return  # Nothing is compiled here.
    if not np.array_equal(np.isnan(values), [False, True, False]):
        raise Deviation(f"jitted: {values} where the second index is out of bounds")


def integers_divided_by_zero() -> None:
    """`//` and `%` by 0, and negative powers, are refused as they are for one example."""
    x, y = ug.asarray([4, 5, 6]), ug.asarray([1, 0, 2])
    for f in (ug.floor_divide, ug.remainder):
        refused(f.__name__, partial(ug.vmap(f), x, y), ZeroDivisionError)
    refused("pow", lambda: ug.vmap(ug.pow)(x, y - 1), ug.DTypeError)


BAD_BATCHES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        axes_that_do_not_fit,
        values_are_nobodys,
        indices_out_of_bounds,
        integers_divided_by_zero,
    )
}
