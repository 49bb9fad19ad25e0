"""Results of a compiled function share memory with its arguments where uncompiled ones do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

#: Functions that passes may turn into their argument, or into a view of it.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "a copy": lambda x: ug.asarray(x, copy=True),
    "a copy of a view": lambda x: ug.asarray(x[::2], copy=True),
    "a view of a copy": lambda x: ug.copy(x)[1:],
    "times one": lambda x: x * 1.0,
    "a view of a product": lambda x: ug.reshape(1 * x, (3, 1)),
    "the negative's": lambda x: ug.negative(ug.negative(x)),
    "the inverse's": lambda x: ug.bitwise_invert(ug.bitwise_invert(ug.astype(x, "int32"))),
    "a sum over one": lambda x: ug.sum(x[None], axis=0),
}


@pytest.mark.parametrize("name", ["numpy", "torch"])
@pytest.mark.parametrize("which", FUNCTIONS)
def test_results_are_not_the_callers_memory(which: str, name: str) -> None:
    backend, function = load_backend(name), FUNCTIONS[which]
    with ug.use_backend(name):
        for compiled in (function, ug.jit(function)):
            for _ in range(2):
                x = backend.from_numpy(np.arange(3.0), None)
                y = ug.interop(compiled)(x)
                y *= 2
                assert backend.to_numpy(x).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_variables_are_not_the_callers_memory(name: str) -> None:
    backend = load_backend(name)
    with ug.use_backend(name):
        v = ug.Variable(np.zeros(3))

        @ug.interop
        @ug.jit
        def program(x: ug.Tensor) -> None:
            v.assign(x * 1.0)

        x = backend.from_numpy(np.arange(3.0), None)
        program(x)
        x *= 2
        assert v.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_views_stay_views(name: str) -> None:
    backend = load_backend(name)
    with ug.use_backend(name):
        program = ug.interop(ug.jit(lambda x: (x, ug.reshape(x, (3, 1)))))
        x = backend.from_numpy(np.arange(3.0), None)
        for one in program(x):
            one += 1
        assert backend.to_numpy(x).tolist() == [2.0, 3.0, 4.0]
