"""The table of losses.

Each loss has a formula in NumPy beside it. It is computed in long double, whose differences are
its gradient; so nothing of unigrad takes part in what is expected.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

import unigrad as ug

#: What NumPy computes with.
Array: TypeAlias = Any

_random = np.random.default_rng(11)
_X = _random.normal(size=(4, 3)) * 2
_Y = _random.normal(size=(4, 3))
_P = _random.uniform(0.1, 0.9, size=(4, 3))
_SIGNS = np.where(_Y > 0, 1.0, -1.0)
EVENTS = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.25, 1.0, 0.5], [1.0, 1.0, 0.0]])
CLASSES = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.5, 0.3, 0.2], [0.1, 0.9, 0.0]])
LABELS = np.array([2, 0, 1, 1])
_FACTORS = np.array([0.5, 2.0, 1.25])
_BOXES = np.array([[0, 0, 2, 2], [1, 1, 4, 3], [0, 0, 1, 1], [-1.0, -2, 5, 0.5]])
_OTHERS = np.array([[1, 0.5, 3, 2.5], [1.5, 0, 3, 2], [2.5, 2, 3, 3], [-2.0, -1, 4, 1]])
_FRAMES = _random.normal(size=(4, 5, 4))
_SPOKEN = np.array([[1, 1], [2, 3], [3, 1], [2, 1]])
_SPOKEN_LENGTHS, _FRAME_LENGTHS = np.array([2, 1, 2, 0]), np.array([5, 4, 2, 3])


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _entropy(y: Array, p: Array) -> Array:
    """Return -Σ y log p, 0 log 0 being 0."""
    return -np.where(y == 0, 0, y * np.log(np.where(y == 0, 1, p))).sum(-1)


def _event(y: Array, p: Array, c: float = 1.0) -> Array:
    return -(c * y * np.log(p) + (1 - y) * np.log1p(-p))


def _smooth(y: Array, share: float, classes: int) -> Array:
    return (1 - share) * y + share / classes


def _hot(labels: Array) -> Array:
    return np.eye(3)[labels]


def _focal(y: Array, p: Array) -> Array:
    q = y * (1 - p) + (1 - y) * p
    return (q**1.5 * _event(y, p) * (0.25 * y + 0.75 * (1 - y))).mean(-1)


def _margins(labels: Array, x: Array) -> Array:
    own = np.take_along_axis(x, labels[:, None], -1)
    short = np.maximum(0.8 - own + x, 0) ** 2
    return np.where(_hot(labels) == 1, 0, short).mean(-1)


def _cosine(y: Array, p: Array) -> Array:
    return -(y * p).sum(-1) / np.sqrt((y * y).sum(-1) * (p * p).sum(-1))


def _length(x: Array) -> Array:
    return np.sqrt((x * x).sum(-1))


def _pairs(y: Array, p: Array) -> Array:
    distance, same = _length(p - _Y), np.array([1, 0, 0, 1])
    return same * distance**2 + (1 - same) * np.maximum(4 - distance, 0) ** 2


def _triplets(y: Array, p: Array) -> Array:
    return np.maximum(_length(p - y) - _length(p - y[::-1]) + 1, 0)


def _overlap(y: Array, p: Array) -> tuple[Array, Array, Array]:
    sides = np.minimum(y[:, 2:], p[:, 2:]) - np.maximum(y[:, :2], p[:, :2])
    common = np.maximum(sides, 0).prod(-1)
    union = sum((one[:, 2:] - one[:, :2]).prod(-1) for one in (y, p)) - common
    around = (np.maximum(y[:, 2:], p[:, 2:]) - np.minimum(y[:, :2], p[:, :2])).prod(-1)
    return common / union, union, around


def _giou(y: Array, p: Array) -> Array:
    share, union, around = _overlap(y, p)
    return 1 - share + (around - union) / around


def _read(path: tuple[int, ...]) -> list[int]:
    """Return what an alignment reads: without repetitions, then without blanks."""
    return [one for one, _ in itertools.groupby(path) if one]


def _ctc(labels: Array, x: Array) -> Array:
    """Return -log of the sum over all alignments, one after the other."""
    p, found = _softmax(x), []
    for i, (size, steps) in enumerate(zip(_SPOKEN_LENGTHS, _FRAME_LENGTHS, strict=True)):
        wanted = labels[i, :size].tolist()
        paths = [
            one for one in itertools.product(range(4), repeat=int(steps)) if _read(one) == wanted
        ]
        found.append(-np.log(sum(p[i, np.arange(steps), path].prod() for path in paths)))
    return np.array(found)


@dataclass(frozen=True)
class Loss:
    """One line of the table: a call ``(y, x, **counting)``, its formula ``(y, x)``, its inputs."""

    name: str
    call: Callable[..., Any]
    formula: Callable[[Array, Array], Array]
    y_true: Array
    y_pred: Array
    #: By what the mean is taken beside weights, ``(y)``.
    shares: Callable[[Array], Array] | None = None


def _spoken(y: Any, x: Any, **settings: Any) -> Any:
    return ug.losses.ctc(
        y, x, label_lengths=_SPOKEN_LENGTHS, logit_lengths=_FRAME_LENGTHS, **settings
    )


def _named(name: str, **settings: Any) -> Callable[..., Any]:
    return partial(getattr(ug.losses, name), **settings)


def table() -> list[Loss]:
    weighed = {"class_weights": _FACTORS, "label_smoothing": 0.1, "from_logits": True}
    logits: dict[str, Any] = {"from_logits": True}
    focal: dict[str, Any] = {"gamma": 1.5, "alpha": 0.25}

    def weighed_entropy(y: Array, x: Array) -> Array:
        return _entropy(_FACTORS * _smooth(y, 0.1, 3), _softmax(x))

    def focal_classes(y: Array, p: Array) -> Array:
        return _entropy(0.25 * (1 - p) ** 1.5 * y, p)

    return [
        Loss("mse", _named("mse"), lambda y, p: ((p - y) ** 2).mean(-1), _Y, _X),
        Loss("mae", _named("mae"), lambda y, p: np.abs(p - y).mean(-1), _Y, _X),
        Loss(
            "huber", _named("huber", delta=1.5),
            lambda y, p: np.where(
                np.abs(p - y) <= 1.5, (p - y) ** 2 / 2, 1.5 * (np.abs(p - y) - 0.75)
            ).mean(-1), _Y, _X,
        ),
        Loss("log_cosh", _named("log_cosh"), lambda y, p: np.log(np.cosh(p - y)).mean(-1), _Y, _X),
        Loss("hinge", _named("hinge"), lambda y, p: np.maximum(1 - y * p, 0).mean(-1), _SIGNS, _X),
        Loss(
            "squared_hinge", _named("squared_hinge"),
            lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1), _SIGNS, _X,
        ),
        Loss(
            "categorical_hinge", _named("categorical_hinge"),
            lambda y, p: np.maximum(1 + ((1 - y) * p).max(-1) - (y * p).sum(-1), 0), CLASSES, _X,
        ),
        Loss("multi_margin", _named("multi_margin", margin=0.8, power=2), _margins, LABELS, _X),
        Loss(
            "multi_margin, weights of classes",
            _named("multi_margin", margin=0.8, power=2, class_weights=_FACTORS),
            lambda y, x: _FACTORS[y] * _margins(y, x), LABELS, _X, lambda y: _FACTORS[y],
        ),
        Loss(
            "binary_crossentropy", _named("binary_crossentropy", label_smoothing=0.2),
            lambda y, p: _event(_smooth(y, 0.2, 2), p).mean(-1), EVENTS, _P,
        ),
        Loss(
            "binary_crossentropy of logits",
            _named("binary_crossentropy", pos_weight=3.0, **logits),
            lambda y, x: _event(y, _sigmoid(x), 3.0).mean(-1), EVENTS, _X,
        ),
        Loss(
            "categorical_crossentropy", _named("categorical_crossentropy"), _entropy, CLASSES, _P
        ),
        Loss(
            "categorical_crossentropy of logits, weights of classes",
            _named("categorical_crossentropy", **weighed), weighed_entropy, CLASSES, _X,
            lambda y: (y * _FACTORS).sum(-1),
        ),
        Loss(
            "sparse_categorical_crossentropy",
            _named("sparse_categorical_crossentropy", label_smoothing=0.1),
            lambda y, p: _entropy(_smooth(_hot(y), 0.1, 3), p), LABELS, _P,
        ),
        Loss(
            "sparse_categorical_crossentropy of logits",
            _named("sparse_categorical_crossentropy", **logits),
            lambda y, x: _entropy(_hot(y), _softmax(x)), LABELS, _X,
        ),
        Loss(
            "sparse_categorical_crossentropy of logits, weights of classes",
            _named("sparse_categorical_crossentropy", **weighed),
            lambda y, x: weighed_entropy(_hot(y), x), LABELS, _X, lambda y: _FACTORS[y],
        ),
        Loss(
            "binary_focal_crossentropy", _named("binary_focal_crossentropy", **focal), _focal,
            EVENTS, _P,
        ),
        Loss(
            "binary_focal_crossentropy of logits",
            _named("binary_focal_crossentropy", **focal, **logits),
            lambda y, x: _focal(y, _sigmoid(x)), EVENTS, _X,
        ),
        Loss(
            "categorical_focal_crossentropy", _named("categorical_focal_crossentropy", **focal),
            focal_classes, CLASSES, _P,
        ),
        Loss(
            "categorical_focal_crossentropy of logits",
            _named("categorical_focal_crossentropy", **focal, **logits),
            lambda y, x: focal_classes(y, _softmax(x)), CLASSES, _X,
        ),
        Loss(
            "kl_div", _named("kl_div"), lambda y, p: _entropy(y, p) - _entropy(y, y), CLASSES, _P
        ),
        Loss(
            "kl_div of logits", _named("kl_div", **logits),
            lambda y, x: _entropy(y, _softmax(x)) - _entropy(y, y), CLASSES, _X,
        ),
        Loss("poisson", _named("poisson"), lambda y, p: (p - y * np.log(p)).mean(-1), EVENTS, _P),
        Loss(
            "poisson of logarithms", _named("poisson", log_input=True),
            lambda y, x: (np.exp(x) - y * x).mean(-1), EVENTS, _X,
        ),
        Loss(
            "gaussian_nll",
            lambda y, x, **settings: ug.losses.gaussian_nll(
                y, x, _P.astype(np.dtype(x.dtype)), full=True, **settings
            ),
            lambda y, x: (0.5 * (np.log(2 * np.pi * _P) + (x - y) ** 2 / _P)).mean(-1), _Y, _X,
        ),
        Loss("cosine_similarity", _named("cosine_similarity"), _cosine, _Y, _X),
        Loss(
            "triplet",
            lambda y, x, **settings: ug.losses.triplet(x, y, ug.flip(y, axis=0), **settings),
            _triplets, _Y, _X,
        ),
        Loss(
            "contrastive", lambda y, x, **settings: ug.losses.contrastive(
                y, x, _Y.astype(np.dtype(x.dtype)), margin=4.0, **settings
            ),
            _pairs, np.array([1, 0, 0, 1]), _X,
        ),
        Loss("iou", _named("iou"), lambda y, p: 1 - _overlap(y, p)[0], _BOXES, _OTHERS),
        Loss("giou", _named("giou"), _giou, _BOXES, _OTHERS),
        Loss("ctc", _spoken, _ctc, _SPOKEN, _FRAMES),
    ]  # fmt: skip
