"""Initial values of weights: small frozen objects, called as ``init(key, shape, dtype=None)``.

The scaled families draw with variance scale/fan (see `fans`). Their ``*_normal`` members draw from a normal distribution truncated
at two standard deviations and widened so that the variance is right after the cut, as in Keras
and `jax.nn.initializers`. The same key gives the same weights on every backend.

| name | variance | source |
| --- | --- | --- |
| glorot | 2 / (fan_in + fan_out) | Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010 |
| he | 2 / fan_in | He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015 |
| lecun | 1 / fan_in | LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998 |
"""  # noqa: E501  (a table)

from __future__ import annotations

from collections.abc import Callable

from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.initializers.base import Initializer
from unigrad.initializers.gain import calculate_gain
from unigrad.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from unigrad.initializers.simple import Constant, Normal, Ones, TruncatedNormal, Uniform, Zeros
from unigrad.initializers.structured import DeltaOrthogonal, Identity, Orthogonal, Sparse

__all__ = [
    "Constant",
    "DeltaOrthogonal",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Sparse",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Zeros",
    "calculate_gain",
    "constant",
    "delta_orthogonal",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "sparse",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zeros",
]

zeros = Zeros()
ones = Ones()
constant = Constant()
identity = Identity()
uniform = Uniform()
normal = Normal()
truncated_normal = TruncatedNormal()
variance_scaling = VarianceScaling()
glorot_uniform = GlorotUniform()
glorot_normal = GlorotNormal()
he_uniform = HeUniform()
he_normal = HeNormal()
lecun_uniform = LecunUniform()
lecun_normal = LecunNormal()
orthogonal = Orthogonal()
delta_orthogonal = DeltaOrthogonal()
sparse = Sparse()

_BY_NAME: dict[str, Initializer] = {
    "zeros": zeros,
    "ones": ones,
    "constant": constant,
    "identity": identity,
    "uniform": uniform,
    "normal": normal,
    "truncated_normal": truncated_normal,
    "variance_scaling": variance_scaling,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "lecun_uniform": lecun_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
    "delta_orthogonal": delta_orthogonal,
    "sparse": sparse,
}


def get(initializer: str | Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the initializer of a name; what can be called is returned as it is.

    Raises:
        SettingError: when no initializer has that name.

    Example:
        >>> get("glorot_uniform") is glorot_uniform
        True
    """
    if callable(initializer):
        return initializer
    try:
        return _BY_NAME[initializer]
    except (KeyError, TypeError):
        known = ", ".join(_BY_NAME)
        raise SettingError(
            f"no initializer is called {initializer!r}; known are: {known}"
        ) from None
