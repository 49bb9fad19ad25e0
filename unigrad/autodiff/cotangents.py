"""What a tape's answer has besides the derivatives: cotangents, sums, why there is none."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice, repeat
from operator import attrgetter
from typing import Any

from unigrad.autodiff.backward import Cotangent, ones_like
from unigrad.core.arguments import as_tensor, cast, untracked
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import (
    BackendMismatchError,
    DTypeError,
    SettingError,
    ShapeError,
)
from unigrad.core.leaks import warn_program
from unigrad.core.op import OPS, another_handle
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


def given_cotangents(
    targets: Sequence[Tensor], structure: Any, given: Any, name: str
) -> list[Tensor | None]:
    """Return the given cotangent per target; ``None`` stands for ones.

    ``name`` is the caller's word for them.

    Raises:
        ShapeError: when they are not of the target's structure, or one is of another shape.
        BackendMismatchError: when one lives on another backend than its target.
    """
    if given is None:
        return [None] * len(targets)
    try:
        leaves = structure.flatten_up_to(given)
    except ValueError as error:
        raise ShapeError(f"{name}: not the structure of the target: {error}") from None
    cotangents: list[Tensor | None] = []
    for i, (one, target) in enumerate(zip(leaves, targets, strict=True)):
        if one is None:
            cotangents.append(None)
            continue
        cotangent = as_tensor(one, target)
        if cotangent.backend.root is not target.backend.root:
            raise BackendMismatchError(
                f"{name}: a cotangent of backend {cotangent.backend.name!r} for a "
                f"target of {target.backend.name!r}"
            )
        refuse_leaked(cotangent)
        cotangent = cast(cotangent, target.dtype)
        if cotangent.shape != target.shape:
            raise ShapeError(
                f"{structure.accessors()[i].codify(name)} has shape {cotangent.shape}, its target "
                f"{target.shape}: a cotangent is of its target's shape"
            )
        # What comes back may be the cotangent itself, and is not the caller's handle.
        cotangents.append(another_handle(cotangent))
    return cotangents


def by_itself(
    source: Any,
    leaves: Sequence[Any],
    targets: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
) -> Tensor | None:
    """Return the derivative of an untracked source by itself, if it is a target: one."""
    total: Tensor | None = None
    for leaf, target, cotangent in zip(leaves, targets, cotangents, strict=True):
        if leaf is source and is_inexact(target):
            one = ones_like(target) if cotangent is None else another_handle(cotangent)
            total = one if total is None else total + one
    return total


def summed(found: Sequence[Cotangent | None], sizes: Sequence[int]) -> list[Cotangent | None]:
    """Add up, per source, the derivatives by the handles that stand for it, so many in turn."""
    results: list[Cotangent | None] = []
    rest = iter(found)
    for size in sizes:
        total: Cotangent | None = None
        for one in islice(rest, size):
            if isinstance(total, Tensor) and isinstance(one, Tensor):
                total = total + one
            elif total is None or isinstance(one, Tensor):
                # A zero beside an array adds nothing.
                total = one
        results.append(total)
    return results


def is_inexact(tensor: Tensor) -> bool:
    """Tell whether a tensor's dtype has derivatives, without translating it."""
    return tensor._native.dtype in tensor.backend.native_floats


def target_handle(target: Any, handles: Mapping[int, Sequence[Tensor]]) -> Tensor:
    """Return the handle of a target, given the handles of the variables that were read."""
    if type(target) is Tensor:
        return target
    if isinstance(target, Variable):
        read = handles.get(target.uid)
        return untaped(target) if read is None else read[-1]
    return as_tensor(target)


_ONLY_VARIABLES = frozenset((Variable,))
_NOTHING: Iterator[tuple[Tensor, ...]] = repeat(())
_uid = attrgetter("uid")


def source_handles(
    sources: Sequence[Any], tracked: Container[int], handles: Mapping[int, Sequence[Tensor]]
) -> Sequence[Sequence[Tensor]]:
    """Return of each source its tracked handles: a variable assigned in between has several.

    Raises:
        DTypeError: when one is neither a Tensor nor a Variable.
    """
    if _ONLY_VARIABLES.issuperset(map(type, sources)):
        return [*map(handles.get, map(_uid, sources), _NOTHING)]
    return [_handles_of(one, tracked, handles) for one in sources]


def _handles_of(
    source: Any, tracked: Container[int], handles: Mapping[int, Sequence[Tensor]]
) -> Sequence[Tensor]:
    if isinstance(source, Variable):
        return handles.get(source.uid, ())
    if not isinstance(source, Tensor):
        raise DTypeError(
            f"gradient: a source is a Tensor or a Variable, not {type(source).__name__}"
        )
    return [source] if source.uid in tracked else []


def is_watchable(leaf: Any) -> bool:
    """Tell whether a leaf can be a source; warn if it is an integer.

    Raises:
        DTypeError: when it is neither a Tensor nor a Variable.
    """
    if not isinstance(leaf, (Tensor, Variable)):
        raise DTypeError(
            "watch: expected a unigrad Tensor or a Variable, not a "
            f"{type(leaf).__module__}.{type(leaf).__qualname__}"
        )
    if leaf.dtype in INEXACT:
        if type(leaf) is Tensor:
            refuse_leaked(leaf)
        return True
    warn_program(f"watch: a tensor of dtype {leaf.dtype.name} has no gradient and is not watched")
    return False


def refuse_leaked(tensor: Tensor) -> None:
    """Raise `TracingError` for a tensor of a trace that is over."""
    if tensor.backend.is_traced(tensor._native):
        OPS["identity"](untracked(tensor))


def untaped(source: Tensor | Variable) -> Tensor:
    """Return a source's value without telling the tapes."""
    return source._untaped() if isinstance(source, Variable) else source


def unknown_word(unconnected: object) -> SettingError:
    """Return the error of a setting ``unconnected_gradients`` that does not exist."""
    return SettingError(f"unconnected_gradients is 'none' or 'zero', not {unconnected!r}")


def why_none(
    tracked: Container[int],
    variables: Container[int],
    source: Tensor | Variable,
    targets: Sequence[Tensor],
) -> str:
    """Explain a gradient of ``None``."""
    what = (
        f"the variable {source.name!r}"
        if isinstance(source, Variable)
        else f"a source of shape {source.shape}"
    )
    if source.dtype not in INEXACT:
        reason = f"its dtype {source.dtype.name} has no gradient"
    elif not any(target.uid in tracked for target in targets):
        reason = (
            "the target was not computed from anything that this tape watched while it was "
            "recording"
        )
    elif not (source.uid in variables if isinstance(source, Variable) else source.uid in tracked):
        reason = (
            "it is neither watched by this tape nor computed from something watched "
            "(tape.watch it before it is used)"
        )
    else:
        reason = "the target does not depend on it"
    return f"gradient: None for {what}: {reason}"
