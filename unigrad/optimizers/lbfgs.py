"""L-BFGS and nonlinear conjugate gradients: for exact losses, a line search at each iteration."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.linear import vecdot
from unigrad.ops.statistics import norm
from unigrad.optimizers.flat import Evaluate, Flat, Result, of_tree, of_variables
from unigrad.optimizers.line_search import Bounds, Point, strong_wolfe

#: The distance from 1 to the next float64.
_ULP = 2.220446049250313e-16


class LineSearchOptimizer(ABC):
    """Directions, and along each a search for the strong Wolfe conditions (Moré & Thuente, 1994).

    Args:
        iterations: how many directions at most.
        gradient_tolerance: it has converged when no element of the gradient is larger.
        value_tolerance: or when f falls by no more than this share of max(|f|, 1).
        compiled: compile the loss and its gradient with `ug.jit`.

    Raises:
        SettingError: when a setting is out of its range.
    """

    bounds = Bounds()

    def __init__(
        self,
        *,
        iterations: int = 15000,
        gradient_tolerance: float = 1e-5,
        value_tolerance: float = 1e7 * _ULP,
        compiled: bool = False,
    ) -> None:
        for name, number in (
            ("iterations", iterations),
            ("gradient_tolerance", gradient_tolerance),
            ("value_tolerance", value_tolerance),
        ):
            if not 0 <= number < math.inf:
                raise SettingError(f"{type(self).__name__}: {name}={number}: expected at least 0")
        self.iterations = iterations
        self.gradient_tolerance = gradient_tolerance
        self.value_tolerance = value_tolerance
        self.compiled = bool(compiled)

    def run(self, loss: Callable[[Any], Any], parameters: Any) -> Result:
        """Minimise a function of one pytree, which gives a scalar, from some parameters on.

        Pure: nothing is changed.

        Raises:
            DTypeError: when parameters are not floating, or of several dtypes.
            SettingError: when the loss is not finite at the start.

        Example:
            >>> from unigrad.optimizers import LBFGS
            >>> found = LBFGS().run(lambda w: (w[0] - 3.0) ** 2 + w[1] ** 2, [0.0, 1.0])
            >>> round(float(found.parameters[0]), 4), found.converged
            (3.0, True)
        """
        flat = Flat(type(self).__name__, parameters)
        found = self._minimized(of_tree(flat, loss, self.compiled), flat.start)
        return found._replace(parameters=flat.tree(found.parameters))

    def minimize(self, loss: Callable[[], Any], variables: Sequence[Variable]) -> Result:
        """Minimise a loss of Variables, which have the best values found afterwards.

        Raises as `run`.

        Example:
            >>> import unigrad as ug
            >>> w = ug.Variable([3.0, -1.0])
            >>> ug.optimizers.LBFGS().minimize(lambda: (w * w).sum(), [w]).converged
            True
        """
        chosen = list(variables)
        flat = Flat(type(self).__name__, [variable._untaped() for variable in chosen])
        evaluate = of_variables(flat, loss, chosen, self.compiled)
        found = self._minimized(evaluate, flat.start)
        values = flat.leaves(found.parameters)
        for variable, value in zip(chosen, values, strict=True):
            variable.assign(value)
        return found._replace(parameters=values)

    def _minimized(self, evaluate: Evaluate, x: Tensor) -> Result:
        """Minimise a function of a vector."""
        value, slope = evaluate(x)
        if not math.isfinite(value):
            raise SettingError(f"{type(self).__name__}: the loss is {value} at the start")
        count, reason = 1, "the iterations are used up"
        self._forget()
        size = _largest(slope)
        done = 0
        while done < self.iterations:
            if size <= self.gradient_tolerance:
                reason = "the gradient is small"
                break
            direction, first = self._direction(slope, done)
            line = _Line(evaluate, x, direction)
            start = Point(0.0, value, float(vecdot(direction, slope)))
            found = strong_wolfe(line, start, first, self.bounds) if start.slope < 0.0 else None
            count += line.evaluations
            if found is None:
                if not self._knows():
                    reason = "no step along the gradient decreases the loss"
                    break
                self._forget()
                continue
            before = value, slope
            at, new_slope = line.at(found.step)
            self._learn(at - x, new_slope - slope, slope, new_slope)
            x, value, slope, done = at, found.value, new_slope, done + 1
            size = _largest(slope)
            scale = max(abs(before[0]), abs(value), 1.0)
            if before[0] - value <= self.value_tolerance * scale:
                reason = "the loss falls no more"
                break
        converged = reason in ("the gradient is small", "the loss falls no more")
        return Result(x, value, size, done, count, converged, reason)

    @abstractmethod
    def _direction(self, slope: Tensor, done: int) -> tuple[Tensor, float]:
        """Return a direction, and the first step to try along it."""

    @abstractmethod
    def _learn(self, step: Tensor, change: Tensor, slope: Tensor, new_slope: Tensor) -> None:
        """Take note of a step and of how the gradient changed."""

    @abstractmethod
    def _forget(self) -> None:
        """Start anew, along the gradient."""

    @abstractmethod
    def _knows(self) -> bool:
        """Tell whether there is anything to forget."""


class _Line:
    """A function along a direction, which remembers where it was evaluated last."""

    def __init__(self, evaluate: Evaluate, x: Tensor, direction: Tensor) -> None:
        self._evaluate = evaluate
        self._x = x
        self._direction = direction
        self._known: dict[float, tuple[Tensor, Tensor]] = {}
        self.evaluations = 0

    def __call__(self, step: float) -> Point:
        at = self._x + step * self._direction
        value, slope = self._evaluate(at)
        self.evaluations += 1
        self._known = {step: (at, slope)}
        return Point(step, value, float(vecdot(self._direction, slope)))

    def at(self, step: float) -> tuple[Tensor, Tensor]:
        """Return the place and the gradient of the last step."""
        return self._known[step]


def _largest(x: Tensor) -> float:
    """Return the largest magnitude of a vector's elements."""
    return float(norm(x, ord=math.inf))


class LBFGS(LineSearchOptimizer):
    """Quasi-Newton: directions - H g, where H is built from the latest m steps by BFGS's formula.

    Every approximation of the inverse Hessian starts from (sᵀy / yᵀy) I. The first step of all is
    1 / ‖g‖ along the gradient, others begin at 1.

    Sources: Liu & Nocedal, "On the limited memory BFGS method for large scale optimization" (1989),
    algorithm 2.1; line search, scaling and tolerances as in Byrd, Lu, Nocedal & Zhu's L-BFGS-B
    (1995) without bounds, which SciPy has.

    Args:
        memory: m.
        settings: see `LineSearchOptimizer`.
    """

    def __init__(self, memory: int = 10, **settings: Any) -> None:
        super().__init__(**settings)
        if memory < 1:
            raise SettingError(f"LBFGS: memory={memory}: expected at least 1")
        self.memory = memory
        self._pairs: list[tuple[Tensor, Tensor, float]] = []

    def _direction(self, slope: Tensor, done: int) -> tuple[Tensor, float]:
        q, shares = slope, []
        for s, y, product in reversed(self._pairs):
            share = float(vecdot(s, q)) / product
            shares.append(share)
            q = q - share * y
        if self._pairs:
            _, y, product = self._pairs[-1]
            q = (product / float(vecdot(y, y))) * q
        for (s, y, product), share in zip(self._pairs, reversed(shares), strict=True):
            q = q + (share - float(vecdot(y, q)) / product) * s
        return -q, 1.0 if done or self._pairs else 1.0 / float(norm(slope))

    def _learn(self, step: Tensor, change: Tensor, slope: Tensor, new_slope: Tensor) -> None:
        product = float(vecdot(step, change))
        # Without curvature the approximation would not stay positive.
        if product > _ULP * -float(vecdot(step, slope)):
            self._pairs = [*self._pairs[1 - self.memory :], (step, change, product)][-self.memory :]

    def _forget(self) -> None:
        self._pairs = []

    def _knows(self) -> bool:
        return bool(self._pairs)


class ConjugateGradient(LineSearchOptimizer):
    """Nonlinear conjugate gradients: d ← - g + max(0, β) d, β = gᵀ(g - g₋) / ‖g₋‖².

    Source: Polak & Ribière (1969), with Powell's restart at 0; Gilbert & Nocedal, "Global
    convergence properties of conjugate gradient methods for optimization" (1992).

    Args:
        settings: see `LineSearchOptimizer`.
    """

    bounds = Bounds(decrease=1e-4, curvature=0.1)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._last: tuple[Tensor, float, float] | None = None
        self._share = 0.0

    def _direction(self, slope: Tensor, done: int) -> tuple[Tensor, float]:
        if self._last is None:
            direction, first = -slope, 1.0 / float(norm(slope))
        else:
            before, length, descent = self._last
            direction = self._share * before - slope
            if float(vecdot(direction, slope)) >= 0.0:
                direction = -slope
            # The first decrease is likely to be that of the step before.
            first = length * descent / float(vecdot(direction, slope))
        self._now = direction
        return direction, first

    def _learn(self, step: Tensor, change: Tensor, slope: Tensor, new_slope: Tensor) -> None:
        square = float(vecdot(slope, slope))
        self._share = max(0.0, float(vecdot(new_slope, change)) / square)
        length = float(norm(step)) / float(norm(self._now))
        self._last = (self._now, length, float(vecdot(self._now, slope)))

    def _forget(self) -> None:
        self._last = None

    def _knows(self) -> bool:
        return self._last is not None
