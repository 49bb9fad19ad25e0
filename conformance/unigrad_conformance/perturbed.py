"""Operands: numbers that may be tensors are differentiated and traced, never silently frozen.

Each row of a table calls a function with one of its operands (`unigrad.core.operands`) as a number,
as a tensor, as a variable, as an argument of a compiled function and as one of `ug.vmap`. Values
must be those of the number on NumPy, derivatives finite differences of these. That every operand
has a row is checked by `unigrad_conformance.completeness`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import beside, spares_programs
from unigrad_conformance.levels import Level
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, quiet

#: The step of the central differences, in float64.
_STEP = 1e-5


@dataclass(frozen=True)
class Perturbed:
    """A function of one of its operands, and where it is perturbed.

    Args:
        path: the function's name under `unigrad`.
        operand: the parameter.
        at: the number, where the function is smooth.
        call: calls the function with the operand.
        by_value: the operand decides a shape: what is traced is refused.
    """

    path: str
    operand: str
    at: float
    call: Callable[[Any], ug.Tensor]
    by_value: bool = False

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.path} of {self.operand}"

    def total(self, t: Any) -> ug.Tensor:
        """Return a number that depends on every element of the result."""
        found = ug.astype(self.call(t), "float64")
        weights = ug.asarray(np.cos(np.arange(found.size)).reshape(found.shape))
        return ug.sum(found * weights)

    def value_and_slope(self, t: Any) -> tuple[ug.Tensor, ug.Tensor]:
        """Return the result and the derivative of `total`."""
        return self.call(t), ug.grad(self.total)(t)


_HOT = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
#: Cross-entropies, and labels for `_x`.
_LABELLED: tuple[tuple[str, Any], ...] = (
    ("binary_crossentropy", _HOT),
    ("categorical_crossentropy", _HOT),
    ("sparse_categorical_crossentropy", (2, 0)),
    ("binary_focal_crossentropy", _HOT),
    ("categorical_focal_crossentropy", _HOT),
)


def _smoothed(name: str, y: Any, t: Any) -> ug.Tensor:
    found: ug.Tensor = getattr(ug.losses, name)(y, _x(), from_logits=True, label_smoothing=t)
    return found


def _normalized(name: str, settings: dict[str, Any], t: Any) -> ug.Tensor:
    found: ug.Tensor = getattr(ug.nn, name)(_x(), epsilon=t, **settings)
    return found


def _responding(name: str, t: Any) -> ug.Tensor:
    return ug.nn.local_response_norm(_x(), **{"alpha": 0.5, name: t})


def _x() -> ug.Tensor:
    return ug.asarray(np.array([[-1.5, 0.5, 0.1], [2.0, -0.3, 1.2]]))


def _odd() -> ug.Tensor:
    return ug.asarray(np.array([-1.5, np.nan, np.inf, -np.inf, 2.0]))


def _replaced(**settings: Any) -> ug.Tensor:
    return ug.nan_to_num(_odd(), **{"posinf": 2.0, "neginf": -2.0, **settings})


#: Every operand of every public function.
PERTURBED: tuple[Perturbed, ...] = (
    Perturbed("leaky_relu", "negative_slope", 0.3, lambda t: ug.leaky_relu(_x(), t)),
    Perturbed("elu", "alpha", 0.7, lambda t: ug.elu(_x(), t)),
    Perturbed("celu", "alpha", 0.7, lambda t: ug.celu(_x(), t)),
    Perturbed("full", "fill_value", 0.7, lambda t: ug.full((2, 3), t, dtype="float64")),
    Perturbed("full_like", "fill_value", 0.7, lambda t: ug.full_like(_x(), t)),
    Perturbed("linspace", "start", 0.7, lambda t: ug.linspace(t, 2.0, 5, dtype="float64")),
    Perturbed("linspace", "stop", 0.7,
              lambda t: ug.linspace(0.5, t, 5, endpoint=False, dtype="float64")),
    Perturbed("logspace", "start", 0.7, lambda t: ug.logspace(t, 1.0, 5, dtype="float64")),
    Perturbed("logspace", "stop", 0.7, lambda t: ug.logspace(0.2, t, 5, dtype="float64")),
    Perturbed("logspace", "base", 2.5,
              lambda t: ug.logspace(0.2, 1.2, 5, base=t, dtype="float64")),
    Perturbed("geomspace", "start", 0.7, lambda t: ug.geomspace(t, 2.0, 5, dtype="float64")),
    Perturbed("geomspace", "stop", 4.0, lambda t: ug.geomspace(1.0, t, 5, dtype="float64")),
    Perturbed("arange", "start", 0.7, lambda t: ug.arange(t, 3.0, 0.5, dtype="float64"), True),
    Perturbed("arange", "stop", 2.7, lambda t: ug.arange(0.0, t, 0.5, dtype="float64"), True),
    Perturbed("arange", "step", 0.7, lambda t: ug.arange(0.0, 3.0, t, dtype="float64"), True),
    Perturbed("fft.fftfreq", "d", 0.7, lambda t: ug.fft.fftfreq(5, d=t, dtype="float64")),
    Perturbed("fft.rfftfreq", "d", 0.7, lambda t: ug.fft.rfftfreq(5, d=t, dtype="float64")),
    Perturbed("nan_to_num", "nan", 0.7, lambda t: _replaced(nan=t)),
    Perturbed("nan_to_num", "posinf", 0.7, lambda t: _replaced(posinf=t)),
    Perturbed("nan_to_num", "neginf", 0.7, lambda t: _replaced(neginf=t)),
    Perturbed("pad", "constant_values", 0.7, lambda t: ug.pad(_x(), 1, constant_values=t)),
    Perturbed("var", "correction", 0.7, lambda t: ug.var(_x(), axis=0, correction=t)),
    Perturbed("std", "correction", 0.7, lambda t: ug.std(_x(), axis=1, correction=t)),
    Perturbed("nanvar", "correction", 0.7, lambda t: ug.nanvar(_x(), axis=0, correction=t)),
    Perturbed("nanstd", "correction", 0.7, lambda t: ug.nanstd(_x(), axis=1, correction=t)),
    Perturbed("segment_std", "correction", 0.7,
              lambda t: ug.segment_std(_x(), [0, 0], 2, correction=t)),
    Perturbed("cov", "correction", 0.7, lambda t: ug.cov(_x(), correction=t)),
    Perturbed("quantile", "q", 0.3, lambda t: ug.quantile(_x(), t, axis=1)),
    Perturbed("percentile", "q", 70.0, lambda t: ug.percentile(_x(), t)),
    Perturbed("nanquantile", "q", 0.3, lambda t: ug.nanquantile(_x(), t, axis=1)),
    Perturbed("nanpercentile", "q", 70.0, lambda t: ug.nanpercentile(_x(), t)),
    Perturbed("trapezoid", "dx", 0.7, lambda t: ug.trapezoid(_x(), dx=t)),
    Perturbed("interp", "left", 0.7, lambda t: ug.interp(_x(), [0.0, 1.0], [2.0, 3.0], left=t)),
    Perturbed("interp", "right", 0.7, lambda t: ug.interp(_x(), [0.0, 1.0], [2.0, 3.0], right=t)),
    Perturbed("interp", "period", 1.7,
              lambda t: ug.interp(_x(), [0.0, 0.8, 1.3], [2.0, 3.0, 1.0], period=t)),
    Perturbed("select", "default", 0.7, lambda t: ug.select([_x() > 0.0], [_x()], t)),
    Perturbed("clip", "min", 0.2, lambda t: ug.clip(_x(), t, 1.0)),
    Perturbed("clip", "max", 0.7, lambda t: ug.clip(_x(), -1.0, t)),
    Perturbed("isclose", "rtol", 0.3, lambda t: ug.isclose(_x(), _x() * 1.2, rtol=t)),
    Perturbed("isclose", "atol", 0.2, lambda t: ug.isclose(_x(), _x() * 1.2, atol=t)),
    Perturbed("losses.huber", "delta", 0.8, lambda t: ug.losses.huber(_x() * 2.0, _x(), delta=t)),
    *(
        Perturbed(f"losses.{name}", "label_smoothing", 0.2, partial(_smoothed, name, y))
        for name, y in _LABELLED
    ),
    Perturbed(
        "losses.binary_focal_crossentropy", "gamma", 1.5,
        lambda t: ug.losses.binary_focal_crossentropy(_HOT, _x(), from_logits=True, gamma=t),
    ),
    Perturbed(
        "losses.binary_focal_crossentropy", "alpha", 0.3,
        lambda t: ug.losses.binary_focal_crossentropy(_HOT, _x(), from_logits=True, alpha=t),
    ),
    Perturbed(
        "losses.categorical_focal_crossentropy", "gamma", 1.5,
        lambda t: ug.losses.categorical_focal_crossentropy(_HOT, _x(), from_logits=True, gamma=t),
    ),
    Perturbed(
        "losses.multi_margin", "margin", 0.7,
        lambda t: ug.losses.multi_margin([2, 0], _x(), margin=t),
    ),
    Perturbed(
        "losses.triplet", "margin", 0.7,
        lambda t: ug.losses.triplet(_x(), _x() + 1.0, _x() * 2.0, margin=t),
    ),
    Perturbed(
        "losses.contrastive", "margin", 3.0,
        lambda t: ug.losses.contrastive([0, 1], _x(), _x() * 1.5, margin=t),
    ),
    Perturbed("nn.hard_shrink", "threshold", 0.4, lambda t: ug.nn.hard_shrink(_x(), t)),
    Perturbed("nn.soft_shrink", "threshold", 0.25, lambda t: ug.nn.soft_shrink(_x(), t)),
    Perturbed("nn.threshold", "threshold", 0.25, lambda t: ug.nn.threshold(_x(), t, -2.0)),
    Perturbed("nn.threshold", "value", 0.7, lambda t: ug.nn.threshold(_x(), 0.3, t)),
    Perturbed("nn.squareplus", "b", 2.5, lambda t: ug.nn.squareplus(_x(), t)),
    *(
        Perturbed(f"nn.{name}", "epsilon", 0.3, partial(_normalized, name, more))
        for name, more in (
            ("layer_norm", {}),
            ("rms_norm", {}),
            ("group_norm", {"groups": 1}),
        )
    ),
    Perturbed("nn.instance_norm", "epsilon", 0.3,
              lambda t: ug.nn.instance_norm(ug.expand_dims(_x(), axis=0), epsilon=t)),
    Perturbed("nn.batch_norm", "epsilon", 0.3,
              lambda t: ug.nn.batch_norm(_x(), _x()[0], ug.abs(_x()[1]), epsilon=t)),
    Perturbed("nn.l2_normalize", "epsilon", 2.9, lambda t: ug.nn.l2_normalize(_x(), epsilon=t)),
    *(
        Perturbed("nn.local_response_norm", name, 0.7, partial(_responding, name))
        for name in ("bias", "alpha", "beta")
    ),
    Perturbed("nn.dot_product_attention", "scale", 0.7,
              lambda t: ug.nn.dot_product_attention(_x(), _x() + 0.5, _x(), scale=t)),
)  # fmt: skip
_TRACED = tuple(one for one in PERTURBED if not one.by_value)


def _require(what: str, found: Array, expected: Any, tolerance: float = 1e-13) -> None:
    """Compare dtypes and values."""
    expected = np.asarray(expected)
    if found.dtype != expected.dtype:
        raise Deviation(f"{what}: {found.dtype.name} where {expected.dtype} is right")
    if not np.allclose(found, expected, tolerance, tolerance):
        raise Deviation(f"{what}: {found.tolist()} where {expected.tolist()} is right")


@cache
def _expected(one: Perturbed, at: float) -> tuple[Any, Any]:
    """Return the result for a number, and the central difference of `Perturbed.total`.

    They are NumPy's, once for all backends.
    """
    with beside("numpy"), quiet():
        ends = [float(one.total(at + step)) for step in (_STEP, -_STEP)]
        return one.call(at).numpy(), np.float64((ends[0] - ends[1]) / (2.0 * _STEP))


def _require_both(one: Perturbed, how: str, value: Array, slope: Array, at: float) -> None:
    wanted, difference = _expected(one, at)
    _require(f"{one.name}, {how}", value, wanted)
    _require(f"derivative of {one.name}, {how}", slope.astype(np.float64), difference, 1e-6)


def _arrays(found: tuple[ug.Tensor, ug.Tensor]) -> tuple[Array, Array]:
    return found[0].numpy(), found[1].numpy()


def check_perturbed(one: Perturbed) -> None:
    """Compare a tensor and a variable as an operand with a number, eagerly."""
    with quiet():
        t = ug.asarray(np.float64(one.at))
        _require_both(one, "a tensor", *_arrays(one.value_and_slope(t)), one.at)
        v = ug.Variable(one.at, dtype="float64")
        with ug.GradientTape() as tape:
            total = one.total(v)
        slope = tape.gradient(total, v, unconnected_gradients="zero")
        _require_both(one, "a Variable", one.call(v).numpy(), slope.numpy(), one.at)
    if one.by_value:
        try:
            ug.jit(one.call)(t)
        except ug.TracingError:
            return
        raise Deviation(f"{one.name}: no TracingError where it is traced")


def _rows(level: Level, way: int) -> tuple[Perturbed, ...]:
    """Return the rows that one of three ways tries: where programs are spared, a third."""
    return _TRACED[way::3] if spares_programs(level, family="jit") else _TRACED


def _in_one_program(
    function: Callable[[Perturbed, Any], Any], rows: Sequence[Perturbed], operands: list[Any]
) -> list[Any]:
    """Compile many rows at once: a program each would take long."""

    def run(operands: list[Any]) -> list[Any]:
        return [function(one, t) for one, t in zip(rows, operands, strict=True)]

    with quiet():
        found: list[Any] = ug.jit(run)(operands)
    return found


def traced_as_tensors(level: Level = Level.FULL) -> None:
    """Tensors among the arguments of a compiled function."""
    rows = _rows(level, 1)
    tensors = [ug.asarray(np.float64(one.at)) for one in rows]
    found = _in_one_program(Perturbed.value_and_slope, rows, tensors)
    for one, both in zip(rows, found, strict=True):
        _require_both(one, "a tensor that is traced", *_arrays(both), one.at)


def traced_as_numbers(level: Level = Level.FULL) -> None:
    """Python numbers among the arguments of a compiled function."""
    rows = _rows(level, 0)
    found = _in_one_program(lambda one, t: one.call(t), rows, [one.at for one in rows])
    for one, value in zip(rows, found, strict=True):
        wanted, _ = _expected(one, one.at)
        _require(f"{one.name}, a number that is traced", value.numpy(), wanted)


def batched(level: Level = Level.FULL) -> None:
    """Tensors that `ug.vmap` maps over, and their derivatives."""
    rows = _rows(level, 2)
    places = [np.array([one.at, one.at + 0.01]) for one in rows]
    found = _in_one_program(
        lambda one, t: ug.vmap(one.value_and_slope)(t), rows, [*map(ug.asarray, places)]
    )
    for one, ats, both in zip(rows, places, found, strict=True):
        for value, slope, at in zip(*_arrays(both), ats.tolist(), strict=True):
            _require_both(one, "batched", np.asarray(value), np.asarray(slope), at)


#: Each operand by itself, by name.
OPERANDS: dict[str, Callable[[], None]] = {
    one.name: partial(check_perturbed, one) for one in PERTURBED
}


def operands_together(level: Level = Level.FULL) -> dict[str, Callable[[], None]]:
    """Return the checks of all operands at once, by name."""
    ways = {
        "every operand in a compiled function": traced_as_tensors,
        "every operand as a number in a compiled function": traced_as_numbers,
        "every operand in a batch": batched,
    }
    return {name: partial(way, level) for name, way in ways.items()}
