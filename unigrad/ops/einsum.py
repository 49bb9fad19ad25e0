"""Einstein's summation: products of tensors with named axes, summed over names that vanish."""

from __future__ import annotations

import string
from collections.abc import Sequence

from unigrad.core.arguments import TensorLike, alike, common_tensors
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import primitive
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor
from unigrad.ops.shaping import reshape

__all__ = ["einsum"]

#: Kernels get the whole equation: letters only, one term per operand, an explicit result, and one
#: length per letter.
_einsum = primitive("einsum")


def einsum(equation: str, /, *operands: TensorLike) -> Tensor:
    """Return the sum of products that an equation names, such as ``"ij,jk->ik"``.

    Each letter names an axis; a letter that is not in the result is summed over. A letter that
    comes twice in one term takes the diagonal. Without ``->`` the result has the letters that
    come once, in alphabetical order. ``...`` stands for axes that broadcast; an implicit result
    begins with them, an explicit one has to name them.

    Raises:
        ShapeError: when the equation is not well formed, or does not fit the operands.
        DTypeError: when the equation is no string.

    Example:
        >>> einsum("ij,j->i", [[1, 2], [3, 4]], [1, 10]).tolist()
        [21, 43]
        >>> einsum("ii", [[1, 2], [3, 4]]).tolist()
        5
    """
    if not isinstance(equation, str):
        raise DTypeError(f"einsum: the equation is a string, not {equation!r}")
    tensors = operands
    natives = alike(operands) if operands else None
    if natives is None:
        tensors = tuple(common_tensors("einsum", operands))
        natives = tuple([x._native for x in tensors])
    backend = tensors[0].backend
    if tensors[0]._native.dtype in backend.native_bools:
        raise DTypeError("einsum: bools are not multiplied and added; cast them with ug.astype")
    key = (equation, *map(backend.shape_key, natives))
    found = _plans.get(key)
    if found is None:
        named, fitted = _plan(equation, tensors)
        found = Planned(_einsum, {"equation": named})
        if all(x is one for x, one in zip(fitted, tensors, strict=True)):
            _plans.keep(key, found)
        tensors = tuple(fitted)
        natives = tuple([x._native for x in tensors])
    out: Tensor = dispatch(found, backend, tensors, natives)
    return out


#: The planned op by equation and shapes, of calls whose operands go to the kernel as they are.
_plans = Plans()


def _plan(equation: str, operands: Sequence[Tensor]) -> tuple[str, Sequence[Tensor]]:
    """Return the equation that kernels get, and the operands in the shapes that it names."""
    terms, result = _parse(equation, len(operands))
    terms, result, tensors = _name_ellipses(equation, terms, result, operands)
    lengths: dict[str, int] = {}
    for term, x in zip(terms, tensors, strict=True):
        for letter, length in zip(term, x.shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise ShapeError(
                    f"einsum: {letter!r} has lengths {lengths[letter]} and {length} in "
                    f"{equation!r} of shapes {[one.shape for one in tensors]}"
                )
    for letter in result:
        if letter not in lengths:
            raise ShapeError(f"einsum: {letter!r} of the result is in no term of {equation!r}")
    return f"{','.join(terms)}->{result}", tensors


def _parse(equation: str, count: int) -> tuple[list[str], str]:
    """Return the operands' terms and the result's; each may hold one "." for its ellipsis."""
    letters = equation.replace(" ", "").replace("...", "")
    if "." in letters:
        raise ShapeError(f"einsum: {equation!r} has dots that are no ...")
    left, arrow, right = equation.replace(" ", "").replace("...", ".").partition("->")
    terms = left.split(",")
    if count == 0 or len(terms) != count:
        raise ShapeError(f"einsum: {equation!r} has {len(terms)} terms for {count} operands")
    for term in (*terms, right):
        if term.count(".") > 1 or set(term) - set(string.ascii_letters) - {"."}:
            raise ShapeError(f"einsum: {term!r} in {equation!r} is not letters and at most one ...")
    if not arrow:
        once = sorted(c for c in set(left) - {",", "."} if left.count(c) == 1)
        right = "." * ("." in left) + "".join(once)
    if len(set(right)) != len(right):
        raise ShapeError(f"einsum: the result of {equation!r} has a letter twice")
    return terms, right


def _name_ellipses(
    equation: str, terms: Sequence[str], result: str, tensors: Sequence[Tensor]
) -> tuple[list[str], str, list[Tensor]]:
    """Give the axes of ellipses letters of their own; axes of length one that broadcast go."""
    covered = []
    for term, x in zip(terms, tensors, strict=True):
        hidden = x.ndim - len(term.replace(".", ""))
        if hidden < 0 or (hidden and "." not in term):
            raise ShapeError(f"einsum: {term!r} in {equation!r} does not fit shape {x.shape}")
        start = term.find(".")
        covered.append(x.shape[start : start + hidden] if start >= 0 else ())
    most = max(len(one) for one in covered)
    if most and "." not in result:
        raise ShapeError(f"einsum: the result of {equation!r} lacks the axes of its ...")
    free = [c for c in string.ascii_letters if c not in equation][:most]
    if len(free) < most:
        raise ShapeError(f"einsum: {equation!r} has too many axes")
    longest = [1] * most
    for shape in covered:
        for i, length in enumerate(reversed(shape), 1):
            longest[-i] = length if longest[-i] == 1 else longest[-i]
    named, fitted = [], []
    for term, x, shape in zip(terms, tensors, covered, strict=True):
        names = free[most - len(shape) :]
        kept = [
            c
            for c, length in zip(names, shape, strict=True)
            if length != 1 or longest[free.index(c)] == 1
        ]
        start = max(term.find("."), 0)
        if len(kept) < len(shape):
            left = [n for c, n in zip(names, shape, strict=True) if c in kept]
            x = reshape(x, (*x.shape[:start], *left, *x.shape[start + len(shape) :]))
        named.append(term.replace(".", "".join(kept)))
        fitted.append(x)
    return named, result.replace(".", "".join(free)), fitted
