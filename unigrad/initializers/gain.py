"""How much wider weights should be for a nonlinearity that makes its input smaller."""

from __future__ import annotations

from math import sqrt

from unigrad.core.errors import SettingError

_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    **{f"conv{n}d": 1.0 for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": 1.0 for n in (1, 2, 3)},
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": sqrt(2.0),
    "selu": 0.75,
}
_SLOPE = 0.01


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor for the standard deviation of weights before a nonlinearity, as torch's.

    1 for "linear", "sigmoid" and layers that are linear ("conv1d" … "conv_transpose3d"), 5/3 for
    "tanh", √2 for "relu", √(2 / (1 + a²)) for "leaky_relu" of slope a (``param``, by default 0.01),
    3/4 for "selu". So `HeNormal` is `VarianceScaling` of scale ``calculate_gain("relu") ** 2``.

    Raises:
        SettingError: when the nonlinearity is unknown, or ``param`` is given where there is none.

    Example:
        >>> calculate_gain("leaky_relu", 1.0)
        1.0
    """
    if nonlinearity == "leaky_relu":
        slope = _SLOPE if param is None else param
        return sqrt(2.0 / (1.0 + slope * slope))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise SettingError(f"no gain is known of {nonlinearity!r}; known are: {known}")
    if param is not None:
        raise SettingError(f"{nonlinearity} has no parameter: {param}")
    return _GAINS[nonlinearity]
