"""`implicit_diff`: the derivative of a solver by the equation that its result solves."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from unigrad.autodiff.transforms import jvp
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.linalg.solving import solve
from unigrad.transforms.custom import custom_jvp
from unigrad.transforms.jacobians import jacobian


def implicit_diff(
    solver: Callable[..., Any], equation: Callable[..., Any], /
) -> Callable[..., Tensor]:
    """Return a solver that is differentiated by its equation, not through its steps.

    The solver gives x(θ) with F(x, θ) = 0. By the implicit function theorem dx = -(∂F/∂x)⁻¹ ∂F/∂θ
    dθ, whatever the solver does, a loop in another library included. The matrix ∂F/∂x is built by
    `jacobian` and solved: for systems of which it fits in memory.

    Source: Krantz & Parks, "The implicit function theorem" (2002), section 3.3.

    Args:
        solver: ``solver(*theta)`` gives x, a tensor.
        equation: ``equation(x, *theta)`` gives F, of as many elements as x, in unigrad's ops. A
            minimum of a function has its gradient for F.

    Returns:
        A function of θ, pytrees of floating tensors, with derivatives of any order in both modes.

    Raises:
        ShapeError: when F and x have not as many elements.
        LinAlgError: when a derivative is wanted where ∂F/∂x is singular.

    Example:
        >>> import unigrad as ug
        >>> def root(a):
        ...     return ug.asarray(a.numpy() ** 0.5)
        >>> sqrt = implicit_diff(root, lambda x, a: x * x - a)
        >>> ug.grad(sqrt)(ug.asarray(4.0)).item()
        0.25
    """

    check_function("implicit_diff: solver", solver)
    check_function("implicit_diff: equation", equation)

    @custom_jvp
    def solved(*theta: Any) -> Tensor:
        found: Tensor = as_tensor(solver(*theta))
        return found

    @solved.defjvp
    def derivative(primals: Any, tangents: Any) -> tuple[Tensor, Tensor]:
        # Called again, so that it can be differentiated again.
        x = solved(*primals)

        def of_theta(*theta: Any) -> Any:
            return equation(x, *theta)

        _, moved = jvp(of_theta, tuple(primals), tuple(tangents))
        if moved.size != x.size:
            raise ShapeError(
                f"implicit_diff: the equation has {moved.size} elements for {x.size} unknowns"
            )
        matrix = jacobian(lambda x: equation(x, *primals), mode="reverse")(x)
        size = x.size
        flat = solve(_reshaped(matrix, (size, size)), _reshaped(moved, (size, 1)))
        return x, _reshaped(-flat, x.shape)

    @wraps(solver, updated=())
    def run(*theta: Any) -> Tensor:
        found: Tensor = solved(*theta)
        return found

    return run


def _reshaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    found: Tensor = OPS["reshape"](x, shape=shape)
    return found
