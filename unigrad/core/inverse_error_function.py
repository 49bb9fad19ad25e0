"""The inverse error function in double precision, by one formula for every backend.

Three regions of x, in each of them a straight line and a small quotient of polynomials beside it:
what the polynomials' roundings move is a fraction of a unit in the last place of the sum.

Source: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution",
Applied Statistics 37, 1988 (PPND16, relative error 10⁻¹⁶), whose quantile at (1 + x) / 2 is
√2 erf⁻¹(x). The lines are ours: his numerator less the line times his denominator.
"""

from collections.abc import Callable, Sequence
from typing import Any

_Line = tuple[float, float]
_Region = tuple[_Line, Sequence[float], Sequence[float]]

#: Each region: the line's slope and height, numerator and denominator, highest powers first.
#: erf⁻¹(x) / x of 0.180625 - x² / 4, up to |x| = 0.85.
_MIDDLE: _Region = (
    (-1.6640625, 1.16796875),
    (
        8697.214799966077,
        42589.70514400258,
        43675.614346510076,
        13172.727039333804,
        435.09301888847915,
        -301.8433653592986,
        -35.13825794221077,
        -0.6838973555014605,
        0.029563561567091234,
    ),
    (
        5226.495278852854,
        28729.085735721943,
        39307.89580009271,
        21213.794301586597,
        5394.196021424751,
        687.1870074920579,
        42.31333070160091,
        1.0,
    ),
)
#: erf⁻¹(x) of √-log((1 - x) / 2) - 1.6, up to 1 - 3·10⁻¹¹.
_TAIL: _Region = (
    (1.0859375, 1.04296875),
    (
        -1.141048905926359e-09,
        -4.6967715386505615e-05,
        -0.0010077403148415558,
        -0.0057186058360621465,
        -0.005162388976499967,
        0.039563360492083754,
        0.10159583642409321,
        0.046791085857156064,
        -0.03644671639631214,
    ),
    (
        1.0507500716444169e-09,
        0.0005475938084995345,
        0.015198666563616457,
        0.14810397642748008,
        0.6897673349851,
        1.6763848301838038,
        2.053191626637759,
        1.0,
    ),
)
#: erf⁻¹(x) of √-log((1 - x) / 2) - 5, beyond.
_FAR: _Region = (
    (1.03125, 4.7109375),
    (
        -2.108146325370875e-15,
        -4.4413010875630565e-09,
        -5.362296519901713e-07,
        -1.9743710869054153e-05,
        -0.00028601649472731255,
        -0.0015858456601918656,
        -0.0015821243029713414,
        0.006457326057004877,
        -0.003087978086966621,
    ),
    (
        2.0442631033899397e-15,
        1.421511758316446e-07,
        1.8463183175100548e-05,
        0.0007868691311456133,
        0.014875361290850615,
        0.1369298809227358,
        0.599832206555888,
        1.0,
    ),
)


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    total = x * coefficients[0] + coefficients[1]
    for one in coefficients[2:]:
        total = total * x + one
    return total


def _at(region: _Region, x: Any) -> Any:
    (slope, height), numerator, denominator = region
    return x * slope + _polynomial(numerator, x) / _polynomial(denominator, x) + height


def erfinv(
    x: Any,
    log: Callable[[Any], Any],
    sqrt: Callable[[Any], Any],
    where: Callable[[Any, Any, Any], Any],
) -> Any:
    """Return erf⁻¹ of float64 numbers of any library, off by up to 3 units in the last place.

    It is ±∞ at ±1 and NaN beyond. `log`, `sqrt` and `where` are the library's; no logarithm is
    taken of anything but positive numbers.
    """
    size = abs(x)
    inside = size < 1.0
    small = where(inside, x, 0.0)
    middle = _at(_MIDDLE, small * small * -0.25 + 0.180625) * small
    # 1 - |x| is exact from ½ on.
    root = sqrt(-log(0.5 - abs(small) * 0.5))
    outer = where(root <= 5.0, _at(_TAIL, root - 1.6), _at(_FAR, root - 5.0))
    outer = where(size != 1.0, where(inside, outer, float("nan")), float("inf"))
    return where(size <= 0.85, middle, where(x < 0.0, -outer, outer))
