"""Steps of optimizers: numbers that change, slots that stay with their Variables, any layout."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.layouts import LAYOUTS
from unigrad_conformance.subject import Deviation

_START = np.array([[0.5, -1.0, 2.0], [3.0, -4.0, 0.25]])
_GRADIENT = np.array([[1.0, -0.5, 0.25], [-2.0, 1.5, -0.125]])
#: Each optimizer with the numbers that it takes beside the rate.
_OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "SGD": (),
    "Momentum": ("beta",),
    "RMSprop": ("rho", "epsilon"),
    "Adam": ("beta1", "beta2", "epsilon"),
}


def _make(name: str) -> Any:
    return getattr(ug.optimizers, name)(0.125)


def _require_equal(what: str, found: Any, expected: Any) -> None:
    if not np.allclose(found, expected, rtol=1e-12, atol=1e-14):
        raise Deviation(f"{what}: {found.tolist()}, not {expected.tolist()}")


def _by_hand(name: str, numbers: Any, w: Any, slots: list[Any], g: Any, t: int) -> Any:
    """Do one step of an optimizer's formula, changing the slots."""
    rate = numbers["learning_rate"]
    if name == "SGD":
        return w - rate * g
    if name == "Momentum":
        slots[0] = numbers["beta"] * slots[0] + (1 - numbers["beta"]) * g
        return w - rate * slots[0]
    if name == "RMSprop":
        slots[0] = numbers["rho"] * slots[0] + (1 - numbers["rho"]) * g**2
        return w - rate * g / (np.sqrt(slots[0]) + numbers["epsilon"])
    beta1, beta2 = numbers["beta1"], numbers["beta2"]
    slots[0] = beta1 * slots[0] + (1 - beta1) * g
    slots[1] = beta2 * slots[1] + (1 - beta2) * g**2
    mean, square = slots[0] / (1 - beta1**t), slots[1] / (1 - beta2**t)
    return w - rate * mean / (np.sqrt(square) + numbers["epsilon"])


def _step_of(optimizer: Any, variable: ug.Variable) -> Callable[[Any], None]:
    def step(gradient: Any) -> None:
        optimizer.apply_gradients([(gradient, variable)])

    return step


def _changes(compiled: bool) -> None:
    """Change each number of each optimizer after a step; compare with the formula."""
    for name, others in _OPTIMIZERS.items():
        for number in ("learning_rate", *others):
            optimizer, w = _make(name), ug.Variable(_START)
            step = _step_of(optimizer, w)
            run: Any = ug.jit(step) if compiled else step
            numbers = {one: getattr(optimizer, one) for one in ("learning_rate", *others)}
            expected, slots = _START, [np.zeros_like(_START)] * 2
            for t, value in enumerate((numbers[number], 0.5, 0.25), 1):
                if t > 1:
                    setattr(optimizer, number, value)
                run(ug.asarray(_GRADIENT))
                numbers[number] = value
                expected = _by_hand(name, numbers, expected, slots, _GRADIENT, t)
                _require_equal(f"{name}.{number} = {value}", w.numpy(), expected)


def changed_numbers_hold() -> None:
    """A number that is changed holds from the next step on."""
    _changes(compiled=False)


def changed_numbers_hold_in_programs() -> None:
    """A number that is changed holds in a program that was compiled before."""
    _changes(compiled=True)


def _by_pickle(pair: Any) -> Any:
    return pickle.loads(pickle.dumps(pair))


def copied_pairs_go_on() -> None:
    """Variables and optimizer, copied or pickled together, go on as the first ones do."""
    for name in _OPTIMIZERS:
        for duplicate in (copy.deepcopy, _by_pickle):
            optimizer = _make(name)
            variables = [ug.Variable(_START), ug.Variable(_START[0])]
            gradients = [ug.asarray(_GRADIENT), ug.asarray(_GRADIENT[1])]
            for _ in range(2):
                optimizer.apply_gradients(zip(gradients, variables, strict=True))
            pair = duplicate((optimizer, variables))
            gc.collect()
            for one, owned in ((optimizer, variables), pair):
                one.apply_gradients(zip(gradients, owned, strict=True))
            if sorted(pair[0].state_dict()) != sorted(optimizer.state_dict()):
                raise Deviation(f"{name}: the copy keeps {sorted(pair[0].state_dict())}")
            for one, other in zip(pair[1], variables, strict=True):
                _require_equal(f"{name}: a copy's third step", one.numpy(), other.numpy())


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


def parameters_of_several_layouts() -> None:
    """Parameters, gradients and slots that lie differently in memory are updated as usual ones."""
    for name in _OPTIMIZERS:
        optimizer = _make(name)
        usual = [ug.asarray(_START)] * len(LAYOUTS)
        gradients = [ug.asarray(_GRADIENT)] * len(LAYOUTS)
        state = optimizer.init(usual)
        other_state = {
            key: value if key == "step" else [LAYOUTS[0].tensor(one.numpy()) for one in value]
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


#: By name; the order is that of reports.
STEPS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        changed_numbers_hold,
        changed_numbers_hold_in_programs,
        copied_pairs_go_on,
        slots_go_with_their_variable,
        parameters_of_several_layouts,
    )
}
