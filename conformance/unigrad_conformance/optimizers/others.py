"""Optimizers without Adam's two moments by hand. See `adaptive`."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from unigrad_conformance.optimizers.adaptive import Run, correction


def sgd(w: Any, n: Any, nesterov: bool = False, rate_inside: bool = False) -> Run:
    """Steepest descent, with a heavy ball if there is momentum."""
    v = np.zeros_like(w)
    for t in count(1):
        g = yield w
        fresh = g * (n.learning_rate if rate_inside else 1.0)
        v = n.momentum * v + (fresh if t == 1 else (1 - n.dampening) * fresh)
        moved = fresh + n.momentum * v if nesterov else v
        w = w - moved * (1.0 if rate_inside else n.learning_rate)


def momentum(w: Any, n: Any) -> Run:
    """The lecture's."""
    v = np.zeros_like(w)
    while True:
        g = yield w
        v = n.beta * v + (1 - n.beta) * g
        w = w - n.learning_rate * v


def rmsprop(
    w: Any,
    n: Any,
    centered: bool = False,
    nesterov: bool = False,
    epsilon_at: str = "outside",
    rate_inside: bool = False,
    bias_correction: bool = False,
    initial_square: float = 0.0,
) -> Run:
    """Tieleman & Hinton's."""
    v, a, b = np.full_like(w, initial_square), np.zeros_like(w), np.zeros_like(w)
    for t in count(1):
        g = yield w
        v = n.rho * v + (1 - n.rho) * g**2
        a = n.rho * a + (1 - n.rho) * g
        size = 1 / correction(n.rho, t) if bias_correction else 1.0
        variance = v * size - (a * size) ** 2 if centered else v * size
        if epsilon_at == "outside":
            fresh = g / (np.sqrt(variance) + n.epsilon)
        else:
            fresh = g / np.sqrt(variance + n.epsilon)
        fresh = fresh * (n.learning_rate if rate_inside else 1.0)
        b = n.momentum * b + fresh
        moved = fresh + n.momentum * b if nesterov else b
        w = w - moved * (1.0 if rate_inside else n.learning_rate)


def adagrad(w: Any, n: Any, initial_sum: float = 0.0, epsilon_at: str = "outside") -> Run:
    """Duchi's."""
    s = np.full_like(w, initial_sum)
    for t in count(1):
        g = yield w
        s = s + g**2
        below = np.sqrt(s) + n.epsilon if epsilon_at == "outside" else np.sqrt(s + n.epsilon)
        w = w - n.learning_rate / (1 + (t - 1) * n.rate_decay) * g / below


def adadelta(w: Any, n: Any) -> Run:
    """Zeiler's."""
    v = u = np.zeros_like(w)
    while True:
        g = yield w
        v = n.rho * v + (1 - n.rho) * g**2
        d = np.sqrt(u + n.epsilon) / np.sqrt(v + n.epsilon) * g
        u = n.rho * u + (1 - n.rho) * d**2
        w = w - n.learning_rate * d


def lion(w: Any, n: Any) -> Run:
    """Chen's."""
    m = np.zeros_like(w)
    while True:
        g = yield w
        w = w - n.learning_rate * np.sign(n.beta1 * m + (1 - n.beta1) * g)
        m = n.beta2 * m + (1 - n.beta2) * g


def rprop(w: Any, n: Any, late: bool = False) -> Run:
    """Riedmiller & Braun's, without back-tracking."""
    before = change = np.zeros_like(w)
    size = np.zeros_like(w)
    for t in count(1):
        g = yield w
        size = np.full_like(w, n.learning_rate) if t == 1 else size
        agree = np.sign(g) * np.sign(before)
        size = np.where(agree > 0, n.grow * size, np.where(agree < 0, n.shrink * size, size))
        size = np.clip(size, n.least_step, n.largest_step)
        before = np.where(agree < 0, 0.0, g)
        now = size * np.sign(before)
        w = w - (np.where(agree < 0, 0.0, change) if late else now)
        change = now


def lars(w: Any, n: Any, nesterov: bool = False) -> Run:
    """You's first."""
    v = np.zeros_like(w)
    while True:
        g = yield w
        length, size = np.sqrt(np.sum(w**2)), np.sqrt(np.sum(g**2))
        ratio = n.trust * length / (size + n.epsilon) if length > 0 and size > 0 else 1.0
        fresh = n.learning_rate * ratio * g
        v = n.momentum * v + fresh
        w = w - (fresh + n.momentum * v if nesterov else v)


def adafactor(
    w: Any,
    n: Any,
    relative_step: bool = True,
    scale_parameter: bool = True,
    epsilon_at: str = "square",
    decay: str = "beside",
    clips: bool = True,
    least_size: int = 0,
) -> Run:
    """Shazeer & Stern's, for matrices and vectors."""
    row, column, v, b = 0.0, 0.0, np.zeros_like(w), np.zeros_like(w)
    for t in count(1):
        g = yield w
        lost = n.weight_decay * (1.0 if decay == "plain" else n.learning_rate) * w
        if decay == "before":
            w, lost = w - lost, 0.0
        share = 1 - t**-n.decay_power
        square = g**2 + (n.epsilon if epsilon_at == "square" else 0.0)
        if np.ndim(w) == 2 and min(w.shape) >= least_size:
            row = share * row + (1 - share) * square.mean(1, keepdims=True)
            column = share * column + (1 - share) * square.mean(0, keepdims=True)
            whole = np.mean(row)
            estimate = row * column / (whole if epsilon_at == "square" else max(whole, n.epsilon))
        else:
            v = share * v + (1 - share) * square
            estimate = v
        if epsilon_at == "estimate":
            estimate = np.maximum(estimate, n.epsilon**2)
        u = g / np.sqrt(estimate)
        u = u / max(1.0, np.sqrt(np.mean(u**2)) / n.threshold) if clips else u
        pace = min(n.learning_rate, 1 / np.sqrt(t)) if relative_step else n.learning_rate
        size = max(n.least_scale, np.sqrt(np.mean(w**2))) if scale_parameter else 1.0
        change = pace * size * u
        b = n.momentum * b + (1 - n.momentum) * change
        w = w - lost - (b if n.momentum else change)


def muon(
    w: Any,
    n: Any,
    nesterov: bool = True,
    steps: int = 5,
    scale: str = "rows",
    accumulate: str = "mean",
    adam_epsilon_at: str = "outside",
) -> Run:
    """Jordan's, with Adam for what is no matrix."""
    m = v = np.zeros_like(w)
    for t in count(1):
        g = yield w
        if np.ndim(w) != 2:
            m = n.beta1 * m + (1 - n.beta1) * g
            v = n.beta2 * v + (1 - n.beta2) * g**2
            root = np.sqrt(correction(n.beta2, t))
            floor = n.adam_epsilon if adam_epsilon_at == "outside" else n.adam_epsilon / root
            rate = n.learning_rate * n.rate_ratio
            w = w - rate * m / correction(n.beta1, t) / (np.sqrt(v) / root + floor)
            continue
        share = 1.0 if accumulate == "sum" else 1 - n.momentum
        m = n.momentum * m + share * g
        x = n.momentum * m + share * g if nesterov else m
        if accumulate == "corrected":
            own = correction(n.momentum, t)
            ahead = n.momentum * m / correction(n.momentum, t + 1)
            x = ahead + share * g / own if nesterov else m / own
        x = x / (np.sqrt(np.sum(x**2)) + n.epsilon)
        for _ in range(steps):
            gram = x @ x.T
            x = 3.4445 * x - 4.775 * gram @ x + 2.0315 * gram @ gram @ x
        rows, columns = w.shape
        size = {
            "rows": np.sqrt(max(1.0, rows / columns)),
            "outputs": np.sqrt(max(1.0, columns / rows)),
            "rms": 0.2 * np.sqrt(max(rows, columns)),
            "none": 1.0,
        }[scale]
        w = w - n.learning_rate * size * x


def soap(w: Any, n: Any, every: int = 10, largest_size: int = 4096) -> Run:
    """Vyas's, of matrices; Adam for the others."""
    m = v = np.zeros_like(w)
    matrix = np.ndim(w) == 2
    bases = [np.eye(size) for size in w.shape] if matrix else []
    grams = [np.zeros((size, size)) for size in w.shape] if matrix else []
    turns = [matrix and size <= largest_size for size in w.shape]
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        inside = [bases[0].T @ x @ bases[1] if matrix else x for x in (g, m)]
        v = n.beta2 * v + (1 - n.beta2) * inside[0] ** 2
        step = inside[1] / (1 - n.beta1**t) / (np.sqrt(v / (1 - n.beta2**t)) + n.epsilon)
        w = w - n.learning_rate * (bases[0] @ step @ bases[1].T if matrix else step)
        for side, x in enumerate((g, g.T)[: len(bases)]):
            if turns[side]:
                fresh = (1 - n.shampoo_beta) * x @ x.T
                grams[side] = n.shampoo_beta * grams[side] + fresh
                if t % every == 1 or every == 1:
                    lifted = n.shift * np.mean(np.diag(grams[side])) * np.eye(len(x))
                    q, r = np.linalg.qr((grams[side] + lifted) @ bases[side])
                    bases[side] = q * np.where(np.diag(r) < 0, -1.0, 1.0)
