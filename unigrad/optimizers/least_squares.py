"""Gauss-Newton and Levenberg-Marquardt: losses that are sums of squares, ½ ‖r(w)‖².

Residuals and their Jacobian are computed in ops, on any backend; the small linear system of each
iteration is solved by LAPACK through NumPy, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.autodiff.tape import GradientTape
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.optimizers.flat import Flat, Result

Array = npt.NDArray[np.float64]


class LevenbergMarquardt:
    """Solve (JᵀJ + μ D²) s = - Jᵀr, take the step if it decreases the loss, and adapt μ.

    D is the largest norm so far of each column of J. With ``damping=0`` it is Gauss-Newton's
    method, whose steps are halved until they decrease the loss.

    Sources: Marquardt, "An algorithm for least-squares estimation of nonlinear parameters" (1963);
    scaling: Moré, "The Levenberg-Marquardt algorithm: implementation and theory" (1978); how μ
    changes: Nielsen, "Damping parameter in Marquardt's method" (1999).

    Args:
        damping: the first μ, by the largest element of the diagonal of JᵀJ; 0 never damps.
        iterations: how many steps at most.
        gradient_tolerance: it has converged when no element of Jᵀr is larger.
        step_tolerance: or when ‖s‖ is at most this share of ‖w‖.
        value_tolerance: or when a step decreases the loss by at most this share of it.

    Raises:
        SettingError: when a setting is below 0, or not finite.

    Example:
        >>> import unigrad as ug
        >>> from unigrad.optimizers import LevenbergMarquardt
        >>> def residuals(w):
        ...     return ug.stack([10.0 * (w[1] - w[0] ** 2), 1.0 - w[0]])
        >>> found = LevenbergMarquardt().run(residuals, ug.asarray([-1.2, 1.0], dtype="float64"))
        >>> [round(x, 6) for x in found.parameters.tolist()]
        [1.0, 1.0]
    """

    def __init__(
        self,
        damping: float = 1e-3,
        *,
        iterations: int = 200,
        gradient_tolerance: float = 1e-10,
        step_tolerance: float = 1e-12,
        value_tolerance: float = 1e-15,
    ) -> None:
        given = {
            "damping": damping,
            "iterations": iterations,
            "gradient_tolerance": gradient_tolerance,
            "step_tolerance": step_tolerance,
            "value_tolerance": value_tolerance,
        }
        for name, number in given.items():
            if not 0 <= number < math.inf:
                raise SettingError(f"LevenbergMarquardt: {name}={number}: expected at least 0")
        self.damping = damping
        self.iterations = iterations
        self.gradient_tolerance = gradient_tolerance
        self.step_tolerance = step_tolerance
        self.value_tolerance = value_tolerance

    def run(self, residuals: Callable[[Any], Any], parameters: Any) -> Result:
        """Minimise ½ ‖r‖² from some parameters on; pure.

        Args:
            residuals: a function of one pytree that gives r, a vector.
            parameters: a pytree of floating Tensors of one dtype.

        Raises:
            ShapeError: when r is no vector, or has fewer elements than there are parameters.
            SettingError: when r is not finite at the start.
        """
        flat = Flat("LevenbergMarquardt", parameters)
        search = _Search(self, flat, residuals)
        reason = search.run()
        r, slope = search.r, search.jacobian.T @ search.r
        return Result(
            flat.tree(search.x), 0.5 * float(r @ r), float(np.max(np.abs(slope))), search.done,
            search.evaluations, reason != "the iterations are used up", reason,
        )  # fmt: skip


class GaussNewton(LevenbergMarquardt):
    """Solve JᵀJ s = - Jᵀr, and halve s until it decreases ½ ‖r‖².

    Where J has not full rank, s is the shortest solution.

    Source: Nocedal & Wright, "Numerical optimization" (2006), section 10.3.

    Args:
        settings: those of `LevenbergMarquardt` but ``damping``.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(0.0, **settings)


class _Search:
    """One run of `LevenbergMarquardt`."""

    def __init__(
        self, settings: LevenbergMarquardt, flat: Flat, residuals: Callable[[Any], Any]
    ) -> None:
        self._settings = settings
        self._flat = flat
        self._residuals = residuals
        self.done = 0
        self.evaluations = 0
        self.x = flat.start
        self.r, self.jacobian = self._linearized(self.x)
        if not np.all(np.isfinite(self.r)):
            raise SettingError("LevenbergMarquardt: the residuals are not finite at the start")
        if len(self.r) < self.jacobian.shape[1]:
            raise ShapeError(
                f"LevenbergMarquardt: {len(self.r)} residuals of {self.jacobian.shape[1]} "
                "parameters: expected as many or more"
            )
        self._scale = np.zeros(self.jacobian.shape[1])

    def _linearized(self, x: Tensor) -> tuple[Array, Array]:
        """Return residuals and Jacobian at a vector."""
        with GradientTape() as tape:
            tape.watch(x)
            r = as_tensor(self._residuals(self._flat.tree(x)))
        if r.ndim != 1:
            raise ShapeError(f"LevenbergMarquardt: residuals are a vector, not of shape {r.shape}")
        found = tape.jacobian(r, x, unconnected_gradients="zero")
        self.evaluations += 1
        return r.numpy().astype(np.float64), found.numpy().astype(np.float64)

    def _at(self, x: Tensor) -> Array:
        self.evaluations += 1
        values: Array = as_tensor(self._residuals(self._flat.tree(x))).numpy().astype(np.float64)
        return values

    def run(self) -> str:
        """Do the iterations; return why they ended."""
        settings = self._settings
        start = float(np.max(np.sum(self.jacobian**2, axis=0)))
        damping, growth = settings.damping * (1.0 if start else 0.0), 2.0
        while self.done < settings.iterations:
            norms = np.sqrt(np.sum(self.jacobian**2, axis=0))
            self._scale = np.maximum(self._scale, norms)
            slope = self.jacobian.T @ self.r
            if np.max(np.abs(slope)) <= settings.gradient_tolerance:
                return "the gradient is small"
            step, expected = self._step(damping)
            lost, moved = self._tried(step)
            if np.linalg.norm(moved) <= settings.step_tolerance * float(
                np.linalg.norm(self.x.numpy().astype(np.float64))
            ):
                return "the step is small"
            if lost <= 0.0:
                damping, growth = damping * growth, growth * 2.0
                if not settings.damping or not math.isfinite(damping):
                    return "no step decreases the loss"
                continue
            before = 0.5 * float(self.r @ self.r)
            self.x = self.x + self._tensor(moved)
            self.r, self.jacobian = self._linearized(self.x)
            self.done += 1
            if lost <= settings.value_tolerance * before:
                return "the loss falls no more"
            ratio = lost / expected if expected > 0.0 else 1.0
            damping, growth = damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), 2.0
        return "the iterations are used up"

    def _step(self, damping: float) -> tuple[Array, float]:
        """Return the step, and the decrease that the linear model expects of it."""
        size = self.jacobian.shape[1]
        scale = np.where(self._scale > 0.0, self._scale, 1.0)
        damped = math.sqrt(damping) * np.diag(scale)
        matrix = np.vstack([self.jacobian, damped]) if damping else self.jacobian
        right = np.concatenate([-self.r, np.zeros(size)]) if damping else -self.r
        step = np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0], np.float64)
        left = self.r + self.jacobian @ step
        return step, 0.5 * float(self.r @ self.r - left @ left)

    def _tried(self, step: Array) -> tuple[float, Array]:
        """Return the decrease of a step, and the step, halved as often as it needs without μ."""
        before = 0.5 * float(self.r @ self.r)
        lost = -math.inf
        for _ in range(1 if self._settings.damping else 40):
            r = self._at(self.x + self._tensor(step))
            after = 0.5 * float(r @ r)
            lost = before - after if math.isfinite(after) else -math.inf
            if lost > 0.0:
                break
            step = step if self._settings.damping else step / 2.0
        return lost, step

    def _tensor(self, step: Array) -> Tensor:
        return cast(as_tensor(step, self.x), self.x.dtype)
