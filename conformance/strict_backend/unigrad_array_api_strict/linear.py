"""Products of matrices, and Einstein's sums."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import array_api_strict as xp


def _diagonal(x: Any, letters: str) -> tuple[Any, str]:
    """Return the diagonal along axes that have the same letter."""
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            rest = [i for i in range(x.ndim) if i not in (first, second)]
            x = xp.linalg.diagonal(xp.permute_dims(x, (*rest, first, second)))
            letters = "".join([letters[i] for i in rest]) + letter
    return x, letters


def einsum(*operands: Any, equation: str) -> Any:
    """Broadcast all operands against each other, multiply, and add up."""
    left, _, result = equation.partition("->")
    terms = [_diagonal(x, term) for x, term in zip(operands, left.split(","), strict=True)]
    summed = "".join(dict.fromkeys("".join([letters for _, letters in terms])))
    every = result + "".join([one for one in summed if one not in result])
    factors = []
    for x, letters in terms:
        places = [every.index(letter) for letter in letters]
        order = sorted(range(x.ndim), key=places.__getitem__)
        x = xp.permute_dims(x, tuple(order))
        sizes = {letters[i]: n for i, n in zip(order, x.shape, strict=True)}
        factors.append(xp.reshape(x, tuple([sizes.get(one, 1) for one in every])))
    product = reduce(xp.multiply, factors)
    axes = tuple(range(len(result), len(every)))
    return xp.sum(product, axis=axes, dtype=product.dtype) if axes else product


TABLE: dict[str, Callable[..., Any]] = {"einsum": einsum, "matmul": xp.matmul}
