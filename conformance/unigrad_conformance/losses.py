"""What losses promise: values and gradients by formula, and what weights, masks and ends do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import compiles_for_every_shape
from unigrad_conformance.loss_table import CLASSES, EVENTS, LABELS, Array, Loss, table
from unigrad_conformance.subject import Deviation, quiet

_WEIGHTS = np.array([0.5, 2.0, 0.0, 2.25])


def _near(what: str, found: Any, expected: Any, tolerance: float) -> None:
    found = np.asarray(found.numpy() if isinstance(found, ug.Tensor) else found, np.float64)
    expected = np.asarray(expected, np.float64)
    if found.shape != expected.shape or not np.allclose(
        found, expected, rtol=tolerance, atol=tolerance, equal_nan=True
    ):
        raise Deviation(f"{what}: {found} where {expected} is right")


def _slope(loss: Loss, weights: Array) -> Array:
    """Return the gradient of Σ w l by differences of the formula, in long double."""
    x, h = loss.y_pred.astype(np.longdouble), np.longdouble(1e-6)
    slope = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        change = loss.formula(loss.y_true, up) - loss.formula(loss.y_true, down)
        # Where a loss is infinite it does not change.
        slope[index] = (np.where(np.isfinite(change), change, 0) * weights).sum() / (2 * h)
    return slope


def _targets(loss: Loss, dtype: str) -> ug.Tensor:
    whole = loss.y_true.dtype.kind == "i"
    return ug.asarray(loss.y_true) if whole else ug.asarray(loss.y_true, dtype=dtype)


def _brief(thorough: bool) -> bool:
    """Tell whether to leave out what costs a backend many compilations."""
    return not thorough and compiles_for_every_shape(ug.get_backend())


def check_loss(loss: Loss, thorough: bool = False) -> None:
    """Values, weights and reductions, and gradients of the backend and of the reference.

    Where each op is compiled, it is one program instead.
    """
    brief = _brief(thorough)
    with quiet():
        losses = loss.formula(loss.y_true, loss.y_pred)
        slope = _slope(loss, _WEIGHTS)
    y, x = _targets(loss, "float64"), ug.asarray(loss.y_pred)
    found, total, mean, gradient = _run(partial(_everything, loss), brief)(y, x)
    factors = np.ones(len(losses)) if loss.shares is None else loss.shares(loss.y_true)
    expected = (np.where(_WEIGHTS == 0, 0, losses) * _WEIGHTS).sum()
    _near("losses", found, losses, 1e-12)
    _near("sum", total, expected, 1e-12)
    _near("mean", mean, expected / (_WEIGHTS * factors).sum(), 1e-12)
    _near("gradient", gradient, slope, 1e-8)
    if not brief:
        _near("reference's gradient", _gradient(loss, y, x, reference=True), slope, 1e-8)
        found = loss.call(_targets(loss, "float32"), ug.asarray(loss.y_pred, dtype="float32"))
        if found.dtype != ug.float32:
            raise Deviation(f"{found.dtype.name} of float32")
        _near("losses in float32", found, losses, 1e-5)


def _everything(loss: Loss, y: ug.Tensor, x: ug.Tensor) -> tuple[ug.Tensor, ...]:
    """Return losses, their weighted sum and mean, and the sum's gradient."""
    total = loss.call(y, x, weights=_WEIGHTS, reduction="sum")
    mean = loss.call(y, x, weights=_WEIGHTS, reduction="mean")
    return loss.call(y, x), total, mean, _gradient(loss, y, x)


def _gradient(loss: Loss, y: ug.Tensor, x: ug.Tensor, reference: bool = False) -> ug.Tensor:
    """Return the gradient of the weighted sum by the predictions."""
    with ug.GradientTape(reference=reference) as tape:
        tape.watch(x)
        value = loss.call(y, x, weights=_WEIGHTS, reduction="sum")
    found: ug.Tensor = tape.gradient(value, x)
    return found


def check_mask(loss: Loss, thorough: bool = False) -> None:
    """What is masked counts in no value and no gradient, be it NaN."""
    brief = _brief(thorough)
    with quiet():
        losses = loss.formula(loss.y_true, loss.y_pred)[2:]
        infinite = np.isinf(losses)
    mask = np.array([False, False, *~infinite])
    x = loss.y_pred.copy()
    x[0], x[1] = np.nan, np.inf
    y, predictions = _targets(loss, "float64"), ug.asarray(x)
    found, nothing, gradient = _run(partial(_masked, loss), brief)(y, predictions, ug.asarray(mask))
    factors = np.ones(4) if loss.shares is None else loss.shares(loss.y_true)
    _near("mean of the others", found, losses[~infinite].sum() / factors[mask].sum(), 1e-12)
    _near("mean of nothing", nothing, 0.0, 0.0)
    slope = gradient.numpy()
    if slope[~mask].any() or not np.isfinite(slope).all():
        raise Deviation(f"the gradient has {slope} where {mask} counts")


def _masked(loss: Loss, y: ug.Tensor, x: ug.Tensor, mask: ug.Tensor) -> tuple[ug.Tensor, ...]:
    """Return the mean of what counts, that of nothing, and the first one's gradient."""
    with ug.GradientTape() as tape:
        tape.watch(x)
        value = loss.call(y, x, mask=mask, reduction="mean")
    nothing = loss.call(y, x, mask=ug.zeros_like(mask), reduction="mean")
    return value, nothing, tape.gradient(value, x)


def _run(function: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    return ug.jit(lambda *inputs: function(*inputs)) if compiled else function


#: Losses of scores, what they take beside them, and settings.
_SCORED: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("sparse_categorical_crossentropy", LABELS, {}),
    ("binary_focal_crossentropy", EVENTS, {"gamma": 8.0}),
    ("categorical_focal_crossentropy", CLASSES, {"gamma": 8.0}),
    ("binary_focal_crossentropy", EVENTS, {"alpha": 0.25}),
    ("categorical_focal_crossentropy", CLASSES, {"label_smoothing": 0.1}),
    ("binary_crossentropy", EVENTS, {}),
    ("binary_crossentropy", EVENTS, {"label_smoothing": 0.1}),
    ("categorical_crossentropy", CLASSES, {}),
    ("categorical_crossentropy", CLASSES, {"label_smoothing": 0.1}),
    ("kl_div", CLASSES, {}),
)


def far_logits_are_finite(thorough: bool = False) -> None:
    """Logits of ±10⁴ have finite losses and gradients, in half precision as well."""
    signs = np.array([[1, -1, 0], [-1, 1, 1], [0, -1, 1], [1, 1, 1]])
    brief = _brief(thorough)
    for dtype in ("float16", "bfloat16", "float32")[: 1 if brief else 3]:
        x = ug.asarray(1e4 * signs, dtype=dtype)
        for name, y, settings in _SCORED[: 3 if brief else None]:
            targets = ug.asarray(y) if y is LABELS else ug.asarray(y, dtype=dtype)
            loss = partial(getattr(ug.losses, name), targets, from_logits=True, **settings)
            _finite(
                f"{name} of {dtype}, {settings}", *_run(partial(_with_gradient, loss), brief)(x)
            )
        if not brief:
            frames = ug.asarray(1e4 * signs[None], dtype=dtype)
            spoken = partial(ug.losses.ctc, [[1]])
            _finite(f"ctc of {dtype}", *_with_gradient(spoken, frames))


def _with_gradient(loss: Callable[[ug.Tensor], ug.Tensor], x: ug.Tensor) -> tuple[Any, Any]:
    with ug.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    return value, tape.gradient(value, x)


def _finite(what: str, value: ug.Tensor, gradient: ug.Tensor) -> None:
    values, slope = (one.numpy().astype(np.float64) for one in (value, gradient))
    if not (np.isfinite(values).all() and np.isfinite(slope).all()):
        raise Deviation(f"{what}: losses {values}, gradient {slope}")
    if not slope.any():
        raise Deviation(f"{what}: no gradient at all")


def a_mean_does_not_overflow() -> None:
    """The mean of half precision is right where its sum leaves the range."""
    x = ug.full((40, 1), 100.0, dtype="float16")
    found = ug.losses.mse(ug.zeros((40, 1), dtype="float16"), x, weights=[1.0], reduction="mean")
    _near("mean of 10⁴", found, 1e4, 1e-3)


#: Two boxes, one of which lies somewhat farther down.
_BOXES = np.array([[[0.0, 0.0, 1.0, 1.0]], [[0.25, 0.125, 1.25, 1.125]]])


def a_square_does_not_overflow() -> None:
    """In half precision a square out of range counts for nothing where the loss has no part of it.

    That of two vectors of different kinds that are far apart is 0, a wide normal's is finite, and
    boxes of some hundred pixels overlap as small ones do.
    """
    far, near = ug.asarray([[1e4, -1e4]], dtype="float16"), ug.zeros((1, 2), dtype="float16")
    with quiet():
        apart, slope = _with_gradient(partial(ug.losses.contrastive, [0.0], near), far)
        _near("contrastive loss of others far apart", apart, [0.0], 0.0)
        _near("its gradient", slope, [[0.0, 0.0]], 0.0)
        wide = ug.full((1, 2), 6e4, dtype="float16")
        found, slope = _with_gradient(lambda x: ug.losses.gaussian_nll(near, x, wide), far)
    _near("loss of a wide normal", found, [0.5 * (np.log(6e4) + 1e8 / 6e4)], 1e-3)
    _near("its gradient", slope, [[0.5e4 / 6e4, -0.5e4 / 6e4]], 1e-3)
    for loss in (ug.losses.iou, ug.losses.giou):
        small, large = (
            [ug.asarray(size * box, dtype="float16") for box in _BOXES] for size in (1, 300)
        )
        value, slope = _with_gradient(partial(loss, small[0]), small[1])
        found, gradient = _with_gradient(partial(loss, large[0]), large[1])
        _near("loss of large boxes", found, value.numpy(), 2e-3)
        _near("its gradient", gradient * 300.0, slope.numpy(), 5e-3)


def losses_are_compiled() -> None:
    """A program computes what eager mode does; labels of no class are NaN there."""
    chosen = [one for one in table() if one.name in ("multi_margin", "giou", "ctc")]
    inputs = [(_targets(one, "float64"), ug.asarray(one.y_pred)) for one in chosen]

    @ug.jit
    def run(inputs: Any, mask: ug.Tensor, far: ug.Tensor) -> Any:
        found = [one.call(y, x) for one, (y, x) in zip(chosen, inputs, strict=True)]
        counted = [
            one.call(y, x, mask=mask, reduction="mean")
            for one, (y, x) in zip(chosen, inputs, strict=True)
        ]
        return (
            found,
            counted,
            ug.losses.ctc(far, inputs[-1][1]),
            ug.losses.multi_margin(far[:, 0], inputs[0][1]),
        )

    mask = np.array([True, True, False, True])
    far = ug.asarray([[9, 1], [-1, 2], [1, 1], [2, 3]])
    found, counted, spoken, margins = run(inputs, ug.asarray(mask), far)
    for one, values, mean in zip(chosen, found, counted, strict=True):
        with quiet():
            expected = one.formula(one.y_true, one.y_pred)
        _near(one.name, values, expected, 1e-12)
        _near(f"mean of {one.name}", mean, expected[mask].mean(), 1e-12)
    for name, values in (("ctc", spoken), ("multi_margin", margins)):
        if np.isnan(values.numpy()).tolist() != [True, True, False, False]:
            raise Deviation(f"{name} of labels outside of the classes: {values.numpy()}")


def losses(thorough: bool = False) -> list[tuple[str, Callable[[], None]]]:
    """Return two checks per loss, by name."""
    return [
        *((one.name, partial(check_loss, one, thorough)) for one in table()),
        *((f"{one.name}: masks", partial(check_mask, one, thorough)) for one in table()),
    ]


def promises(thorough: bool = False) -> list[tuple[str, Callable[[], None]]]:
    """Return the other checks, by name."""
    return [
        ("logits of ten thousand", partial(far_logits_are_finite, thorough)),
        ("means of half precision", a_mean_does_not_overflow),
        ("squares of half precision", a_square_does_not_overflow),
        ("compiled losses", losses_are_compiled),
    ]
