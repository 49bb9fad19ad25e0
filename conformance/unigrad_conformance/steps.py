"""Steps of optimizers: numbers that change, slots that stay with their Variables, any layout."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import compiles
from unigrad_conformance.layouts import LAYOUTS
from unigrad_conformance.optimizers.cases import CHANGING, DEFAULTS
from unigrad_conformance.subject import Deviation, quiet
from unigrad_conformance.trajectories import numbers_change

_START = np.array([[0.5, -1.0, 2.0], [3.0, -4.0, 0.25]])
_GRADIENT = np.array([[1.0, -0.5, 0.25], [-2.0, 1.5, -0.125]])
#: Those whose mean squares are combined with each other, or with new ones by a sign.
_SQUARING = ("Adam", "Yogi", "Adafactor")
#: All optimizers.
_OPTIMIZERS = tuple(DEFAULTS)
#: One with nothing to copy, with slots, with shared state, and with slots of other shapes.
_COPIED = ("SGD", "Adam", "NAdam", "Adafactor")


def _laid_out_optimizers() -> tuple[str, ...]:
    """Return all; where updates are compiled for every shape, arrays have no strides: a few."""
    return _COPIED if compiles(ug.get_backend(), "optimizers") else _OPTIMIZERS


def _make(name: str) -> Any:
    return getattr(ug.optimizers, name)(0.125)


def _require_equal(what: str, found: Any, expected: Any) -> None:
    if not np.allclose(found, expected, rtol=1e-12, atol=1e-14):
        raise Deviation(f"{what}: {found.tolist()}, not {expected.tolist()}")


def _by_pickle(pair: Any) -> Any:
    return pickle.loads(pickle.dumps(pair))


def copied_pairs_go_on() -> None:
    """Variables and optimizer, copied or pickled together, go on as the first ones do."""
    gradients = [ug.asarray(_GRADIENT), ug.asarray(_GRADIENT[1])]
    pairs = []
    for name in _COPIED:
        for duplicate in (copy.deepcopy, _by_pickle):
            optimizer = _make(name)
            variables = [ug.Variable(_START), ug.Variable(_START[0])]
            for _ in range(2):
                optimizer.apply_gradients(zip(gradients, variables, strict=True))
            pairs.append((name, optimizer, variables, *duplicate((optimizer, variables))))
    gc.collect()
    for name, optimizer, variables, other, copies in pairs:
        for one, owned in ((optimizer, variables), (other, copies)):
            one.apply_gradients(zip(gradients, owned, strict=True))
        if sorted(other.state_dict()) != sorted(optimizer.state_dict()):
            raise Deviation(f"{name}: the copy keeps {sorted(other.state_dict())}")
        for mine, theirs in zip(copies, variables, strict=True):
            _require_equal(f"{name}: a copy's third step", mine.numpy(), theirs.numpy())


def slots_go_with_their_variable() -> None:
    """A Variable that is gone leaves nothing behind, and others keep what is theirs."""
    optimizer, kept, gone = _make("Adam"), ug.Variable(_START), ug.Variable(_START[0])
    optimizer.apply_gradients([(ug.asarray(_GRADIENT[0]), gone), (ug.asarray(_GRADIENT), kept)])
    del gone
    gc.collect()
    state = optimizer.state_dict()
    if sorted(state) != ["0/m", "0/v", "iterations"]:
        raise Deviation(f"the state has {sorted(state)}")
    _require_equal("the moments that are left", state["0/m"], 0.1 * _GRADIENT)


def _laid_out(slot: Any) -> Any:
    """Return a slot that lies otherwise in memory, if it is like its parameter."""
    return LAYOUTS[0].tensor(slot.numpy()) if slot.shape == _START.shape else slot


def parameters_of_several_layouts() -> None:
    """Parameters, gradients and slots that lie differently in memory are updated as usual ones."""
    for name in _laid_out_optimizers():
        optimizer = _make(name)
        usual = [ug.asarray(_START)] * len(LAYOUTS)
        gradients = [ug.asarray(_GRADIENT)] * len(LAYOUTS)
        state = optimizer.init(usual)
        other_state = {
            key: [_laid_out(one) for one in value] if isinstance(value, list) else value
            for key, value in state.items()
        }
        found, _ = optimizer.update(
            [one.tensor(_GRADIENT) for one in LAYOUTS],
            other_state,
            [one.tensor(_START) for one in LAYOUTS[::-1]],
        )
        expected, _ = optimizer.update(gradients, state, usual)
        for one, other in zip(found, expected, strict=True):
            _require_equal(f"{name} of several layouts", one.numpy(), other.numpy())


def parameters_without_elements() -> None:
    """Nothing is to be done for them: each optimizer leaves them, and moves the others."""
    few = _laid_out_optimizers()
    for name in dict.fromkeys((*few, "Muon", "SOAP")):
        optimizer = _make(name)
        shapes = [(3, 0), (2, 0, 3), (0, 3), (0,)]
        if name in few and few is _COPIED:
            shapes = shapes[:2]
        empty = [ug.asarray(np.zeros(shape)) for shape in shapes]
        usual = ug.asarray(_START)
        given = [*empty, ug.asarray(_GRADIENT)]
        found, _ = optimizer.update(given, optimizer.init([*empty, usual]), [*empty, usual])
        expected, _ = optimizer.update([given[-1]], optimizer.init([usual]), [usual])
        for one, other in zip(found, [*empty, *expected], strict=True):
            if one.shape != other.shape:
                raise Deviation(f"{name}: {one.shape} of a parameter of shape {other.shape}")
            _require_equal(f"{name} beside parameters without elements", one.numpy(), other.numpy())


def variables_of_several_layouts() -> None:
    """Steps on Variables whose values lie differently in memory, where they may be in place."""
    for name in _laid_out_optimizers():
        expected = ug.Variable(_START)
        variables = [ug.Variable(one.tensor(_START)) for one in LAYOUTS[::-1]]
        alone, together = _make(name), _make(name)
        for _ in range(2):
            alone.apply_gradients([(ug.asarray(_GRADIENT), expected)])
            given = [one.tensor(_GRADIENT) for one in LAYOUTS]
            together.apply_gradients(zip(given, variables, strict=True))
            for variable in variables:
                _require_equal(
                    f"{name} on variables of several layouts", variable.numpy(), expected.numpy()
                )


def updates_of_a_batch() -> None:
    """A pure update under `vmap` does for each of some gradients what it does for one."""
    batch = np.stack([_GRADIENT, -_GRADIENT, 0.5 * _GRADIENT[::-1]])
    for name in _COPIED:
        optimizer, w = _make(name), ug.asarray(_START)
        state = optimizer.init([w])

        def moved(g: Any, optimizer: Any = optimizer, w: Any = w, state: Any = state) -> Any:
            return optimizer.update([g], state, [w])[0][0]

        found = ug.vmap(moved)(ug.asarray(batch)).numpy()
        for one, g in zip(found, batch, strict=True):
            _require_equal(f"{name} of a batch", one, moved(ug.asarray(g)).numpy())


def squares_beyond_the_range() -> None:
    """Gradients whose squares are infinite make no NaN of optimizers that divide by their roots."""
    huge = [_GRADIENT.astype(np.float32) * sign for sign in (1e30, 1e30, 1.0)]
    for name in _SQUARING:
        optimizer, w = _make(name), [ug.asarray(_START.astype(np.float32))]
        state = optimizer.init(w)
        with quiet():
            for g in huge:
                w, state = optimizer.update([ug.asarray(g)], state, w)
        if np.isnan(w[0].numpy()).any():
            raise Deviation(f"{name}: {w[0].tolist()} after gradients of 1e30")


#: A number that is changed holds from the next step on: of each optimizer, by name.
CHANGED: dict[str, Callable[[], None]] = {
    f"changed numbers of {case.name} hold": partial(numbers_change, case, compiled=False)
    for case in CHANGING
}
#: It holds in a program that was compiled before.
CHANGED_IN_PROGRAMS: dict[str, Callable[[], None]] = {
    f"changed numbers of {case.name} hold in a program": partial(
        numbers_change, case, compiled=True
    )
    for case in CHANGING
}
#: The other checks, by name; the order is that of reports.
STEPS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        copied_pairs_go_on,
        slots_go_with_their_variable,
        parameters_of_several_layouts,
        parameters_without_elements,
        variables_of_several_layouts,
        updates_of_a_batch,
        squares_beyond_the_range,
    )
}
