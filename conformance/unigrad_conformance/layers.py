"""Layers beside their formulas in NumPy: results, and derivatives by inputs and all weights.

Everything is in float64, and every weight is drawn: biases and scales that begin as zeros and ones
would hide what becomes of them. The derivative is taken along one direction of all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance import layer_formulas as formulas
from unigrad_conformance.layer_formulas import Weights, over_time, part
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, require_close, scale

#: What a result may differ by in float64, and a derivative from its difference quotient, relative
#: to the largest.
_CLOSE, _QUOTIENT = 1e-10, 1e-7
_STEP = 1e-5


@dataclass(frozen=True)
class Case:
    """A layer, the shapes of its inputs, and what it computes.

    The formula takes the weights by path, then the inputs; ``settings`` are the call's. An integer
    in place of a shape is how many rows of a table the input, (2, 3), chooses from.
    """

    make: Callable[[], Any]
    shapes: Sequence[tuple[int, ...] | int]
    formula: Callable[..., Array]
    settings: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def in_float64() -> Iterator[None]:
    """Let layers that are built inside have weights of float64."""
    before = ug.default_dtype()
    ug.set_default_dtype("float64")
    try:
        yield
    finally:
        ug.set_default_dtype(before)


def _drawn(name: str, shapes: Sequence[tuple[int, ...] | int]) -> tuple[Any, list[Array]]:
    """Return a source of random numbers, and inputs."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    return generator, [
        generator.integers(0, one, (2, 3)) if isinstance(one, int) else generator.normal(size=one)
        for one in shapes
    ]


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def _check(name: str, case: Case) -> None:
    generator, inputs = _drawn(name, case.shapes)
    with in_float64():
        layer = case.make()
        placed = [ug.asarray(one) for one in inputs]
        settings = {
            key: ug.asarray(one) if isinstance(one, np.ndarray) else one
            for key, one in case.settings.items()
        }
        layer(*placed, **settings)
        variables = layer.named_variables()
        for one in variables.values():
            # Variances are positive.
            one.assign(np.abs(generator.normal(0.0, 0.6, one.shape)) + 0.1)
            if "variance" not in one.name:
                one.assign(generator.normal(0.0, 0.6, one.shape))
        weights = {key: one.numpy() for key, one in variables.items()}
        with ug.GradientTape() as tape:
            real = [one for one in placed if one.dtype == ug.float64]
            tape.watch(real)
            found = _first(layer(*placed, **settings))
            cotangent = generator.normal(size=found.shape)
            total = ug.sum(found * ug.asarray(cotangent))
        trained = {key: one for key, one in variables.items() if one.trainable}
        gradients = tape.gradient(total, [*trained.values(), *real])

    want = case.formula(weights, *inputs)
    require_close("value", found.numpy(), want, _CLOSE * scale(want))
    ways = [generator.normal(size=one.shape) for one in [*trained.values(), *real]]

    def along(step: float) -> float:
        moved = dict(weights)
        given = list(inputs)
        places = [i for i, one in enumerate(inputs) if one.dtype.kind == "f"]
        for target, way in zip([*trained, *places], ways, strict=True):
            if isinstance(target, str):
                moved[target] = weights[target] + step * way
            else:
                given[target] = inputs[target] + step * way
        return float(np.sum(case.formula(moved, *given) * cotangent))

    slope = (along(_STEP) - along(-_STEP)) / (2 * _STEP)
    got = sum(float(np.sum(g.numpy() * way)) for g, way in zip(gradients, ways, strict=True))
    if not abs(got - slope) <= _QUOTIENT * max(1.0, abs(slope)):
        raise Deviation(f"derivative {got}, not {slope}")


_L: Any = ug.layers
_MASK = np.array([[True, True, False], [True, False, True]])
_X = (2, 3, 4)
_ZEROS = np.zeros((2, 5))


def _recurrent(step: Any, first: Any, **settings: Any) -> Callable[..., Array]:
    return lambda w, x: over_time(step, x, w, first, **settings)


def _both(w: Weights, x: Array) -> Array:
    ahead = over_time(formulas.gru_step, x, part(w, "forward"), _ZEROS)
    behind = over_time(formulas.gru_step, x, part(w, "backward"), _ZEROS, backwards=True)
    return np.concatenate([ahead, behind], -1)


def _additive(w: Weights, query: Array, memory: Array) -> Array:
    keys = memory @ w["memory_kernel"] + w["bias"]
    hidden = np.tanh(keys + (query @ w["query_kernel"])[:, None])
    weights = formulas.softmax((hidden @ w["score"])[..., 0], _MASK)
    found: Array = np.einsum("bt,btm->bm", weights, memory)
    return found


def _product(score: Callable[..., Array]) -> Callable[..., Array]:
    """Return Luong's attention by its scores (batch, steps, time)."""

    def formula(w: Weights, query: Array, memory: Array) -> Array:
        found: Array = formulas.softmax(score(w, query, memory), _MASK[:, None]) @ memory
        return found

    return formula


def _concat_score(w: Weights, q: Array, m: Array) -> Array:
    hidden = np.tanh((q @ w["query_kernel"])[:, :, None] + (m @ w["memory_kernel"])[:, None])
    found: Array = (hidden @ w["vector"])[..., 0]
    return found


def _convolved(w: Weights, x: Array) -> Array:
    """Return a convolution in time that looks back, of two groups."""
    padded = np.pad(x, ((0, 0), (2, 0), (0, 0)))
    halves: list[Any] = [
        sum(padded[:, k : k + 5, 2 * g : 2 * g + 2] @ w["kernel"][k][:, 3 * g : 3 * g + 3]
            for k in range(3))
        for g in range(2)
    ]  # fmt: skip
    found: Array = np.tanh(np.concatenate(halves, -1) + w["bias"])
    return found


def _grouped(w: Weights, x: Array) -> Array:
    parts = np.stack(np.split(x, 2, -1))
    normal = formulas.normalized(parts, (-2, -1), 1e-5)
    found: Array = np.concatenate([*normal], -1) * w["scale"] + w["offset"]
    return found


def _by_batch(w: Weights, x: Array) -> Array:
    return formulas.normalized(x, (0, 1), 1e-3) * w["scale"] + w["offset"]


def _by_running(w: Weights, x: Array) -> Array:
    deviation = np.sqrt(w["running_variance"] + 1e-3)
    found: Array = (x - w["running_mean"]) / deviation * w["scale"] + w["offset"]
    return found


def _waves(x: Array) -> Array:
    angles = np.arange(3)[:, None] * 10000.0 ** (-np.arange(2) / 2)
    return np.asarray(x + np.stack([np.sin(angles), np.cos(angles)], -1).reshape(3, 4))


CASES = {
    "Dense": Case(
        lambda: _L.Dense(5, "tanh"), [_X], lambda w, x: np.tanh(x @ w["kernel"] + w["bias"])
    ),
    "Embedding": Case(lambda: _L.Embedding(7, 4), [7], lambda w, i: w["table"][i]),
    "SimpleRNN": Case(
        lambda: _L.SimpleRNN(5, return_sequences=True, go_backwards=True), [_X],
        _recurrent(formulas.simple_step, _ZEROS, backwards=True),
    ),
    "GRU": Case(
        lambda: _L.GRU(5, return_sequences=True), [_X],
        _recurrent(formulas.gru_step, _ZEROS, mask=_MASK), {"mask": _MASK},
    ),
    "GRU, reset before": Case(
        lambda: _L.GRU(5, reset_after=False), [_X],
        lambda w, x: over_time(formulas.gru_step_reset_before, x, w, _ZEROS)[:, -1],
    ),
    "LSTM": Case(
        lambda: _L.LSTM(5, two_biases=True, return_sequences=True), [_X],
        _recurrent(formulas.lstm_step, (_ZEROS, _ZEROS), mask=_MASK), {"mask": _MASK},
    ),
    "Bidirectional": Case(
        lambda: _L.Bidirectional(_L.GRU(5, return_sequences=True)), [_X], _both
    ),
    "LayerNorm": Case(lambda: _L.LayerNorm(), [_X], lambda w, x: formulas.layer_norm(x, w)),
    "RMSNorm": Case(
        lambda: _L.RMSNorm(), [_X],
        lambda w, x: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * w["scale"],
    ),
    "GroupNorm": Case(lambda: _L.GroupNorm(2), [_X], _grouped),
    "BatchNorm": Case(lambda: _L.BatchNorm(), [_X], _by_running),
    "BatchNorm in training": Case(lambda: _L.BatchNorm(), [_X], _by_batch, {"training": True}),
    "BahdanauAttention": Case(
        lambda: _L.BahdanauAttention(6), [(2, 5), _X], _additive, {"mask": _MASK}
    ),
    "LuongAttention, dot": Case(
        lambda: _L.LuongAttention(use_scale=True), [(2, 2, 4), _X],
        _product(lambda w, q, m: q @ m.swapaxes(1, 2) * w["scale"]), {"mask": _MASK},
    ),
    "LuongAttention, general": Case(
        lambda: _L.LuongAttention("general"), [(2, 2, 5), _X],
        _product(lambda w, q, m: q @ w["kernel"] @ m.swapaxes(1, 2)), {"mask": _MASK},
    ),
    "LuongAttention, concat": Case(
        lambda: _L.LuongAttention("concat", 6), [(2, 2, 5), _X], _product(_concat_score),
        {"mask": _MASK},
    ),
    "MultiHeadAttention": Case(
        lambda: _L.MultiHeadAttention(2), [(2, 2, 6), _X],
        lambda w, q, k: formulas.multi_head(q, k, w, 2, _MASK[:, None, None]), {"key_mask": _MASK},
    ),
    "MultiHeadAttention, causal and rotary": Case(
        lambda: _L.MultiHeadAttention(2, use_rotary=True), [(2, 3, 8)],
        lambda w, x: formulas.multi_head(x, x, w, 2, formulas.causal(3), rotary=True),
        {"causal": True},
    ),
    "SinusoidalPositions": Case(lambda: _L.SinusoidalPositions(), [_X], lambda w, x: _waves(x)),
    "LearnedPositions": Case(lambda: _L.LearnedPositions(5), [_X], lambda w, x: x + w["table"][:3]),
    "Conv1D, causal and in groups": Case(
        lambda: _L.Conv1D(6, 3, padding="causal", groups=2, activation="tanh"), [(2, 5, 4)],
        _convolved,
    ),
    "TransformerEncoderBlock": Case(
        lambda: _L.TransformerEncoderBlock(2, 5), [_X],
        lambda w, x: formulas.encoder_block(x, w, 2, False),
    ),
    "TransformerEncoderBlock, norm first": Case(
        lambda: _L.TransformerEncoderBlock(2, 5, norm_first=True), [_X],
        lambda w, x: formulas.encoder_block(x, w, 2, True),
    ),
}  # fmt: skip


# -- what is no formula of the inputs


def batch_norm_follows() -> None:
    """Running moments follow the batch's by 1 - momentum, a mask's elements alone counting."""
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    for unbiased, mask in ((False, None), (True, None), (True, _MASK)):
        with in_float64():
            layer = _L.BatchNorm(momentum=0.75, unbiased=unbiased)
            given = {} if mask is None else {"mask": ug.asarray(mask)}
            layer(ug.asarray(x), training=True, **given)
        rows = x.reshape(-1, 4) if mask is None else x[mask]
        moments = rows.mean(0), rows.var(0, ddof=int(unbiased))
        for name, start, one in zip(("mean", "variance"), (0.0, 1.0), moments, strict=True):
            found = getattr(layer, f"running_{name}").numpy()
            require_close(f"running {name}", found, 0.75 * start + 0.25 * one, _CLOSE)


def batch_norm_of_one_element() -> None:
    """One element that counts leaves a running variance finite, whatever is unbiased."""
    mask = np.array([[True, False, False], [False, False, False]])
    layer = _L.BatchNorm(momentum=0.75, unbiased=True)
    layer(ug.ones((2, 3, 4)), training=True, mask=ug.asarray(mask))
    require_close("variance", layer.running_variance.numpy(), np.full(4, 0.75), 1e-6)


def what_is_dropped() -> None:
    """Dropped elements are 0, the others 1 / (1 - rate) times as large; recurrent layers drop the
    same inputs in all steps, and the state's part that the products see alone."""
    with in_float64():
        found = _L.Dropout(0.25, seed=3)(ug.ones((40, 50)), training=True).numpy()
        require_close("Dropout", np.unique(found), np.array([0.0, 4 / 3]), 1e-6)
        if not 0.2 < (found == 0).mean() < 0.3:
            raise Deviation(f"Dropout: of a rate of 0.25, {(found == 0).mean()} are dropped")
        for name in ("SimpleRNN", "GRU", "LSTM"):
            _check_inputs_dropped(name)
            _check_states_dropped(name)


def _seeded(name: str, **settings: Any) -> Any:
    return getattr(_L, name)(3, return_sequences=True, seed=5, key=1, **settings)


def _check_inputs_dropped(name: str) -> None:
    """Where all inputs are dropped or scaled alike in all steps, results are those of such ones."""
    x = np.random.default_rng(2).normal(size=(2, 3, 2))
    layer = _seeded(name, dropout=0.5)
    found = layer(ug.asarray(x), training=True).numpy()
    for bits in range(2**4):
        kept = np.array([bits >> i & 1 for i in range(4)]).reshape(2, 1, 2) * 2.0
        if not np.abs(layer(ug.asarray(x * kept)).numpy() - found).max() > 1e-9:
            return
    raise Deviation(f"{name}: no choice of inputs, the same in all steps, gives what dropout gave")


def _check_states_dropped(name: str) -> None:
    """With a recurrent kernel of nothing, dropping states changes nothing: it is for products."""
    layer = _seeded(name, recurrent_dropout=0.5)
    x = ug.asarray(np.random.default_rng(2).normal(size=(2, 3, 4)))
    layer(x)
    layer.recurrent_kernel.assign(np.zeros(layer.recurrent_kernel.shape))
    dropped, whole = layer(x, training=True).numpy(), layer(x).numpy()
    require_close(f"{name}: states that only products see", dropped, whole, _CLOSE)


def padding_is_not_trained() -> None:
    """A table's row of padding has no gradient where it is said so; the others have theirs."""
    indices = ug.asarray([[0, 2, 0], [1, 0, 2]])
    for trained in (True, False):
        table = _L.Embedding(3, 2, padding=0, train_padding=trained)
        with ug.GradientTape() as tape:
            total = ug.sum(table(indices))
        found = tape.gradient(total, table.table).numpy()
        want = np.array([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]]) * [[float(trained)], [1.0], [1.0]]
        require_close("gradient of a table", found, want, 0.0)


#: Checks by name.
LAYERS: dict[str, Callable[[], None]] = {
    **{name: partial(_check, name, case) for name, case in CASES.items()},
    "BatchNorm follows": batch_norm_follows,
    "BatchNorm of one element": batch_norm_of_one_element,
    "Embedding without padding": padding_is_not_trained,
    "what is dropped": what_is_dropped,
}
