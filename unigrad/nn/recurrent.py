"""Recurrent networks as functions: the loop over time that the layers run too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.control import scan
from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, common_tensors, to_floating
from unigrad.core.dtypes import COMPLEX
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.affine import linear
from unigrad.ops.comparison import where
from unigrad.ops.elementary import tanh
from unigrad.ops.linear import matmul
from unigrad.ops.recurrent import _gru_step, _gru_step_reset_before, lstm_step
from unigrad.ops.shaping import expand_dims, permute_dims

__all__ = ["gru", "lstm", "simple_rnn"]

#: ``step(state, projected)`` gives the next state.
Step = Callable[[Any, Tensor], Any]


def over_time(
    step: Step,
    state: Any,
    projected: Tensor,
    mask: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Any, Tensor]:
    """Return the last state, and what each step gives, (time, batch, units).

    A state is a tensor, or several of which the first is what a step gives. With a mask (batch,
    time) a padded step (False) carries the state on and gives zeros.

    Args:
        step: gives the next state.
        state: the first.
        projected: what the steps take, (time, batch, …).
        mask: bools, or None.
        reverse: whether to run from the last step to the first.
    """

    def plain(before: Any, row: Tensor) -> tuple[Any, Tensor]:
        new = step(before, row)
        return new, output(new)

    def masked(before: Any, row: tuple[Tensor, Tensor]) -> tuple[Any, Tensor]:
        inputs, real = row
        new = step(before, inputs)
        kept = tree.map(lambda one, old: where(real, one, old), new, before)
        return kept, where(real, output(new), 0.0)

    found: tuple[Any, Tensor]
    if mask is None:
        found = scan(plain, state, projected, reverse=reverse)
    else:
        steps = expand_dims(permute_dims(mask, (1, 0)), axis=-1)
        found = scan(masked, state, (projected, steps), reverse=reverse)
    return found


def output(state: Any) -> Tensor:
    """Return what a step gives: the state, or the first of several."""
    given: Tensor = state[0] if isinstance(state, (tuple, list)) else state
    return given


def checked_sequence(name: str, x: Tensor, mask: Any) -> tuple[Tensor, Tensor | None]:
    """Return a sequence, zero where it is padding, and its mask.

    Raises:
        ShapeError: when it has not three axes or no step, or the mask is not (batch, time).
    """
    if x.ndim != 3:
        raise ShapeError(f"{name}: expected (batch, time, inputs), not {x.shape}")
    if not x.shape[1]:
        raise ShapeError(f"{name}: the input {x.shape} has no step")
    if mask is None:
        return x, None
    mask = as_tensor(mask, x)
    if mask.shape != x.shape[:2]:
        raise ShapeError(f"{name}: a mask {mask.shape} for an input {x.shape}")
    # Chosen before the step: infinite or NaN padding would come back in the gradient.
    return where(expand_dims(mask, axis=-1), x, 0.0), mask


def _run(
    name: str,
    gates: int,
    step: Callable[[Any, Tensor, Tensor], Any],
    x: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None,
    state: Any,
    mask: TensorLike | None,
    reverse: bool,
) -> tuple[Tensor, Any]:
    given = [x, kernel, recurrent_kernel, *([] if bias is None else [bias])]
    x, kernel, recurrent, *rest = [to_floating(one) for one in common_tensors(name, given)]
    if x.dtype in COMPLEX:
        raise DTypeError(f"{name}: complex numbers ({x.dtype.name}) are not taken")
    x, mask = checked_sequence(name, x, mask)
    units = recurrent.shape[0] if recurrent.ndim == 2 else -1
    width = gates * units
    if kernel.shape != (x.shape[-1], width) or recurrent.shape != (units, width):
        raise ShapeError(
            f"{name}: kernel {kernel.shape} and recurrent kernel {recurrent.shape} are not "
            f"(inputs, {gates} · units) and (units, {gates} · units) for an input {x.shape}"
        )
    if rest and rest[0].shape != (width,):
        raise ShapeError(f"{name}: a bias {rest[0].shape}, not {(width,)}")
    products = linear(x, kernel, rest[0]) if rest else matmul(x, kernel)
    projected = permute_dims(products, (1, 0, 2))
    zeros = zeros_like(projected[0, :, :units])
    if state is None:
        state = (zeros, zeros) if name == "lstm" else zeros
    # Only an LSTM's state is a pair; a list is an array, as everywhere.
    parts = [as_tensor(one, x) for one in (state if name == "lstm" else (state,))]
    if len(parts) != (2 if name == "lstm" else 1) or any(p.shape != zeros.shape for p in parts):
        shapes = ", ".join([str(one.shape) for one in parts])
        raise ShapeError(f"{name}: a state {shapes}, not {zeros.shape}")
    first: Any = tuple(parts) if name == "lstm" else parts[0]
    last, outputs = over_time(
        lambda before, row: step(before, row, recurrent), first, projected, mask, bool(reverse)
    )
    return permute_dims(outputs, (1, 0, 2)), last


def simple_rnn(
    x: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    /,
    *,
    state: TensorLike | None = None,
    mask: TensorLike | None = None,
    activation: Callable[[Tensor], Tensor] = tanh,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the outputs of Elman's network at all steps, and its last state.

    h' = activation(x W + b + h U). Source: Elman, "Finding structure in time" (1990).

    Args:
        x: (batch, time, inputs).
        kernel, recurrent_kernel, bias: W (inputs, units), U (units, units) and b (units,).
        state: the first h, (batch, units); zeros by default.
        mask: bools (batch, time), False where the input is padding: such a step carries the state
            on and gives zeros.
        activation: a function of one tensor.
        reverse: whether to run from the last step to the first; outputs keep the input's order.

    Returns:
        The outputs (batch, time, units) and the last state (batch, units).

    Raises:
        ShapeError: when the shapes do not fit.
        DTypeError: for complex numbers.

    Example:
        >>> outputs, state = simple_rnn([[[1.0], [0.0]]], [[0.0]], [[1.0]])
        >>> outputs.tolist(), state.tolist()
        ([[[0.0], [0.0]]], [[0.0]])
    """

    def step(before: Tensor, row: Tensor, recurrent: Tensor) -> Tensor:
        return activation(row + matmul(before, recurrent))

    return _run("simple_rnn", 1, step, x, kernel, recurrent_kernel, bias, state, mask, reverse)


def gru(
    x: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    recurrent_bias: TensorLike | None = None,
    /,
    *,
    state: TensorLike | None = None,
    mask: TensorLike | None = None,
    reset_after: bool = True,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the outputs of a GRU at all steps, and its last state.

    The formula and the order of the gates, reset, update, new, are those of `layers.GRUCell`.

    Args:
        x: (batch, time, inputs).
        kernel, recurrent_kernel: W (inputs, 3 · units) and U (units, 3 · units).
        bias, recurrent_bias: b and c (3 · units,), or None; there is no c without ``reset_after``.
        state, mask, reverse: as for `simple_rnn`.
        reset_after: whether the reset gate acts after the product with U, as torch and cuDNN.

    Returns:
        The outputs (batch, time, units) and the last state (batch, units).

    Raises:
        ShapeError: when the shapes do not fit, or for a ``recurrent_bias`` without ``reset_after``.
        DTypeError: for complex numbers.

    Example:
        >>> outputs, state = gru([[[1.0], [0.0]]], [[0.0] * 3], [[0.0] * 3], state=[[1.0]])
        >>> outputs.tolist(), state.tolist()
        ([[[0.5], [0.25]]], [[0.25]])
    """
    if recurrent_bias is not None and not reset_after:
        raise ShapeError("gru: with the reset before the product there is no recurrent bias")
    second = None if recurrent_bias is None else to_floating(as_tensor(recurrent_bias))

    def step(before: Tensor, row: Tensor, recurrent: Tensor) -> Tensor:
        found: Tensor
        if reset_after:
            zero = zeros_like(recurrent[0])
            found = _gru_step(row, before, recurrent, zero if second is None else second)
        else:
            found = _gru_step_reset_before(row, before, recurrent)
        return found

    return _run("gru", 3, step, x, kernel, recurrent_kernel, bias, state, mask, reverse)


def lstm(
    x: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    /,
    *,
    state: tuple[TensorLike, TensorLike] | None = None,
    mask: TensorLike | None = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return the outputs of an LSTM at all steps, and its last state (h, c).

    The formula and the order of the gates, i, f, g, o, are those of `layers.LSTMCell`.

    Args:
        x: (batch, time, inputs).
        kernel, recurrent_kernel, bias: W (inputs, 4 · units), U (units, 4 · units), b (4 · units,).
        state: the first h and c, (batch, units) each; zeros by default.
        mask, reverse: as for `simple_rnn`.

    Returns:
        The outputs (batch, time, units) and the last h and c (batch, units).

    Raises:
        ShapeError: when the shapes do not fit.
        DTypeError: for complex numbers.

    Example:
        >>> outputs, (h, c) = lstm([[[1.0], [0.0]]], [[0.0] * 4], [[0.0] * 4])
        >>> outputs.tolist(), c.tolist()
        ([[[0.0], [0.0]]], [[0.0]])
    """

    def step(before: Any, row: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor]:
        hidden, cell = before
        return lstm_step(row + matmul(hidden, recurrent), cell)

    if state is not None:
        hidden, cell = state
        state = (hidden, cell)
    return _run("lstm", 4, step, x, kernel, recurrent_kernel, bias, state, mask, reverse)
