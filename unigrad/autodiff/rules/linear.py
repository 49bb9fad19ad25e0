"""Derivatives of matrix products."""

import string
from typing import Any

import numpy as np

from unigrad.autodiff.rules.registry import add_up, bilinear, variadic
from unigrad.core.arguments import constant
from unigrad.core.tensor import Tensor
from unigrad.ops.einsum import _einsum
from unigrad.ops.linear import matmul
from unigrad.ops.shaping import broadcast_to, permute_dims, reshape


def _transpose(x: Tensor) -> Tensor:
    """Swap the last two axes."""
    n = x.ndim
    return permute_dims(x, (*range(n - 2), n - 1, n - 2))


def _first(g: Tensor, out: Any, x: Tensor, y: Tensor) -> Tensor:
    """ḡ yᵀ, with a vector's missing axis put back first."""
    if y.ndim == 1:
        return reshape(g, (*g.shape, 1)) * y
    if x.ndim == 1:
        return reshape(matmul(y, reshape(g, (*g.shape, 1))), y.shape[:-1])
    return matmul(g, _transpose(y))


def _second(g: Tensor, out: Any, x: Tensor, y: Tensor) -> Tensor:
    """xᵀ ḡ, with a vector's missing axis put back first."""
    if x.ndim == 1:
        column = reshape(g, (*g.shape[:-1], 1, g.shape[-1])) if y.ndim > 1 else g
        return reshape(x, (-1, 1)) * column if y.ndim > 1 else x * g
    if y.ndim == 1:
        return reshape(
            matmul(_transpose(x), reshape(g, (*g.shape, 1))), (*x.shape[:-2], x.shape[-1])
        )
    return matmul(_transpose(x), g)


bilinear("matmul", _first, _second)


def _einsum_vjp(position: int, g: Tensor, out: Any, *operands: Tensor, equation: str) -> Tensor:
    """The same products with the cotangent in the operand's place, its letters as the result.

    A letter that the operand alone has was summed over: the cotangent is the same all along it. Of
    a letter that it has twice only the diagonal took part: it meets an identity matrix.
    """
    left, _, result = equation.partition("->")
    terms = left.split(",")
    own = terms[position]
    others = [term for i, term in enumerate(terms) if i != position]
    tensors = [x for i, x in enumerate(operands) if i != position]
    x = operands[position]
    free = iter(sorted(set(string.ascii_letters) - set(equation)))
    wanted, identities = "", []
    for letter in own:
        if letter in wanted:
            twin = next(free)
            identities.append((letter + twin, x.shape[own.index(letter)]))
            letter = twin
        wanted += letter
    known = set(result).union(*others, *[pair for pair, _ in identities])
    found = [letter for letter in wanted if letter in known]
    matrices = [constant(x, np.eye(n)) for _, n in identities]
    parts = [result, *others, *[pair for pair, _ in identities]]
    partial = _einsum(g, *tensors, *matrices, equation=f"{','.join(parts)}->{''.join(found)}")
    shape = [n if letter in found else 1 for letter, n in zip(wanted, x.shape, strict=True)]
    return broadcast_to(reshape(partial, shape), x.shape)


def _einsum_jvp(tangents: Any, out: Any, *operands: Tensor, equation: str) -> Tensor:
    return add_up(
        [
            _einsum(*operands[:i], tangent, *operands[i + 1 :], equation=equation)
            for i, tangent in enumerate(tangents)
            if tangent is not None
        ]
    )


variadic("einsum", _einsum_vjp, _einsum_jvp)
