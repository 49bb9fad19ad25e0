"""Samples of unigrad.ops.losses."""

from typing import Any

import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance.sample import case, real, samples, values


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _hot(labels: Any, classes: int) -> Any:
    return np.eye(classes)[labels]


def _crossentropy(logits: Any, labels: Any) -> Any:
    return -(np.log(_softmax(logits)) * _hot(labels, logits.shape[-1])).sum(-1)


def _slope(g: Any, logits: Any, labels: Any) -> Any:
    return g[..., None] * (_softmax(logits) - _hot(labels, logits.shape[-1]))


def _huber(y_true: Any, y_pred: Any, delta: Any = 1.0) -> Any:
    distance = np.abs(y_pred - y_true)
    far = delta * (distance - 0.5 * delta)
    return np.where(distance <= delta, 0.5 * distance**2, far).mean(-1)


samples(
    "losses.huber",
    case(real(3), real(3)),
    case(real(2, 4, low=-3, high=3), real(2, 4), delta=0.7),
    oracle=_huber,
    ulps=8,
    call=lambda ug, t, p, delta=1.0: ug.losses.huber(ug.asarray(t), ug.asarray(p), delta=delta),
)
samples(
    "sparse_softmax_crossentropy",
    case(real(4, 3), values([0, 2, 1, 1])),
    case(real(2, 3, 5), values([[4, 0, 2], [1, 1, 3]])),
    case(real(3), values(1)),
    case(real(0, 3), values(np.zeros(0, np.int64))),
    oracle=_crossentropy,
    ulps=8,
    call=lambda ug, x, i: ug.losses.sparse_categorical_crossentropy(i, x, from_logits=True),
)
samples(
    "sparse_softmax_crossentropy_gradient",
    case(real(4), real(4, 3), values([0, 2, 1, 1])),
    case(real(2, 3), real(2, 3, 5), values([[4, 0, 2], [1, 1, 3]])),
    oracle=_slope,
    ulps=8,
    call=lambda ug, g, x, i: OPS["sparse_softmax_crossentropy_gradient"](g, x, i),
)
