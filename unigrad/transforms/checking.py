"""`check_grads`: derivatives of a function beside finite differences of it, to any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.autodiff.transforms import jvp, vjp
from unigrad.core import tree
from unigrad.core.arguments import as_tensor, beside
from unigrad.core.calls import sequence
from unigrad.core.dtypes import COMPLEX, INEXACT, float64
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.tensor import Tensor

#: By dtype: the step of the central differences, and how far apart results may be.
_LIMITS: dict[Any, tuple[float, float]] = {float64: (1e-5, 1e-6), None: (1e-2, 2e-2)}


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    modes: Sequence[str] = ("forward", "reverse"),
    *,
    step: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> None:
    """Check derivatives of a function in both modes by a random direction; return if they hold.

    Forward mode is compared with central differences (f(x + εv) - f(x - εv)) / 2ε for a random v,
    reverse mode with forward mode, ⟨w, J v⟩ = ⟨Jᵀ w, v⟩ for a random w; then the derivatives of
    these derivatives, up to the order.

    Args:
        f: takes pytrees of real floating tensors and returns one; smooth near the arguments.
        args: a sequence of the arguments. Use float64: the differences of float32 show few digits.
        order: how many times to differentiate.
        modes: ``"forward"``, ``"reverse"`` or both.
        step: ε; 10⁻⁵ in float64 by default and 10⁻² else.
        tolerance: how far apart two numbers may be, relative to them and absolutely; 10⁻⁶ in
            float64 by default, and 2 · 10⁻² else.
        seed: of the directions.

    Raises:
        AssertionError: when a derivative is wrong: which, by how much, and of which order.
        DTypeError: when an argument or result is not real and floating.
        SettingError: for an order below 1, or another mode.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray([0.5, 2.0], dtype="float64")
        >>> check_grads(lambda x: ug.sin(x) * x, (x,), order=2)
    """
    if type(order) is not int or order < 1:
        raise SettingError(f"check_grads: an order is an integer of 1 or more, not {order!r}")
    if not modes or set(modes) - {"forward", "reverse"}:
        raise SettingError(f'check_grads: modes are "forward" and "reverse", not {modes!r}')
    given = tree.map(lambda x: _real("an argument", as_tensor(x)), tuple(sequence("args", args)))
    narrow = {x.dtype for x in tree.leaves(given)} != {float64}
    least, near = _LIMITS[None if narrow else float64]
    settings = (least if step is None else step, near if tolerance is None else tolerance)
    _check(f, given, order, 1, [*modes], settings, np.random.default_rng(seed))


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int,
    number: int,
    modes: list[str],
    settings: tuple[float, float],
    draws: np.random.Generator,
) -> None:
    step, tolerance = settings
    along = tree.map(lambda x: _drawn(x, draws), args)

    def shifted(sign: float) -> Any:
        return f(*tree.map(lambda x, v: x + v * (sign * step), args, along))

    ahead, behind = tree.map(as_tensor, shifted(1.0)), tree.map(as_tensor, shifted(-1.0))
    for leaf in tree.leaves(ahead):
        _real("a result", leaf)
    against = tree.map(lambda x: _drawn(x, draws), ahead)
    difference = (_product(against, ahead) - _product(against, behind)) / (2.0 * step)
    if "forward" in modes:
        _, moved = jvp(f, args, along)
        _compare("forward", number, _product(against, moved), difference, tolerance)
    if "reverse" in modes:
        _, pullback = vjp(f, *args)
        _compare("reverse", number, _product(pullback(against), along), difference, tolerance)
    if number == order:
        return
    if "forward" in modes:
        _check(lambda *xs: jvp(f, xs, along)[1], args, order, number + 1, modes, settings, draws)
    if "reverse" in modes:
        _check(lambda *xs: vjp(f, *xs)[1](against), args, order, number + 1, modes, settings, draws)


def _compare(mode: str, order: int, found: float, wanted: float, tolerance: float) -> None:
    """Raise unless two numbers are near each other. NaN is near nothing."""
    if not abs(found - wanted) <= tolerance * max(1.0, abs(found), abs(wanted)):
        raise AssertionError(
            f"check_grads: {mode} mode of order {order} gives {found} where finite differences "
            f"give {wanted}"
        )


def _real(what: str, x: Tensor) -> Tensor:
    """Return a tensor that has a real derivative.

    Raises:
        DTypeError: when it has none.
    """
    if x.dtype not in INEXACT or x.dtype in COMPLEX:
        raise DTypeError(f"check_grads: {what} is {x.dtype.name}, not real and floating")
    return x


def _drawn(x: Tensor, draws: np.random.Generator) -> Tensor:
    array = draws.standard_normal(x.shape).astype(x.dtype)
    return beside(x, np.asarray(array))


def _product(first: Any, second: Any) -> float:
    """Return the inner product of two pytrees, added up in float64."""
    pairs = zip(tree.leaves(first), tree.leaves(second), strict=True)
    return float(
        sum(np.vdot(a.numpy().astype(np.float64), b.numpy().astype(np.float64)) for a, b in pairs)
    )
