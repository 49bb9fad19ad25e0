"""`vectorize`: a function of arrays of known ranks over all axes that come before those."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from math import prod
from typing import Any

from unigrad.batching.vmap import vmap
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.shaping import broadcast_shapes, broadcast_to, reshape

_NAME = r"[A-Za-z_]\w*"
_CORE = rf"\((?:{_NAME}(?:,{_NAME})*)?\)"
_SIGNATURE = re.compile(rf"{_CORE}(?:,{_CORE})*->{_CORE}(?:,{_CORE})*")

#: The names of the axes that an argument or a result has at its end.
Core = tuple[str, ...]


def vectorize(f: Callable[..., Any], /, *, signature: str | None = None) -> Callable[..., Any]:
    """Return f over the axes of its arguments that come before those it takes: they broadcast.

    One `vmap` runs it on all of them at once.

    Args:
        f: takes tensors of the ranks of the signature and returns a tensor, or a tuple of several.
        signature: the axes of each argument and result, as ``"(m,n),(n)->(m)"``: lengths of one
            name are equal. By default scalars throughout.

    Raises:
        SettingError: when the signature is none.
        ShapeError: when arguments do not fit it, or their other axes do not broadcast.

    Source of signature and meaning: ``numpy.vectorize``.

    Example:
        >>> import unigrad as ug
        >>> dots = vectorize(lambda x, y: ug.sum(x * y), signature="(n),(n)->()")
        >>> dots([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).tolist()
        [21.0, 43.0]
    """
    check_function("vectorize: f", f)
    parsed = None if signature is None else _parsed(signature)

    @wraps(f, updated=())
    def run(*args: Any) -> Any:
        tensors = [as_tensor(x) for x in args]
        cores, results = parsed or ([()] * len(tensors), None)
        lengths: dict[str, int] = {}
        loops = [_outer(x, core, lengths, i) for i, (x, core) in enumerate(_paired(tensors, cores))]
        outer = broadcast_shapes(*loops) if loops else ()

        def checked(*given: Tensor) -> Any:
            out = f(*given)
            found = out if isinstance(out, (tuple, list)) else [out]
            _check(f, [as_tensor(one) for one in found], results, lengths)
            return out

        if not outer:
            return checked(*tensors)
        rows = []
        for x, loop in zip(tensors, loops, strict=True):
            core = x.shape[len(loop) :]
            rows.append(reshape(broadcast_to(x, (*outer, *core)), (prod(outer), *core)))
        out = vmap(checked)(*rows)
        if isinstance(out, (tuple, list)):
            return tuple([reshape(one, (*outer, *one.shape[1:])) for one in out])
        return reshape(out, (*outer, *out.shape[1:]))

    return run


def _parsed(signature: str) -> tuple[list[Core], list[Core]]:
    """Return the axes' names of arguments and results."""
    text = re.sub(r"\s", "", signature)
    if not _SIGNATURE.fullmatch(text):
        raise SettingError(f"vectorize: {signature!r} is no signature such as '(m,n),(n)->(m)'")
    sides = [
        [tuple(re.findall(_NAME, core)) for core in re.findall(_CORE, side)]
        for side in text.split("->")
    ]
    return sides[0], sides[1]


def _paired(tensors: list[Tensor], cores: list[Core]) -> list[tuple[Tensor, Core]]:
    if len(tensors) != len(cores):
        raise ShapeError(f"vectorize: {len(tensors)} arguments for a signature of {len(cores)}")
    return list(zip(tensors, cores, strict=True))


def _outer(x: Tensor, core: Core, lengths: dict[str, int], place: int) -> tuple[int, ...]:
    """Return the axes before the core ones, and note the lengths of these."""
    if x.ndim < len(core):
        raise ShapeError(f"vectorize: argument {place} of shape {x.shape} has no axes {core}")
    cut = x.ndim - len(core)
    for name, length in zip(core, x.shape[cut:], strict=True):
        if lengths.setdefault(name, length) != length:
            raise ShapeError(
                f"vectorize: argument {place} of shape {x.shape} has {length} elements along "
                f"{name}, not {lengths[name]}"
            )
    return x.shape[:cut]


def _check(
    f: Callable[..., Any],
    found: list[Tensor],
    results: list[Core] | None,
    lengths: dict[str, int],
) -> None:
    """Refuse results that do not fit the signature."""
    wanted = results or [()] * len(found)
    shapes = [one.shape for one in found]
    sizes = dict(lengths)
    fits = len(found) == len(wanted) and all(
        len(shape) == len(core)
        and all(sizes.setdefault(name, n) == n for name, n in zip(core, shape, strict=True))
        for shape, core in zip(shapes, wanted, strict=True)
    )
    if not fits:
        name = getattr(f, "__name__", "the function")
        raise ShapeError(f"vectorize: {name} gave results of shapes {shapes}, not of {wanted}")
