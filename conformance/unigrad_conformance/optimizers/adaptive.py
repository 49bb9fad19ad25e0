"""Adam and its kin by hand.

Each is a coroutine: it gets a parameter and an object with the numbers, yields the parameter, is
sent gradients, and reads the numbers anew at every step.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count
from typing import Any

import numpy as np

Run = Generator[Any, Any, None]


def correction(beta: float, t: int) -> Any:
    """Return 1 - βᵗ; the difference itself loses the digits that are alike: nine bits of 0.999."""
    return -np.expm1(t * np.log(beta)) if beta else 1.0


def adam(
    w: Any,
    n: Any,
    amsgrad: str | bool = False,
    nesterov: bool = False,
    epsilon_at: str = "outside",
    epsilon_root: float = 0.0,
) -> Run:
    """Kingma & Ba's algorithm 1, with the variants of its settings."""
    m = v = largest = np.zeros_like(w)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        v = n.beta2 * v + (1 - n.beta2) * g**2
        m_hat, v_hat = m / correction(n.beta1, t), v / correction(n.beta2, t)
        if nesterov:
            m_hat = n.beta1 * m / correction(n.beta1, t + 1) + (1 - n.beta1) * g / correction(
                n.beta1, t
            )
        if amsgrad:
            largest = np.maximum(largest, v_hat if amsgrad == "corrected" else v)
            v_hat = largest if amsgrad == "corrected" else largest / correction(n.beta2, t)
        if epsilon_at == "outside":
            below = np.sqrt(v_hat + epsilon_root) + n.epsilon
        elif epsilon_at == "inside":
            below = np.sqrt(v_hat + epsilon_root + n.epsilon)
        else:
            below = np.sqrt(v_hat + epsilon_root) + n.epsilon / np.sqrt(correction(n.beta2, t))
        w = w - n.learning_rate * m_hat / below


def adamax(w: Any, n: Any, epsilon_at: str = "inside") -> Run:
    """Kingma & Ba's algorithm 2."""
    m = u = np.zeros_like(w)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        u = np.maximum(n.beta2 * u, np.abs(g) + (n.epsilon if epsilon_at == "inside" else 0.0))
        below = u if epsilon_at == "inside" else u + n.epsilon
        w = w - n.learning_rate / correction(n.beta1, t) * m / below


def nadam(w: Any, n: Any) -> Run:
    """Dozat's."""
    m = v = np.zeros_like(w)
    product = 1.0
    for t in count(1):
        g = yield w
        now = n.beta1 * (1 - 0.5 * 0.96 ** (t * n.momentum_decay))
        following = n.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * n.momentum_decay))
        product = product * now
        m = n.beta1 * m + (1 - n.beta1) * g
        v = n.beta2 * v + (1 - n.beta2) * g**2
        ahead = following * m / (1 - product * following) + (1 - now) * g / (1 - product)
        w = w - n.learning_rate * ahead / (np.sqrt(v / correction(n.beta2, t)) + n.epsilon)


def radam(w: Any, n: Any, epsilon_at: str = "outside") -> Run:
    """Liu's."""
    m = v = np.zeros_like(w)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        v = n.beta2 * v + (1 - n.beta2) * g**2
        longest = 2 / (1 - n.beta2) - 1
        length = longest - 2 * t * n.beta2**t / correction(n.beta2, t)
        m_hat = m / correction(n.beta1, t)
        if length <= 5:
            w = w - n.learning_rate * m_hat
            continue
        top = (length - 4) * (length - 2) * longest
        rectified = np.sqrt(top / ((longest - 4) * (longest - 2) * length))
        root = np.sqrt(correction(n.beta2, t))
        floor = n.epsilon if epsilon_at == "outside" else n.epsilon / root
        w = w - n.learning_rate * rectified * m_hat / (np.sqrt(v) / root + floor)


def adabelief(w: Any, n: Any) -> Run:
    """Zhuang's."""
    m = s = np.zeros_like(w)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        s = n.beta2 * s + (1 - n.beta2) * (g - m) ** 2 + n.epsilon_root
        below = np.sqrt(s / correction(n.beta2, t)) + n.epsilon
        w = w - n.learning_rate * m / correction(n.beta1, t) / below


def yogi(w: Any, n: Any, initial: float = 1e-6) -> Run:
    """Zaheer's."""
    m = v = np.full_like(w, initial)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        v = v - (1 - n.beta2) * np.sign(v - g**2) * g**2
        below = np.sqrt(v / correction(n.beta2, t)) + n.epsilon
        w = w - n.learning_rate * m / correction(n.beta1, t) / below


def adan(w: Any, n: Any, proximal: bool = True, change_share: str = "beta2") -> Run:
    """Xie's."""
    m = d = square = before = np.zeros_like(w)
    for t in count(1):
        g = yield w
        change = g - before if t > 1 else np.zeros_like(g)
        before = g
        share = n.beta2 if change_share == "beta2" else 1 - n.beta2
        m = n.beta1 * m + (1 - n.beta1) * g
        d = n.beta2 * d + (1 - n.beta2) * change
        square = n.beta3 * square + (1 - n.beta3) * (g + share * change) ** 2
        below = np.sqrt(square / correction(n.beta3, t) + n.epsilon_root) + n.epsilon
        u = (m / correction(n.beta1, t) + share * d / correction(n.beta2, t)) / below
        lost = n.learning_rate * n.weight_decay
        w = (
            (w - n.learning_rate * u) / (1 + lost)
            if proximal
            else (1 - lost) * w - n.learning_rate * u
        )


def lamb(w: Any, n: Any, decoupled: bool = False) -> Run:
    """You's second; decoupled, the weights decay before it."""
    m = v = np.zeros_like(w)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        v = n.beta2 * v + (1 - n.beta2) * g**2
        u = m / correction(n.beta1, t) / (np.sqrt(v / correction(n.beta2, t)) + n.epsilon)
        if decoupled:
            w = w - n.learning_rate * n.weight_decay * w
        else:
            u = u + n.weight_decay * w
        length, size = np.sqrt(np.sum(w**2)), np.sqrt(np.sum(u**2))
        ratio = length / size if length > 0 and size > 0 else 1.0
        w = w - n.learning_rate * ratio * u


def sophia(w: Any, n: Any, bias_correction: bool = False) -> Run:
    """Liu's third, before the first estimate of the Hessian."""
    m = np.zeros_like(w)
    for t in count(1):
        g = yield w
        m = n.beta1 * m + (1 - n.beta1) * g
        m_hat = m / correction(n.beta1, t) if bias_correction else m
        w = w - n.learning_rate * np.clip(m_hat / n.epsilon, -n.bound, n.bound)


def schedule_free(w: Any, n: Any) -> Run:
    """Defazio's."""
    z = x = y = w
    v = np.zeros_like(w)
    total = largest = 0.0
    for t in count(1):
        g = yield y
        v = n.beta2 * v + (1 - n.beta2) * g**2
        below = np.sqrt(v / correction(n.beta2, t)) + n.epsilon
        # x follows from y, so that a changed β₁ counts for the step in which it changes.
        x = (y - (1 - n.beta1) * z) / n.beta1
        z = z - n.learning_rate * (g / below + n.weight_decay * y)
        largest = max(largest, n.learning_rate)
        total += largest**n.power
        share = largest**n.power / total
        x = (1 - share) * x + share * z
        y = (1 - n.beta1) * z + n.beta1 * x
