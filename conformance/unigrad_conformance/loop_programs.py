"""Programs with loops and branches: each by `ug`'s functions, and once more by Python's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import unigrad as ug

Function = Callable[[ug.Tensor], ug.Tensor]


@dataclass(frozen=True)
class Program:
    """A scalar function of one tensor, twice."""

    name: str
    #: With control flow, and without, where Python's is used on the values.
    structured: Function
    plain: Function
    #: Points; the first is where it is run, all together are a batch.
    points: tuple[Any, ...]
    #: False for a loop without bound, which has no derivative in reverse mode when it is traced.
    reverse: bool = True
    #: True for those whose second derivatives are tried too.
    second: bool = False


PROGRAMS: list[Program] = []


def _program(
    plain: Function, *points: Any, reverse: bool = True, second: bool = False
) -> Callable[[Function], Function]:
    def declare(structured: Function) -> Function:
        name = structured.__name__.strip("_").replace("_", " ")
        PROGRAMS.append(Program(name, structured, plain, points, reverse, second))
        return structured

    return declare


# -- scan

_WEIGHTS = np.linspace(-0.8, 0.9, 9).reshape(3, 3)
_ROWS = np.linspace(0.2, 1.1, 12).reshape(4, 3)


def _recurrence(x: ug.Tensor, order: Any) -> ug.Tensor:
    state, total, weights = ug.zeros_like(x[0]), ug.sum(x) * 0.0, ug.asarray(_WEIGHTS)
    for i in order:
        state = ug.tanh(x[i] + state @ weights * x[0, 1])
        total = total + ug.sum(state * state) * (i + 1.0)
    return total + ug.sum(state)


def _scanned(x: ug.Tensor, reverse: bool) -> ug.Tensor:
    weights = ug.asarray(_WEIGHTS)

    def step(state: ug.Tensor, row: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        state = ug.tanh(row + state @ weights * x[0, 1])
        return state, state

    state, states = ug.scan(step, ug.zeros_like(x[0]), x, reverse=reverse)
    places = ug.asarray(np.arange(1.0, 5.0))
    found: ug.Tensor = ug.sum(ug.sum(states * states, axis=1) * places) + ug.sum(state)
    return found


@_program(lambda x: _recurrence(x, range(4)), _ROWS, -_ROWS, _ROWS**2, second=True)
def _a_recurrence(x: ug.Tensor) -> ug.Tensor:
    return _scanned(x, False)


@_program(lambda x: _recurrence(x, range(3, -1, -1)), _ROWS, -_ROWS)
def _a_recurrence_in_reverse(x: ug.Tensor) -> ug.Tensor:
    return _scanned(x, True)


def _numbered(x: ug.Tensor) -> ug.Tensor:
    total, kept = x[0] * 0.0, x[0] * 0.0
    for i in range(3):
        kept = kept + total * total * i
        total = total + x[i] * float(i)
    return total + kept


@_program(_numbered, [0.3, 0.5, 0.7], [1.0, -2.0, 0.5])
def _integers_and_numbers_in_the_carry(x: ug.Tensor) -> ug.Tensor:
    def step(carry: Any, row: ug.Tensor) -> Any:
        count, total = carry
        after = total + row * ug.astype(count, x.dtype)
        return (count + 1, after), (count, total * total)

    (_, total), (counts, squares) = ug.scan(step, (0, 0.0), x)
    found: ug.Tensor = total + ug.sum(squares * ug.astype(counts, x.dtype))
    return found


def _descent(x: ug.Tensor) -> ug.Tensor:
    at, total = x[0], x[0] * 0.0
    for i in range(3):
        slope = x[i] * ug.cos(at * x[i]) * at + ug.sin(at * x[i])
        at, total = at - 0.1 * slope, total + slope
    return at + total


@_program(_descent, [0.3, 0.5, 0.7], [1.0, -2.0, 0.5], second=True)
def _a_gradient_in_a_loop(x: ug.Tensor) -> ug.Tensor:
    def step(at: ug.Tensor, row: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        slope = ug.grad(lambda v: ug.sin(v * row) * v)(at)
        return at - 0.1 * slope, slope

    at, slopes = ug.scan(step, x[0], x)
    found: ug.Tensor = at + ug.sum(slopes)
    return found


def _nested_plainly(x: ug.Tensor) -> ug.Tensor:
    carry, total = x[0] * 0.5, x[0] * 0.0
    for i in range(3):
        inner = carry
        for _ in range(3):
            inner = inner * x[i] + ug.cos(carry) * x[0]
        carry = inner * inner if float(inner) > 0.3 else ug.exp(inner) * x[i]
        total = total + carry * carry
    return carry + total


@_program(_nested_plainly, [0.3, 0.5, 0.7], [-0.9, 0.2, 0.4], second=True)
def _loops_and_branches_in_a_loop(x: ug.Tensor) -> ug.Tensor:
    def step(carry: ug.Tensor, row: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        inner = ug.fori_loop(0, 3, lambda i, v: v * row + ug.cos(carry) * x[0], carry)
        found = ug.cond(inner > 0.3, lambda v: v * v, lambda v: ug.exp(v) * row, inner)
        return found, found

    carry, stacked = ug.scan(step, x[0] * 0.5, x)
    found: ug.Tensor = carry + ug.sum(stacked * stacked)
    return found


@_program(
    lambda x: ug.sum(ug.stack([ug.sin(x[i]) * x[0] for i in range(3)])),
    [0.3, 0.5, 0.7],
    [1.0, -2.0, 0.5],
)
def _a_map(x: ug.Tensor) -> ug.Tensor:
    return ug.sum(ug.map(lambda v: ug.sin(v) * x[0], x))


def _folded_plainly(x: ug.Tensor) -> ug.Tensor:
    total, factor, offset = x[0] * 0.0, ug.sin(x[4]), x[4]
    total = total + factor * offset
    for i in range(3, -1, -1):
        # The later element comes first: (p, q) -> (p q, q p₁ + q₁).
        factor, offset = factor * ug.sin(x[i]), ug.sin(x[i]) * offset + x[i]
        total = total + factor * offset
    return total


@_program(_folded_plainly, [0.3, 0.5, 0.7, 0.2, 0.9], [1.0, -2.0, 0.5, 0.1, 0.0])
def _an_associative_scan(x: ug.Tensor) -> ug.Tensor:
    factors, offsets = ug.associative_scan(
        lambda p, q: (p[0] * q[0], q[0] * p[1] + q[1]), (ug.sin(x), x), reverse=True
    )
    return ug.sum(factors * offsets)


# -- while_loop


def _newton_plainly(x: ug.Tensor) -> ug.Tensor:
    root = x
    while abs(float(root) ** 2 - float(x)) > 1e-10:
        root = (root + x / root) / 2.0
    return root


def _newton(x: ug.Tensor, bound: int | None) -> ug.Tensor:
    root: ug.Tensor = ug.while_loop(
        lambda carry: ug.abs(carry[0] * carry[0] - x) > 1e-10,
        lambda carry: ((carry[0] + x / carry[0]) / 2.0, carry[1] + 1),
        (x, 0),
        max_steps=bound,
    )[0]
    return root


@_program(_newton_plainly, 2.0, 0.3, 9.0, reverse=False)
def _a_loop_without_bound(x: ug.Tensor) -> ug.Tensor:
    return _newton(x, None)


@_program(_newton_plainly, 2.0, 0.3, 9.0, second=True)
def _a_loop_with_a_bound(x: ug.Tensor) -> ug.Tensor:
    return _newton(x, 12)


def _limited_plainly(x: ug.Tensor) -> ug.Tensor:
    for _ in range(3):
        x = ug.sin(x) * 2.0
    return x


@_program(_limited_plainly, 0.4, 1.0, -2.0)
def _a_loop_that_its_bound_ends(x: ug.Tensor) -> ug.Tensor:
    found: ug.Tensor = ug.while_loop(
        lambda v: ug.abs(v) < 1e9, lambda v: ug.sin(v) * 2.0, x, max_steps=3
    )
    return found


def _rooted_plainly(x: ug.Tensor) -> ug.Tensor:
    while float(x) > 0.5:
        x = ug.sqrt(x - 0.5) * 0.1 + x - 0.5
    return x


@_program(_rooted_plainly, 2.25, 1.3, 1.6, second=True)
def _a_loop_with_no_step_from_its_end(x: ug.Tensor) -> ug.Tensor:
    # Behind the last step the square root has no value, and at its zero an infinite slope.
    found: ug.Tensor = ug.while_loop(
        lambda v: v > 0.5, lambda v: ug.sqrt(v - 0.5) * 0.1 + v - 0.5, x, max_steps=9
    )
    return found


def _counted_plainly(x: ug.Tensor) -> ug.Tensor:
    value = x
    for i in range(2, 6):
        value = ug.sin(value) * float(i) + x
    return value


@_program(_counted_plainly, 0.3, 1.1, -0.5)
def _a_counted_loop(x: ug.Tensor) -> ug.Tensor:
    found: ug.Tensor = ug.fori_loop(2, 6, lambda i, v: ug.sin(v) * ug.astype(i, x.dtype) + x, x)
    return found


def _until(limit: ug.Tensor, v: ug.Tensor) -> ug.Tensor:
    while float(v) < float(limit):
        v = v * 1.5 + limit * limit * 0.1
    return v


def _bounded_plainly(x: ug.Tensor) -> ug.Tensor:
    carry, total = x[0] * 0.5, x[0] * 0.0
    for i in range(3):
        carry = _until(x[i], carry) if float(carry) > 0.2 else ug.sin(carry) + x[i] * x[0]
        total = total + carry * carry
    return carry + total


@_program(_bounded_plainly, [0.3, 0.5, 0.7], [0.9, 1.2, 0.4], second=True)
def _a_bounded_loop_in_a_branch_in_a_loop(x: ug.Tensor) -> ug.Tensor:
    def until(limit: ug.Tensor, v: ug.Tensor) -> ug.Tensor:
        found: ug.Tensor = ug.while_loop(
            lambda v: v < limit, lambda v: v * 1.5 + limit * limit * 0.1, v, max_steps=7
        )
        return found

    def step(carry: ug.Tensor, row: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        found = ug.cond(
            carry > 0.2, lambda v: until(row, v), lambda v: ug.sin(v) + row * x[0], carry
        )
        return found, found

    carry, stacked = ug.scan(step, x[0] * 0.5, x)
    found: ug.Tensor = carry + ug.sum(stacked * stacked)
    return found


# -- branches


@_program(
    lambda x: ug.sum(ug.sin(x)) if float(ug.sum(x)) > 1.0 else ug.sum(x**3) * x[0],
    [0.1, 0.2, 0.3],
    [1.0, 0.2, 0.3],
    second=True,
)
def _a_branch(x: ug.Tensor) -> ug.Tensor:
    found: ug.Tensor = ug.cond(
        ug.sum(x) > 1.0, lambda v: ug.sum(ug.sin(v)), lambda v: ug.sum(v**3) * x[0], x
    )
    return found


_CASES: list[Function] = [ug.sin, ug.cos, lambda v: v * v]


@_program(
    lambda x: ug.sum(_CASES[min(max(int(np.floor(x.numpy()[0])), 0), 2)](x)),
    [1.2, 0.5],
    [-3.0, 0.5],
    [0.2, 0.7],
    [7.0, 0.1],
)
def _one_of_several_branches(x: ug.Tensor) -> ug.Tensor:
    return ug.sum(ug.switch(ug.astype(ug.floor(x[0]), "int64"), _CASES, x))
