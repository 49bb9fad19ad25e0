"""Whole Jacobians and Hessians: `jacobian`, `hessian` and `hvp`.

A Jacobian is a derivative mapped over a basis by `vmap`: forward mode takes one pass per element of
the arguments, reverse mode one per element of the result, all of them in one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal

import numpy as np

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import grad, pushed_forward, warn_of_arguments
from unigrad.batching.vmap import vmap
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function, is_single, pair, positions, sequence
from unigrad.core.copying import kept_handles, own_handles
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import COMPLEX, INEXACT
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.op import OPS, another_handle
from unigrad.core.tensor import Tensor

Mode = Literal["auto", "forward", "reverse"]


def jacobian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    mode: Mode = "auto",
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return the function that computes every derivative of f's results by its arguments.

    Args:
        f: takes and returns pytrees of real floating tensors; with ``has_aux`` it returns a pair of
            one and anything else.
        argnums: the position of the argument to differentiate by, or several.
        mode: ``"forward"`` takes one pass per element of the arguments, ``"reverse"`` one per
            element of the results, ``"auto"`` whichever is less, in one batch.
        has_aux: the new function then returns ``(derivatives, aux)``.

    Returns:
        A function of f's arguments. In the result's structure, each leaf is a pytree of the
        argument's structure (a tuple of them for several ``argnums``), of tensors whose shape is
        the result's followed by the argument's.

    Raises:
        DTypeError: when an argument to differentiate by, or a result, is not real and floating.
        ShapeError: when there is no argument at a position.
        SettingError: when ``mode`` is another word, ``argnums`` no integer, or with ``has_aux`` the
            result no pair.

    An argument that the result was not computed from gives zeros, with a `GradientWarning`.

    Example:
        >>> import unigrad as ug
        >>> jacobian(lambda x: ug.asarray([[1.0, 2.0], [3.0, 4.0]]) @ x)(ug.ones(2)).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    return _jacobian_of(f, argnums, mode, has_aux)


def _jacobian_of(
    f: Callable[..., Any],
    argnums: int | Sequence[int],
    mode: Mode,
    has_aux: bool,
    warns: bool = True,
) -> Callable[..., Any]:
    """Do as `jacobian`, which says where a derivative is zero for want of a path."""
    check_function("jacobian: f", f)
    if mode not in ("auto", "forward", "reverse"):
        raise SettingError(f'jacobian: mode is "auto", "forward" or "reverse", not {mode!r}')

    single = is_single(argnums)

    @wraps(f, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        places = positions("jacobian", argnums, len(args))
        given = args[places[0]] if single else tuple([args[i] for i in places])
        leaves, structure = tree.flatten(given)
        points = [_real("an argument", another_handle(as_tensor(x))) for x in leaves]

        def of_leaves(*tensors: Tensor) -> Any:
            moving = tree.unflatten(structure, tensors)
            every = list(args)
            each = [moving] if single else moving
            for i, one in zip(places, each, strict=True):
                every[i] = one
            found = f(*every, **kwargs)
            if not has_aux:
                return found, None
            return pair("jacobian: with has_aux f returns a pair of a result and more", found)

        met: set[int] = set()
        rows, result, aux = _jacobian(of_leaves, points, mode, met)
        if warns:
            warn_of_arguments("jacobian", _without_path(places, args, met))
        found = tree.unflatten(result, [tree.unflatten(structure, row) for row in rows])
        return (found, own_handles(aux)) if has_aux else found

    return run


def _without_path(places: Sequence[int], args: Sequence[Any], met: set[int]) -> list[int]:
    """Return the positions of arguments of which no leaf is among those that have a path."""
    missing, first = [], 0
    for place in places:
        end = first + len(tree.leaves(args[place]))
        if first < end and met.isdisjoint(range(first, end)):
            missing.append(place)
        first = end
    return missing


class _QuietTape(GradientTape):
    """A tape by the rules, whose ``None`` its caller explains."""

    def __init__(self) -> None:
        super().__init__(persistent=True, watch_accessed_variables=False, reference=True)

    def _warn_of_none(self, source: Any, targets: Sequence[Tensor]) -> None:
        """Say nothing."""


def _jacobian(
    f: Callable[..., tuple[Any, Any]], points: Sequence[Tensor], mode: Mode, met: set[int]
) -> tuple[list[list[Tensor]], Any, Any]:
    """Return, for each leaf of the result, the derivatives by each point; the structure; and aux.

    The function returns its result and what is not differentiated. The points that the result has a
    path from are added to ``met``.
    """
    if mode == "forward":
        return _by_columns(f, points, met)
    with _QuietTape() as tape:
        tape.watch(points)
        given, points = points, kept_handles(points)
        value, aux = f(*given)
        found, result = tree.flatten(value)
        outputs = [_real("a result", as_tensor(one)) for one in found]
    if mode == "auto" and sum(x.size for x in points) < sum(out.size for out in outputs):
        return _by_columns(f, points, met)

    def row(out: Tensor) -> list[Tensor]:
        def pulled(g: Tensor) -> list[Tensor]:
            gradients: list[Tensor | None] = tape.gradient(out, [*points], g)
            met.update(i for i, one in enumerate(gradients) if one is not None)
            return [
                zeros_like(x) if one is None else one
                for x, one in zip(points, gradients, strict=True)
            ]

        if not out.size:
            met.update(range(len(points)))
            return [_zeros(x, (*out.shape, *x.shape)) for x in points]
        columns = vmap(pulled)(_basis(out))
        return [
            _reshaped(one, (*out.shape, *x.shape)) for one, x in zip(columns, points, strict=True)
        ]

    return [row(out) for out in outputs], result, aux


def _by_columns(
    f: Callable[..., tuple[Any, Any]], points: Sequence[Tensor], met: set[int]
) -> tuple[list[list[Tensor]], Any, Any]:
    """Differentiate in forward mode, one argument after the other; see `_jacobian`."""
    columns: list[list[Tensor]] = []
    result: Any = None
    beside: list[Any] = []
    aux: Any = None
    arrays: Sequence[Tensor] = ()

    met.update(range(len(points)))
    for i, x in enumerate(points):

        def of_one(moving: Tensor, i: int = i) -> Any:
            others = kept_handles(points)
            return f(*others[:i], moving, *others[i + 1 :])

        def pushed(
            t: Tensor, i: int = i, x: Tensor = x, of_one: Any = of_one
        ) -> tuple[list[Tensor], Any]:
            nonlocal result, beside, aux
            out, tangent, more = pushed_forward(of_one, (x,), (t,), True, lambda: met.discard(i))
            result = tree.structure(out)
            beside, aux = tree.flatten(more)
            known = [one for one in beside if isinstance(one, Tensor)]
            return [_real("a result", one) for one in tree.leaves(tangent)], known

        size = x.size
        directions = _basis(x) if size else _zeros(x, (1, *x.shape))
        found, arrays = vmap(pushed, out_axes=(-1, None))(directions)
        columns.append(
            [_reshaped(one if size else one[..., :0], (*one.shape[:-1], *x.shape)) for one in found]
        )
    known = iter(arrays)
    leaves = [next(known) if isinstance(one, Tensor) else one for one in beside]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return rows, result, tree.unflatten(aux, leaves)


def _real(what: str, x: Tensor) -> Tensor:
    """Return a tensor that has a real derivative.

    Raises:
        DTypeError: when it has none.
    """
    if x.dtype not in INEXACT or x.dtype in COMPLEX:
        raise DTypeError(f"jacobian: {what} is {x.dtype.name}, not real and floating")
    return x


def _basis(x: Tensor) -> Tensor:
    """Return the unit tensors of a tensor's shape, one after the other."""
    return _beside(x, np.eye(x.size).reshape(x.size, *x.shape))


def _zeros(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return _beside(x, np.zeros(shape))


def _beside(x: Tensor, array: np.ndarray[Any, Any]) -> Tensor:
    root = x.backend.root
    return wrap(root, root.from_numpy(array.astype(x.dtype), x.backend.beside(x._native)))


def _reshaped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    out: Tensor = OPS["reshape"](x, shape=shape)
    return out


def hessian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that computes every second derivative: forward over reverse mode.

    Arguments, results and errors are those of `jacobian`, applied twice.

    Example:
        >>> import unigrad as ug
        >>> hessian(lambda x: x[0] ** 2 * x[1])(ug.asarray([2.0, 3.0])).tolist()
        [[6.0, 4.0], [4.0, 0.0]]
    """
    check_function("hessian: f", f)
    first = _jacobian_of(f, argnums, "reverse", has_aux)
    # The gradient of a linear function is a constant.
    return _jacobian_of(first, argnums, "forward", has_aux, warns=False)


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return a scalar function's Hessian times a vector, in one pass forward over reverse.

    H v = ∂/∂ε ∇f(x + ε v) at 0 (Pearlmutter, 1994), without the Hessian.

    Args:
        f: a function of the primals that returns a scalar.
        primals: a sequence with one pytree per argument.
        tangents: the vector, in the same structure.

    Returns:
        A pytree of the argument's structure; a tuple of them if there are several.

    Raises:
        ShapeError: when the function is not scalar, or structures or shapes differ.
        DTypeError: when a primal is no float.
        SettingError: when primals or tangents are no tuple or list.

    Example:
        >>> import unigrad as ug
        >>> x, v = ug.asarray([1.0, 2.0]), ug.asarray([1.0, 0.0])
        >>> hvp(lambda x: ug.sum(x**3), (x,), (v,)).tolist()
        [6.0, 0.0]
    """
    check_function("hvp: f", f)
    primals = sequence("hvp: primals", primals)
    tangents = sequence("hvp: tangents", tangents)
    single = len(primals) == 1
    gradient = grad(f, 0 if single else [*range(len(primals))])
    # The gradient of a linear function is a constant.
    return pushed_forward(gradient, primals, tangents)[1]


def jacfwd(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return `jacobian` in forward mode: a pass for each element of the arguments.

    Example:
        >>> import unigrad as ug
        >>> jacfwd(lambda x: x * x)(ug.asarray([1.0, 2.0])).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
    """
    return jacobian(f, argnums, "forward", has_aux)


def jacrev(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return `jacobian` in reverse mode: a pass for each element of the results.

    Example:
        >>> import unigrad as ug
        >>> jacrev(lambda x: x * x)(ug.asarray([1.0, 2.0])).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
    """
    return jacobian(f, argnums, "reverse", has_aux)
