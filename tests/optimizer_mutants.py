"""Wrong optimizers: each is a module of unigrad.optimizers with one piece of its text exchanged.

A mutant is run on NumPy by its body, without the backend's kernels, which have mutants of their own
in `tests/test_planted_faults_of_optimizers.py`.
"""

# Pieces of text are quoted as they stand.
# ruff: noqa: E501

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from unigrad import optimizers
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.optimizers.updates import UPDATES


class Mutant(NamedTuple):
    """One piece of text and what stands there instead."""

    #: The module's name within unigrad.optimizers.
    module: str
    #: The optimizers that it changes.
    classes: tuple[str, ...]
    old: str
    new: str


def _of(module: str, classes: str, *changes: tuple[str, str]) -> list[Mutant]:
    return [Mutant(module, tuple(classes.split()), old, new) for old, new in changes]


MUTANTS = [
    *_of(
        "sgd", "SGD",
        ("(p - rate * g,)", "(p + rate * g,)"),
        ("v = share * v + fresh", "v = share * v + (1.0 - share) * fresh"),
        ("moved = fresh + share * v if nesterov", "moved = fresh + v if nesterov"),
        ("1.0 - dampening * cast(at.number > 1", "1.0 - dampening * cast(at.number > 0"),
        ("rate_inside else rate * moved", "rate_inside else moved"),
        ("learning_rate: LearningRate = 0.01,\n        momentum", "learning_rate: LearningRate = 0.001,\n        momentum"),
        ("self.dampening = dampening", "self.dampening = 0.0"),
    ),
    *_of(
        "sgd", "Momentum",
        ("v = mean(v, g)", "v = beta * v + g"),
        ("beta: float = 0.9", "beta: float = 0.99"),
        ("return p - rate * v, v", "return p - rate * g, v"),
    ),
    *_of(
        "rmsprop", "RMSprop",
        ("v = mean(v, g * g)", "v = mean(v, abs(g))"),
        ("variance - average * average", "variance - average"),
        ("epsilon: float = 1e-8", "epsilon: float = 1e-7"),
        ("rho: float = 0.9", "rho: float = 0.99"),
        ("velocity = share * rest[-1] + fresh", "velocity = share * rest[-1] + (1.0 - share) * fresh"),
        ("first + self._initial if self._initial else first", "first"),
        ("v * size\n        if centered", "v\n        if centered"),
        ("average if size is None else average * size", "average"),
    ),
    *_of(
        "adam", "Adam AdamW",
        ("scale = at.narrow(wide / at.correction(beta1) * rate)", "scale = at.narrow(wide * rate)"),
        ("wide = sqrt(square2)", "wide = square2"),
        ('"outside": (added, epsilon * wide)', '"outside": (added, epsilon)'),
        ('"inside": (added + epsilon * square2, 0.0)', '"inside": (added + epsilon, 0.0)'),
        ('"hat": (added, epsilon)', '"hat": (added, epsilon * wide)'),
        ("m, v = first(m, g), second(v, g * g)\n        kept", "m, v = first(m, g), second(v, g)\n        kept"),
        ("maximum(rest[0], v / size if", "maximum(rest[0] * 0.99, v / size if"),
        ("at.correction(beta1, 1)", "at.correction(beta1)"),
        ("first, second = at.average(beta1), at.average(beta2)", "first, second = at.average(beta2), at.average(beta1)"),
        ("beta2: float = 0.999,\n        epsilon: float = 1e-8,\n        amsgrad", "beta2: float = 0.99,\n        epsilon: float = 1e-8,\n        amsgrad"),
        ("epsilon: float = 1e-8,\n        amsgrad", "epsilon: float = 1e-7,\n        amsgrad"),
        ("learning_rate: LearningRate = 0.001", "learning_rate: LearningRate = 0.01"),
        ("weight_decay: float = 0.01,", "weight_decay: float = 0.0001,"),
        ("    decouples = True", "    decouples = False"),
    ),
    *_of(
        "adam", "Adamax",
        ("at.narrow(rate / at.correction(beta1))", "at.narrow(rate)"),
        ("abs(g) + floor if", "abs(g) if"),
        ("u = maximum(share * u, size)", "u = maximum(u, size)"),
        ("learning_rate: LearningRate = 0.002", "learning_rate: LearningRate = 0.001"),
    ),
    *_of(
        "adagrad", "Adagrad",
        ("s = s + g * g", "s = s + abs(g)"),
        ("(at.time - 1.0) * rate_decay", "at.time * rate_decay"),
        ("epsilon: float = 1e-10", "epsilon: float = 1e-7"),
        ("one + self._initial", "one"),
    ),
    *_of(
        "adagrad", "Adadelta",
        ("sqrt(u + floor) / sqrt(v + floor)", "sqrt(u) / sqrt(v + floor)"),
        ("mean(u, d * d)", "mean(u, g * g)"),
        ("rho: float = 0.9", "rho: float = 0.95"),
        ("learning_rate: LearningRate = 1.0", "learning_rate: LearningRate = 0.001"),
    ),
    *_of(
        "nadam", "NAdam NAdamW",
        ("math.log(0.96) * momentum_decay * at.time)", "math.log(0.9) * momentum_decay * at.time)"),
        ("(1.0 - now) / (1.0 - new)", "(1.0 - beta1) / (1.0 - new)"),
        ("following / (1.0 - new * following)", "following / (1.0 - new)"),
        ("momentum_decay: float | None = 0.004,\n        **common", "momentum_decay: float | None = 0.04,\n        **common"),
        ("constant(like, 1.0)", "constant(like, 0.0)"),
        ("learning_rate: LearningRate = 0.002", "learning_rate: LearningRate = 0.001"),
    ),
    *_of(
        "nadam", "RAdam",
        ("_KNOWN = 5.0", "_KNOWN = 4.0"),
        ("known * scale * rectified * root", "known * scale * root"),
        ("2.0 * at.time * (1.0 - square2)", "at.time * (1.0 - square2)"),
        ("(1.0 - known) * scale", "0.0 * scale"),
    ),
    *_of(
        "beliefs", "AdaBelief",
        ("error = g - m", "error = g"),
        ("second(s, error * error) + added", "second(s, error * error)"),
        ("epsilon: float = 1e-16", "epsilon: float = 1e-8"),
    ),
    *_of(
        "beliefs", "Yogi",
        ("step = now * square", "step = now * v"),
        ("epsilon: float = 1e-3", "epsilon: float = 1e-8"),
        ("initial: float = 1e-6", "initial: float = 0.0"),
    ),
    *_of(
        "beliefs", "Adan",
        ("seen = first(m, g), second(d, change), g + ahead * change", "seen = first(m, g), second(d, change), g"),
        ("later = at.narrow(share), at.narrow(cast(at.number > 1", "later = at.narrow(share), at.narrow(cast(at.number > 0"),
        ("1.0 / (1.0 + rate * weight_decay) if", "1.0 - rate * weight_decay if"),
        ("beta1: float = 0.98", "beta1: float = 0.9"),
        ("return (p - moved) * left if proximal else p * left - moved, m, d, n, g", "return (p - moved) * left if proximal else p * left - moved, m, d, n, before"),
    ),
    *_of(
        "signs", "Lion",
        ("ahead, mean = at.narrow(rate), at.average(beta1), at.average(beta2)", "ahead, mean = at.narrow(rate), at.average(beta2), at.average(beta1)"),
        ("rate * sign(ahead(m, g))", "rate * ahead(m, g)"),
        ("beta2: float = 0.99,", "beta2: float = 0.999,"),
    ),
    *_of(
        "signs", "Rprop",
        ("g = where(turned, 0.0, g)\n        return", "return"),
        ("steps = clip(steps, least, most)", "steps = clip(steps, least, None)"),
        ("grow: float = 1.2", "grow: float = 1.5"),
        ("shrink: float = 0.5", "shrink: float = 0.4"),
        ("largest_step: float = 50.0", "largest_step: float = 5.0"),
    ),
    *_of(
        "layerwise", "LARS",
        ("v = share * v + fresh", "v = share * v + (1.0 - share) * fresh"),
        ("trust: float = 0.001", "trust: float = 0.01"),
        ("size + epsilon, 1.0), 1.0)", "size + epsilon, 1.0), 0.0)"),
    ),
    *_of(
        "layerwise", "LAMB",
        ("+ decay * p\n", "\n"),
        ("trust_ratio(p, change, 1.0, 0.0) * change", "trust_ratio(p, g, 1.0, 0.0) * change"),
        ("self.decays_itself = not decoupled", "self.decays_itself = True"),
        ("decoupled=decoupled", "decoupled=False"),
        ("[*found, 0.0]", "[*found, 0.1]"),
        ("epsilon: float = 1e-6", "epsilon: float = 1e-7"),
    ),
    *_of(
        "adafactor", "Adafactor",
        ("whole = mean(row, axis=along, keepdims=True)", "whole = mean(row * row, axis=along, keepdims=True)"),
        ("minimum(1.0 / sqrt(at.time), rate)", "minimum(1.0 / at.time, rate)"),
        ("maximum(_root_mean_square(change) / bound, 1.0)", "_root_mean_square(change) / bound"),
        ("entering = exp(-decay_power * log(at.time))", "entering = exp(-decay_power * log(at.time + 1.0))"),
        ("maximum(_root_mean_square(left), low)", "_root_mean_square(left)"),
        ("decay_power: float = 0.8", "decay_power: float = 0.7"),
    ),
    *_of(
        "muon", "Muon",
        ("m = share * m + rest * g", "m = share * m + g"),
        ("COEFFICIENTS = (3.4445, -4.775, 2.0315)", "COEFFICIENTS = (3.4445, -4.775, 2.0325)"),
        ("steps: int = 5", "steps: int = 6"),
        ("math.sqrt(max(1.0, rows / columns))", "math.sqrt(rows / columns)"),
        ("epsilon: float = 1e-7,", "epsilon: float = 1e-3,"),
    ),
    *_of(
        "soap", "SOAP",
        ("v = second(v, reshape(turned * turned, p.shape))", "v = second(v, g * g)"),
        ("_turned(reshape(m, matrix), *back)", "reshape(m, matrix)"),
        ("matmul(square, matrix_transpose(square))", "matmul(square, matrix_transpose(square)) / at.time"),
        ("(at.number - 1) % every", "at.number % every"),
        ("(trace(gram) / size)", "trace(gram)"),
        ("every: int = 10", "every: int = 5"),
        ("shampoo_beta: float = 0.95", "shampoo_beta: float = 0.9"),
        ("rows if rows <= largest else 0", "rows if rows < largest else 0"),
    ),
    *_of(
        "schedule_free", "ScheduleFreeAdamW",
        ("return inner * x + outer * z, z, v", "return x, z, v"),
        ("+ pace * y)", "+ pace * z)"),
        ("exp(power * log(", "exp(2.0 * power * log("),
        ("learning_rate: LearningRate = 0.0025", "learning_rate: LearningRate = 0.001"),
        ("x = past * x + now * z", "x = past * x + now * y"),
        ("maximum(cast(largest, wide), weighing)", "weighing + 0.0 * cast(largest, wide)"),
        ("self._rate(done + 1)", "self._rate(done)"),
    ),
    *_of(
        "sophia", "Sophia",
        ("maximum(share * h, floor)", "maximum(h, floor)"),
        ("clip(change, -limit, limit)", "change"),
        ("past * h + now * widened(", "h + now * widened("),
        ("beta1: float = 0.965", "beta1: float = 0.9"),
    ),
    *_of(
        "descent", "",
        ('["learning_rate"] = self._rate(done)', '["learning_rate"] = self._rate(done + 1)'),
        ("if self._decoupled:", "if not self._decoupled:"),
        ("decouples: ClassVar[bool] = False", "decouples: ClassVar[bool] = True"),
    ),
    *_of(
        "updates", "",
        ("past, now = self.narrow(share), self.narrow(1.0 - share)", "past, now = self.narrow(share), 1.0"),
        ("return sqrt(square + epsilon) if at ==", "return sqrt(square) + epsilon if at =="),
        ("left = 1.0 - rate * share", "left = 1.0 - share"),
        ("g + narrow(share, g.dtype) * p", "g - narrow(share, g.dtype) * p"),
        ("g + narrow(share, g.dtype) * p", "p + narrow(share, g.dtype) * g"),
    ),
]  # fmt: skip


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Let unigrad.optimizers have a mutant's classes inside the block.

    A change of a base module is made in all that are built on it.
    """
    names = [mutant.module]
    if not mutant.classes:
        names += ["descent"] if mutant.module == "updates" else []
        names += ["sgd", "rmsprop", "adam", "adagrad", "nadam", "beliefs", "signs", "layerwise"]
    with pytest.MonkeyPatch.context() as patch:
        for name in dict.fromkeys(names):
            _replant(name, mutant, patch)
        yield


def _replant(name: str, mutant: Mutant, patch: pytest.MonkeyPatch) -> None:
    path = f"unigrad.optimizers.{name}"
    honest = sys.modules[path]
    text = Path(str(honest.__file__)).read_text()
    if name == mutant.module:
        assert mutant.old in text, f"{mutant.module}: {mutant.old!r} is not there any more"
        text = text.replace(mutant.old, mutant.new)
    before = dict(OPS)
    for op in [
        op for op in OPS if f"_{op}" in vars(honest) and honest.__dict__[f"_{op}"] is OPS[op]
    ]:
        if f"def _{op}(" in text:
            patch.delitem(OPS, op)
    module = ModuleType(path)
    patch.setitem(sys.modules, path, module)
    counts = dict(UPDATES)
    exec(compile(text, path, "exec"), vars(module))
    UPDATES.clear()
    UPDATES.update(counts)
    numpy = load_backend("numpy")
    patch.setattr(numpy, "in_place", {})
    for op in OPS.values():
        if before.get(op.name) is not op:
            op.kernels[numpy] = None
            patch.setitem(OPS, op.name, op)
    for cls in [one for one in vars(module) if hasattr(optimizers, one)]:
        patch.setattr(optimizers, cls, vars(module)[cls])
