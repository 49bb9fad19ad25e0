"""Derivatives along directions and of special kinds of functions, made of `grad` and `jvp`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from unigrad.autodiff.transforms import grad, jvp, vjp
from unigrad.batching.vmap import vmap
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import sequence
from unigrad.core.dtypes import COMPLEX, INEXACT
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.parts import real
from unigrad.transforms.jacobians import _basis, hvp


def elementwise_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, /
) -> Callable[..., Any]:
    """Return the function that computes each element's own derivative of an elementwise function.

    That is the gradient of the sum of the results: where an element of the result depends on one
    element of the argument alone, its derivative; else a column's sum of the Jacobian.

    Args:
        f: takes tensors and returns one.
        argnums: the position of the argument to differentiate by, or several.

    Raises:
        DTypeError, ShapeError, SettingError: as `grad`.

    Example:
        >>> import unigrad as ug
        >>> elementwise_grad(lambda x: x**3)(ug.asarray([1.0, 2.0])).tolist()
        [3.0, 12.0]
    """

    @wraps(f, updated=())
    def total(*args: Any, **kwargs: Any) -> Tensor:
        found: Tensor = OPS["sum"](as_tensor(f(*args, **kwargs)), axis=None, keepdims=False)
        return found

    return grad(total, argnums)


def holomorphic_grad(f: Callable[..., Any], argnum: int = 0, /) -> Callable[..., Any]:
    """Return the complex derivative f′(z) of a holomorphic function of complex numbers.

    Of a result u + iv and an argument a + ib it is ∂u/∂a - i ∂u/∂b, the conjugate of what `grad`
    gives of u. Whether f is holomorphic is not checked.

    Args:
        f: returns a scalar; its argument may have any shape, and the derivative has it.
        argnum: the position of the argument.

    Raises:
        DTypeError: when the argument, or the result, is not complex.
        ShapeError: when the result is no scalar.

    Example:
        >>> import unigrad as ug
        >>> holomorphic_grad(lambda z: z**2)(ug.asarray(1 + 2j)).item()
        (2+4j)
    """

    @wraps(f, updated=())
    def real_part(*args: Any, **kwargs: Any) -> Tensor:
        out = as_tensor(f(*args, **kwargs))
        if out.dtype not in COMPLEX:
            raise DTypeError(f"holomorphic_grad: the result is {out.dtype.name}, not complex")
        return real(out)

    gradient = grad(real_part, argnum)

    @wraps(f, updated=())
    def derivative(*args: Any, **kwargs: Any) -> Any:
        for leaf in tree.leaves(args[argnum]):
            if as_tensor(leaf).dtype not in COMPLEX:
                raise DTypeError(
                    f"holomorphic_grad: argument {argnum} is {as_tensor(leaf).dtype.name}, "
                    "not complex"
                )
        return tree.map(lambda one: OPS["conj"](one), gradient(*args, **kwargs))

    return derivative


def laplacian(f: Callable[[Any], Any], /) -> Callable[[Any], Tensor]:
    """Return the function that computes Σ ∂²f/∂xᵢ², the trace of the Hessian, of a scalar function.

    Forward over reverse mode, for all elements in one batch: as many products of the Hessian with
    a vector as x has elements, and no matrix of all second derivatives.

    Args:
        f: takes one real floating tensor and returns a scalar.

    Raises:
        DTypeError: when the argument is not real and floating.
        ShapeError: when the result is no scalar.

    Example:
        >>> import unigrad as ug
        >>> laplacian(lambda x: ug.sum(x**3))(ug.asarray([1.0, 2.0])).item()
        18.0
    """

    @wraps(f, updated=())
    def run(x: Any) -> Tensor:
        point = as_tensor(x)
        if point.dtype not in INEXACT or point.dtype in COMPLEX:
            raise DTypeError(f"laplacian: the argument is {point.dtype.name}, not real floating")

        def second(v: Tensor) -> Tensor:
            found: Tensor = OPS["sum"](hvp(f, (point,), (v,)) * v, axis=None, keepdims=False)
            return found

        if not point.size:
            return as_tensor(f(point)) * 0.0
        each = vmap(second)(_basis(point))
        total: Tensor = OPS["sum"](each, axis=None, keepdims=False)
        return total

    return run


def taylor(f: Callable[[Any], Any], x: Any, direction: Any, order: int, /) -> tuple[Any, ...]:
    """Return the coefficients cₖ, up to an order, of f(x + t v) = Σ cₖ tᵏ for a direction v.

    cₖ is the k-th derivative along v over k!. It nests `jvp` so often, which costs up to 2ᵏ runs
    of f for the last of them: meant for low orders.

    Args:
        f: takes a pytree of floating tensors and returns one.
        x: where.
        direction: v, in the structure of x.
        order: the last k, 0 or more.

    Raises:
        SettingError: for a negative order.
        ShapeError, DTypeError: as `jvp`.

    Example:
        >>> import unigrad as ug
        >>> [one.item() for one in taylor(lambda x: x**3, 2.0, 1.0, 3)]
        [8.0, 12.0, 6.0, 1.0]
    """
    if type(order) is not int or order < 0:
        raise SettingError(f"taylor: an order is an integer of 0 or more, not {order!r}")

    def derivatives(k: int) -> Callable[[Any], tuple[Any, ...]]:
        if k == 0:
            return lambda point: (f(point),)
        lower = derivatives(k - 1)

        def along(point: Any) -> tuple[Any, ...]:
            found, moved = jvp(lower, (point,), (direction,))
            return (*found, moved[-1])

        return along

    found = derivatives(order)(x)
    return tuple(
        [
            one if k < 2 else tree.map(lambda leaf, k=k: leaf * (1.0 / math.factorial(k)), one)
            for k, one in enumerate(found)
        ]
    )


def ggnvp(
    f: Callable[..., Any],
    loss: Callable[[Any], Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
) -> Any:
    """Return the generalised Gauss-Newton matrix Jᵀ H J of loss(f(x)) times a vector.

    J is the Jacobian of f and H the Hessian of the loss by f's result. Where the loss is convex the
    matrix has no negative eigenvalue, which the Hessian of the whole may have.

    Source: Schraudolph, "Fast curvature matrix-vector products for second-order gradient descent"
    (2002).

    Args:
        f: a function of the primals, such as a network of its weights.
        loss: takes f's result and returns a scalar.
        primals: a sequence with one pytree per argument.
        tangents: the vector, in the same structure.

    Returns:
        A pytree of the argument's structure; a tuple of them if there are several.

    Raises:
        ShapeError: when the loss is not scalar, or structures or shapes differ.
        DTypeError: when a primal is no float.
        SettingError: when primals or tangents are no tuple or list.

    Example:
        >>> import unigrad as ug
        >>> x, v = ug.asarray([1.0, 2.0]), ug.asarray([1.0, 1.0])
        >>> ggnvp(lambda x: x**2, lambda y: ug.sum(y**2), (x,), (v,)).tolist()
        [8.0, 32.0]
    """
    primals = sequence("ggnvp: primals", primals)
    tangents = sequence("ggnvp: tangents", tangents)
    out, moved = jvp(f, primals, tangents)
    curved = jvp(grad(loss), (out,), (moved,))[1]
    _, pullback = vjp(f, *primals)
    found = pullback(curved)
    return found[0] if len(found) == 1 else found
