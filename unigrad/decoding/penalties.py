"""How the scores of sequences of several lengths are compared.

With D tokens, the end included, and α = ``length_penalty``, a sum of log-probabilities is divided
by

- ``"hf"``: D^α, as transformers' ``generate`` does;
- ``"gnmt"``, ``"wu"``: ((5 + D) / 6)^α, equation 14 of Wu et al., "Google's neural machine
  translation system" (2016): the field has two names for it;
- ``"average"``: D, whatever α.

To that comes the coverage penalty of the same equation, β Σⱼ log(min(Σᵢ aᵢⱼ, 1)) for the attention
aᵢⱼ of token i to place j: 0 if every place was attended to.
"""

from __future__ import annotations

import math

import numpy as np

from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.comparison import where
from unigrad.ops.elementary import log
from unigrad.ops.reductions import sum

__all__ = ["coverage", "length_penalty_of"]

RULES = ("hf", "gnmt", "wu", "average")
#: α where none is given: that of transformers, and none.
_DEFAULT = {"hf": 1.0, "gnmt": 0.0, "wu": 0.0, "average": 1.0}
#: The logarithm of the greatest number of float32, rounded down.
_MOST = 88.0


def alpha_of(name: str, rule: str, length_penalty: float | None, longest: int) -> float:
    """Return α, of sequences of at most so many tokens.

    Raises:
        SettingError: when the rule is none, or α no finite number, or so great that float32 has no
            such penalties.
    """
    if rule not in RULES:
        raise SettingError(f"{name}: rule is one of {', '.join(map(repr, RULES))}, not {rule!r}")
    if length_penalty is None:
        return _DEFAULT[rule]
    good = isinstance(length_penalty, (int, float, np.number))
    if not good or isinstance(length_penalty, bool) or not np.isfinite(length_penalty):
        raise SettingError(f"{name}: length_penalty is a finite number, not {length_penalty!r}")
    alpha = float(length_penalty)
    # The table of penalties goes to the length behind the last.
    base = float(longest + 1) if rule == "hf" else (6 + longest) / 6
    if rule != "average" and abs(alpha) * math.log(base) > _MOST:
        raise SettingError(
            f"{name}: length_penalty is {length_penalty!r}: the score of {longest} tokens would be "
            f"divided by {base:g} to the power of it, which is no number of float32"
        )
    return alpha


def length_penalty_of(length: int, alpha: float, rule: str = "wu") -> float:
    """Return what the score of a sequence of so many tokens is divided by.

    Example:
        >>> length_penalty_of(1, 0.6), length_penalty_of(7, 1.0), length_penalty_of(3, 2.0, "hf")
        (1.0, 2.0, 9.0)
    """
    if rule == "average":
        return float(length)
    base = float(length) if rule == "hf" else (5 + length) / 6
    return float(base**alpha)


def coverage(alignments: Tensor, beta: float, inside: Tensor | None) -> Tensor:
    """Return the coverage penalty (…) of alignments (…, tokens, places).

    Args:
        alignments: attention, zero for tokens that did not come.
        beta: β.
        inside: (…, places), False at padding; None if there is none.
    """
    attended = sum(alignments, axis=-2)
    smallest = float(np.finfo(np.float32).tiny)
    each = log(minimum(maximum(attended, smallest), 1.0))
    return beta * sum(each if inside is None else where(inside, each, 0.0), axis=-1)
