"""Samples of unigrad.ops.convolution and unigrad.ops.pooling."""

import itertools
from typing import Any

import numpy as np

from unigrad_conformance.sample import case, distinct, real, samples


def _pairs(shape: Any, window: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    """Return (before, after) per axis, by the definition of each padding."""
    found = []
    for n, k, s, d in zip(shape, window, strides, dilation, strict=True):
        span = (k - 1) * d + 1
        if padding == "same":
            total = max((-(-n // s) - 1) * s + span - n, 0)
            found.append((total // 2, total - total // 2))
        elif padding == "causal":
            found.append((span - 1, 0))
        else:
            found.append((0, 0) if padding == "valid" else (padding, padding))
    return found


def _places(lengths: Any) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, lengths)))


def _all(value: Any, rank: int) -> Any:
    return (value,) * rank if isinstance(value, int) else value


def _conv(
    x: Any, w: Any, strides: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1
) -> Any:
    """Sum window by window, as the definition says."""
    rank = x.ndim - 2
    s, d, window = _all(strides, rank), _all(dilation, rank), w.shape[:-2]
    if isinstance(padding, (str, int)):
        padding = _pairs(x.shape[1:-1], window, s, padding, d)
    x = np.pad(x, [(0, 0), *padding, (0, 0)])
    spans = [(k - 1) * e + 1 for k, e in zip(window, d, strict=True)]
    lengths = [(n - r) // t + 1 for n, r, t in zip(x.shape[1:-1], spans, s, strict=True)]
    inputs, units = w.shape[-2], w.shape[-1] // groups
    out: Any = np.zeros((x.shape[0], *lengths, w.shape[-1]))
    for o in _places(lengths):
        key = [slice(i * t, i * t + r, e) for i, t, r, e in zip(o, s, spans, d, strict=True)]
        block = x[(slice(None), *key)]
        for g in range(groups):
            part = block[..., g * inputs : (g + 1) * inputs]
            matrix = w[..., g * units : (g + 1) * units]
            axes = list(range(1, rank + 2)), list(range(rank + 1))
            out[(slice(None), *o, slice(g * units, (g + 1) * units))] = np.tensordot(
                part, matrix, axes
            )
    return out


def _depthwise(x: Any, w: Any, **settings: Any) -> Any:
    kernel = w.reshape(*w.shape[:-2], 1, -1)
    return _conv(x, kernel, groups=x.shape[-1], **settings)


def _transposed(
    x: Any,
    w: Any,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: int = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Spread every element over the window that it comes from."""
    rank = x.ndim - 2
    s, d, window = _all(strides, rank), _all(dilation, rank), w.shape[:-2]
    spans = [(k - 1) * e + 1 for k, e in zip(window, d, strict=True)]
    full = [(n - 1) * t + r for n, t, r in zip(x.shape[1:-1], s, spans, strict=True)]
    whole = [n * t for n, t in zip(x.shape[1:-1], s, strict=True)]
    room = [max(n, m) + output_padding for n, m in zip(full, whole, strict=True)]
    outputs, inputs = w.shape[-2], w.shape[-1] // groups
    out: Any = np.zeros((x.shape[0], *room, outputs * groups))
    for o in _places(x.shape[1:-1]):
        key = [slice(i * t, i * t + r, e) for i, t, r, e in zip(o, s, spans, d, strict=True)]
        for g in range(groups):
            rows = x[(slice(None), *o, slice(g * inputs, (g + 1) * inputs))]
            matrix = w[..., g * inputs : (g + 1) * inputs]
            spread = np.moveaxis(np.tensordot(matrix, rows, ([-1], [-1])), -1, 0)
            out[(slice(None), *key, slice(g * outputs, (g + 1) * outputs))] += spread
    if padding == "valid":
        return out
    if padding == "same":
        cut = [(max(r - t, 0) // 2, n * t) for r, t, n in zip(spans, s, x.shape[1:-1], strict=True)]
    else:
        cut = [(padding, n + output_padding - 2 * padding) for n in full]
    return out[(slice(None), *[slice(a, a + n) for a, n in cut])]


samples(
    "conv",
    case(real(2, 4, 2), real(2, 2, 3)),
    case(real(1, 5, 2), real(2, 2, 2), dilation=2, padding="causal"),
    case(real(1, 3, 4, 2), real(2, 3, 2, 2), strides=(2, 1), padding=1),
    case(
        real(1, 3, 3, 2),
        real(2, 2, 1, 4),
        strides=2,
        dilation=2,
        groups=2,
        padding=((1, 0), (0, 1)),
    ),
    case(real(1, 3, 4, 3, 2), real(2, 2, 1, 2, 2), strides=(1, 2, 1)),
    case(real(0, 4, 2), real(3, 2, 3)),
    oracle=_conv,
    ulps=32.0,
)
samples(
    "depthwise_conv",
    case(real(1, 3, 3, 2), real(2, 2, 2, 2), padding="same"),
    oracle=_depthwise,
    ulps=32.0,
    brief=True,  # It is a case of conv.
)
samples(
    "conv_transpose",
    case(real(1, 3, 2), real(2, 3, 2), strides=3),
    case(real(1, 3, 3, 2), real(3, 2, 2, 2), strides=2, padding=1, output_padding=1),
    case(real(1, 3, 2, 4), real(2, 3, 2, 4), strides=(2, 1), groups=2, padding="same"),
    case(real(0, 3, 2), real(3, 4, 2)),
    oracle=_transposed,
    ulps=32.0,
)


def _pooled(reduce: Any, fill: float) -> Any:
    def run(x: Any, window: Any, strides: Any = None, padding: Any = "valid") -> Any:
        rank = x.ndim - 2
        k = _all(window, rank)
        s = k if strides is None else _all(strides, rank)
        pairs = _pairs(x.shape[1:-1], k, s, padding, (1,) * rank)
        x = np.pad(x.astype(float), [(0, 0), *pairs, (0, 0)], constant_values=fill)
        lengths = [(n - m) // t + 1 for n, m, t in zip(x.shape[1:-1], k, s, strict=True)]
        out: Any = np.zeros((x.shape[0], *lengths, x.shape[-1]))
        for o in _places(lengths):
            key = [slice(i * t, i * t + m) for i, t, m in zip(o, s, k, strict=True)]
            out[(slice(None), *o)] = reduce(x[(slice(None), *key)], tuple(range(1, rank + 1)))
        return out

    return run


samples(
    "max_pool",
    case(distinct(1, 5, 4, 2), (3, 2), strides=(2, 1), padding="same"),
    case(distinct(0, 4, 2), 2),
    oracle=_pooled(np.max, -np.inf),
    ulps=0.0,
)
samples(
    "average_pool",
    case(real(1, 5, 4, 2), (3, 2), strides=(2, 1), padding="same"),
    case(real(0, 4, 2), 2),
    oracle=_pooled(np.nanmean, np.nan),
    ulps=8.0,
)
