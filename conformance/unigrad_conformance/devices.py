"""Devices: what is made for one is there, and what is computed from it stays there.

Every device that the backend names is tried, and names of none are refused.
"""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core.registry import current_backend
from unigrad_conformance.errors import bad
from unigrad_conformance.subject import Deviation

_MAKERS: dict[str, Callable[[Any], Any]] = {
    "asarray": lambda device: ug.asarray([1.0], device=device),
    "asarray of a tensor": lambda device: ug.asarray(ug.asarray(1.0), device=device),
    "zeros": lambda device: ug.zeros(2, device=device),
    "arange": lambda device: ug.arange(2, device=device),
    "ones_like": lambda device: ug.ones_like(ug.asarray(1.0), device=device),
    "astype": lambda device: ug.astype(1.0, "float64", device=device),
    "to_device": lambda device: ug.asarray(1.0).to_device(device),
}
for _name, _make in _MAKERS.items():
    for _device in ("banana", "cpu:987", "gpu:987", "cpu:0:0", "CPU", "", 3):
        # The message names the device asked for, and those that there are.
        bad(f"{_name} on device {_device!r}", ug.UnigradError, f"device {_device!r} here; it has ")(
            partial(_make, _device)
        )


def _require(what: str, x: ug.Tensor | ug.Variable, place: str) -> None:
    if x.device != place:
        raise Deviation(f"{what} is on {x.device!r}, not on {place!r}")


def _require_stays(what: str, x: ug.Tensor, place: str) -> None:
    """Require that a tensor is there, and what is computed of it as well."""
    _require(what, x, place)
    _require(f"{what} and a sum of it", x + x, place)


def _pairs() -> Sequence[tuple[str, str]]:
    """Return each device with another one (with itself where it is alone)."""
    names = current_backend().devices()
    return list(zip(names, names[1:] + names[:1], strict=True))


def new_tensors_are_where_the_process_asks() -> None:
    """``UNIGRAD_DEVICE`` places what is made without a device."""
    wanted = os.environ.get("UNIGRAD_DEVICE")
    if wanted is not None:
        place = current_backend().place(wanted)
        _require("asarray", ug.asarray([1.0]), place)
        _require("zeros", ug.zeros((2,)), place)
        _require("arange", ug.arange(2.0), place)
        _require("a variable", ug.Variable([1.0]), place)
    found = ug.__array_namespace_info__().default_device()
    if found not in current_backend().devices():
        raise Deviation(f"the default device is {found!r}, which is not among the devices")


def made_where_asked() -> None:
    """Each way of making a tensor puts it on the device that it names, under either name."""
    for place, other in _pairs():
        there = ug.asarray([1.0, 2.0], device=other)
        _require_stays("asarray", there, other)
        for like in (there, ug.Variable(there), there.native):
            _require_stays("zeros like another", ug.zeros((2,), like=like), other)
            _require_stays("arange like another", ug.arange(2.0, like=like), other)
        kind, _, number = place.partition(":")
        for name in (place, kind if number == "0" else place):
            _require_stays("asarray of a tensor", ug.asarray(there, device=name), place)
            _require_stays("zeros", ug.zeros((2,), device=name), place)
            _require_stays("full", ug.full((2,), 3.0, device=name), place)
            _require_stays("arange", ug.arange(2.0, device=name), place)
            _require_stays("zeros like another", ug.zeros((2,), like=there, device=name), place)
            _require_stays("eye", ug.eye(2, device=name), place)
            _require_stays("ones_like", ug.ones_like(there, device=name), place)
            _require_stays("astype", ug.astype(there, "float64", device=name), place)
            _require_stays("to_device", there.to_device(name), place)


def computed_where_the_inputs_are() -> None:
    """Results and gradients are on the device of the inputs, constants or not."""
    for place, _ in _pairs():
        x = ug.asarray([1.0, 2.0], device=place)
        v = ug.Variable(x)
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = ug.sum(ug.exp(x) * v + 1.0) + ug.sum(ug.sign(x))
        for what, one in {
            "a variable": v,
            "a result": y,
            "a gradient": tape.gradient(y, x),
            "ones_like": ug.ones_like(x),
            "zeros_like": ug.zeros_like(v),
            "a copy": ug.copy(x),
            "a gradient of zeros": ug.grad(lambda x: ug.sum(ug.sign(x)))(x),
        }.items():
            _require(what, one, place)


def moving_is_differentiable() -> None:
    """A gradient goes back to where its source is, of the second order too."""
    for place, other in _pairs():
        x = ug.asarray([1.0, 2.0], device=place)
        with ug.GradientTape() as outer:
            outer.watch(x)
            with ug.GradientTape() as tape:
                tape.watch(x)
                moved = x.to_device(other)
                y = ug.sum(moved * moved * moved)
            first = tape.gradient(y, x)
        second = outer.gradient(first, x)
        _require("the moved tensor", moved, other)
        for gradient, want in ((first, [3.0, 12.0]), (second, [6.0, 12.0])):
            _require("its gradient", gradient, place)
            if gradient.tolist() != want:
                raise Deviation(f"the gradient is {gradient.tolist()}, not {want}")


def free_as_what_it_meets() -> None:
    """What is made to meet a tensor is bound to a device if that one is, and free if it is.

    A library that has arrays which go along with others compiles a program again, or copies, for a
    bound one among free ones.
    """
    backend = current_backend()
    for device in (None, *backend.devices()):
        x = ug.asarray([1.0, 2.0], device=device)
        v = ug.Variable(x)
        optimizer, mean = ug.optimizers.Adam(1e-3), ug.metrics.Mean()

        @ug.jit
        def step(
            x: ug.Tensor, v: ug.Variable = v, optimizer: ug.optimizers.Adam = optimizer
        ) -> ug.Tensor:
            with ug.GradientTape() as tape:
                loss = ug.sum((x * v) ** 2)
            optimizer.apply_gradients([(tape.gradient(loss, v), v)])
            return loss

        made: dict[str, Any] = {
            "a loss": step(x),
            "zeros like another": ug.zeros(2, like=x),
            "arange like a variable": ug.arange(2.0, like=v),
            "asarray of an ndarray": ug.asarray(np.ones(2), like=x),
            "a sum with an ndarray": x + np.ones(2),
            "a sum with a number": x + 1,
            "a copy": ug.copy(x),
            "a copied variable": copy.deepcopy(v),
            "a pickled tensor": pickle.loads(pickle.dumps(x)),
            "a gradient": ug.grad(lambda x: ug.sum(x * x))(x),
            "a jacobian": ug.jacobian(lambda x: x * x)(x),
            "a batch": ug.vmap(lambda x: x + ug.zeros((), like=x))(x),
            "a scan": ug.scan(lambda c, x: (c + x, c), x[0], x)[1],
            "a variable after a step": v,
        }
        mean.update(x)
        made |= {one.name: one for one in (*optimizer.variables, *mean.variables)}
        wanted = backend.beside(x.native)
        for what, one in made.items():
            found = backend.beside(one.native)
            if found != wanted:
                raise Deviation(f"{what} is for device {found!r}, what it meets for {wanted!r}")


PLACEMENTS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        new_tensors_are_where_the_process_asks,
        made_where_asked,
        computed_where_the_inputs_are,
        moving_is_differentiable,
        free_as_what_it_meets,
    )
}
