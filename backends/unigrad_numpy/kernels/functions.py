"""Public functions that NumPy has itself, where its answer is ours; else their formulas.

NumPy refuses negative indices where ours count from the end, so those go the long way, which also
says what is wrong with others.
"""

from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.autodiff.bridge import body_of

Array = npt.NDArray[Any]

_composed_choose = body_of("numpy", "choose")
_composed_interp = body_of("numpy", "interp")
_composed_ravel = body_of("numpy", "ravel_multi_index")
_composed_unravel = body_of("numpy", "unravel_index")
#: Their modes are no literals here.
_choose: Any = np.choose
_ravel: Any = np.ravel_multi_index
#: Between places so far apart, no slope of numbers whose squares are finite leaves its range.
_LEAST_STEPS = {one: 4.0 / float(np.finfo(one).max) ** 0.5 for one in "fd"}
#: NumPy takes no more choices.
_MOST_CHOICES = 31


def choose(index: Array, *choices: Array, mode: str = "raise", **rest: Any) -> Array:
    """NumPy's, of choices of one dtype."""
    dtype = choices[0].dtype if choices else None
    if index.ndim and len(choices) <= _MOST_CHOICES and all(x.dtype == dtype for x in choices):
        try:
            out: Array = _choose(index, choices, mode=mode)
            return out
        except (TypeError, ValueError):
            pass
    found: Array = _composed_choose(index, *choices, mode=mode, **rest)
    return found


def interp(x: Array, xp: Array, fp: Array, **rest: Any) -> Array:
    """NumPy's, in double precision; it does not look whether places increase.

    Infinite points and slopes have answers of their own there, and so has NaN beside one point.
    """
    dtype = x.dtype
    if (
        rest
        or not x.ndim
        or xp.ndim != 1
        or xp.shape != fp.shape
        or xp.size < 2
        or dtype.char not in "fd"
        or not (dtype == xp.dtype == fp.dtype)
        or not isfinite(np.vdot(xp, xp))
        or not isfinite(np.vdot(fp, fp))
        or np.subtract(xp[1:], xp[:-1]).min(initial=1.0) < _LEAST_STEPS[dtype.char]
    ):
        found: Array = _composed_interp(x, xp, fp, **rest)
        return found
    return np.interp(x, xp, fp).astype(dtype, copy=False)


def unravel_index(flat: Array, layout: Any = None, **rest: Any) -> Any:
    """NumPy's."""
    try:
        return np.unravel_index(flat, *layout[1])
    except (TypeError, ValueError):
        return _composed_unravel(flat, layout=layout, **rest)


def ravel_multi_index(*indices: Array, layout: Any = None, mode: str = "raise", **rest: Any) -> Any:
    """NumPy's."""
    try:
        return _ravel(indices, *layout[1], mode=mode)
    except (TypeError, ValueError):
        return _composed_ravel(*indices, layout=layout, mode=mode, **rest)


TABLE = {
    "choose": choose,
    "interp": interp,
    "ravel_multi_index": ravel_multi_index,
    "unravel_index": unravel_index,
}
