"""What a mask leaves out of layers, and what a cache of attention holds.

What is at a masked place counts in no result at the other places and in no gradient: infinities and
NaN there give what zeros give, eager and compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.layers import in_float64
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, require_close

_CLOSE = 1e-10
_L: Any = ug.layers
#: The first sequence has its padding in front, the second behind.
_REAL = np.array([[False, False, True, True, True], [True, True, True, True, False]])
_UNITS = 4
_Call = Callable[[Any, Any, Any], Any]


def _x(seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(*_REAL.shape, _UNITS))


def _padding_does_not_count(make: Callable[[], Any], call: _Call, both: bool = False) -> None:
    """Compare the loss at real places and its gradients with those that zeros as padding give.

    ``call`` takes the layer, the input and the mask; with ``both`` the input is masked where it is
    a memory, so that all places of the result are real.
    """
    real = ug.asarray(_REAL)

    def loss(layer: Any, x: Any) -> Any:
        out = call(layer, x, real)
        return ug.sum((out if both else ug.where(real[:, :, None], out, 0.0)) ** 3)

    with in_float64():
        layer = make()
        call(layer, ug.asarray(_x()), real)
        for run in (loss, ug.jit(loss)):
            found = []
            for padding in (0.0, np.nan, np.inf, -1e300):
                x = np.where(_REAL[:, :, None], _x(), padding)
                value, slopes = ug.value_and_grad(run, argnums=(0, 1))(layer, ug.asarray(x))
                leaves = [value, *ug.tree.leaves(slopes)]
                found.append([one.numpy() for one in leaves])
            for others in found[1:]:
                for want, got in zip(found[0], others, strict=True):
                    bound = _CLOSE * max(1.0, float(np.abs(want).max(initial=0.0)))
                    require_close("with padding of no meaning", got, want, bound)


def _masked(layer: Any, x: Any, real: Any) -> Any:
    return layer(x, key_mask=real)


def _decoded(layer: Any, x: Any, real: Any) -> Any:
    return layer(x, ug.asarray(_x(1)), key_mask=real)


def _looked_up(layer: Any, x: Any, real: Any) -> Any:
    return layer(ug.asarray(_x(1)), x, memory_mask=real)


def nothing_counts() -> None:
    """A batch in which nothing counts leaves the running moments, eager and compiled."""
    x = ug.asarray(_x())
    nowhere = ug.asarray(np.zeros_like(_REAL))

    def masked(layer: Any) -> None:
        layer(x, mask=nowhere, training=True)

    def empty(layer: Any) -> None:
        layer(x[:0], training=True)

    def empty_with_mask(layer: Any) -> None:
        layer(x[:0], mask=nowhere[:0], training=True)

    for unbiased in (False, True):
        with in_float64():
            layer = _L.BatchNorm(momentum=0.5, unbiased=unbiased)
            layer(x, training=True)
            before = layer.state_dict()
            for step in (masked, empty, empty_with_mask):
                for run in (step, ug.jit(step)):
                    run(layer)
                    for name, one in layer.state_dict().items():
                        require_close(f"{name} after {step.__name__}", one, before[name], 0.0)


def _blocks() -> tuple[tuple[str, Any, Callable[..., Any]], ...]:
    """Return layers with a cache, how they are called, and their names."""
    memory = ug.asarray(_x(1))
    return (
        ("MultiHeadAttention", _L.MultiHeadAttention(2), lambda layer, x, **s: layer(x, **s)),
        (
            "TransformerDecoderBlock",
            _L.TransformerDecoderBlock(2, 6),
            lambda layer, x, **s: layer(x, memory, **s),
        ),
    )


def cache_that_is_full() -> None:
    """More steps than a cache holds: an error or, where nobody can count them, NaN."""
    with in_float64():
        for name, layer, call in _blocks():
            x = ug.asarray(_x())
            whole = call(layer, x, causal=True).numpy()

            def step(cache: Any, x: Any, layer: Any = layer, call: Any = call) -> Any:
                return call(layer, x, cache=cache)

            # One by one until it is full, and a part that does not fit behind another.
            for widths in ((1, 1, 1, 1), (2, 2)):
                for compiled in (False, True):
                    run = ug.jit(step) if compiled else step
                    cache, start = layer.cache(len(_REAL), 3), 0
                    for width in widths:
                        part = slice(start, start + width)
                        fits = start + width <= 3
                        try:
                            out, cache = run(cache, x[:, part])
                        except ug.ShapeError:
                            if fits or compiled:
                                raise
                            break
                        want = whole[:, part] if fits else np.full_like(whole[:, part], np.nan)
                        require_close(f"{name}, steps from {start} on", out.numpy(), want, _CLOSE)
                        start += width


def mask_of_a_cache() -> None:
    """A mask of all steps of a cache is right step by step, and in parts; others are refused."""
    with in_float64():
        for name, layer, call in _blocks():
            x = np.where(_REAL[:, :, None], _x(), np.nan)
            real = ug.asarray(_REAL)
            whole = call(layer, ug.asarray(x), causal=True, key_mask=real).numpy()
            for widths in ((1, 1, 1, 1, 1), (3, 2)):
                cache, start, found = layer.cache(*_REAL.shape), 0, []
                for width in widths:
                    part = ug.asarray(x[:, start : start + width])
                    out, cache = call(layer, part, cache=cache, key_mask=real)
                    found.append(out.numpy())
                    start += width
                got = np.concatenate(found, axis=1)
                require_close(f"{name}, masked", got[_REAL], whole[_REAL], _CLOSE)
            for wrong in (_REAL[:, :1], _REAL[:, :3], _REAL[:1]):
                try:
                    call(
                        layer, ug.asarray(_x()[:, :1]), cache=layer.cache(*_REAL.shape),
                        key_mask=ug.asarray(wrong),
                    )  # fmt: skip
                except ug.ShapeError:
                    continue
                raise Deviation(f"{name}: beside a cache, a mask {wrong.shape} is taken")


def cache_of_a_memory() -> None:
    """A cache is for self-attention: with keys or values of their own it is refused."""
    layer = _L.MultiHeadAttention(2)
    x = ug.asarray(_x())
    layer(x)
    for given in ({"key": x[:, :2]}, {"value": x[:, :1] * 2.0}):
        try:
            layer(x[:, :1], cache=layer.cache(*_REAL.shape), **given)
        except ug.SettingError:
            continue
        raise Deviation(f"a cache with {[*given]} of its own is taken")


def negative_positions() -> None:
    """A start below 0 is refused where it is a number, and no row of a table from the end."""
    x = ug.asarray(_x())
    for layer in (_L.SinusoidalPositions(), _L.LearnedPositions(7)):
        layer(x)
        try:
            layer(x, start=-1)
        except ug.SettingError:
            continue
        raise Deviation(f"{layer.name}: start=-1 is taken")
    learned = _L.LearnedPositions(7)
    learned(x)
    out = ug.jit(lambda start: learned(x, start=start) - x)(ug.asarray(-1)).numpy()
    want = learned.table.numpy()[:4][None].repeat(2, 0)
    require_close("rows behind the first", out[:, 1:], want, 1e-6)
    if not np.isnan(out[:, 0]).all():
        raise Deviation("LearnedPositions: a traced start of -1 has a row")


def _normalized(layer: Any, x: Any, real: Any) -> Any:
    return layer(x, mask=real, training=True)


#: Checks by name.
MASKED_LAYERS: dict[str, Callable[[], None]] = {
    "padding, BatchNorm in training": partial(
        _padding_does_not_count, lambda: _L.BatchNorm(), _normalized
    ),
    "padding, BatchNorm": partial(
        _padding_does_not_count, lambda: _L.BatchNorm(), lambda m, x, real: m(x, mask=real)
    ),
    **{
        f"padding, {kind}, norm first: {first}": partial(
            _padding_does_not_count,
            partial(getattr(_L, kind), 2, 6, norm_first=first),
            call,
        )
        for kind, call in (
            ("TransformerEncoderBlock", _masked),
            ("TransformerDecoderBlock", _decoded),
        )
        for first in (False, True)
    },
    "padding of a memory, TransformerDecoderBlock": partial(
        _padding_does_not_count, lambda: _L.TransformerDecoderBlock(2, 6), _looked_up, both=True
    ),
    "padding, MultiHeadAttention": partial(
        _padding_does_not_count, lambda: _L.MultiHeadAttention(2), _masked
    ),
    "padding, GRU": partial(
        _padding_does_not_count,
        lambda: _L.GRU(3, return_sequences=True),
        lambda m, x, real: m(x, mask=real),
    ),
    "padding, LSTM": partial(
        _padding_does_not_count,
        lambda: _L.LSTM(3, return_sequences=True),
        lambda m, x, real: m(x, mask=real),
    ),
    "BatchNorm of nothing": nothing_counts,
    "attention with a cache that is full": cache_that_is_full,
    "attention with a mask and a cache": mask_of_a_cache,
    "attention with a cache of a memory": cache_of_a_memory,
    "positions below 0": negative_positions,
}
