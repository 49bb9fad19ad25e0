"""Recurrent layers and their cells: `SimpleRNN`, `GRU` and `LSTM`."""

from __future__ import annotations

from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.activations import Activation, get_activation
from unigrad.layers.sequences import Recurrent, RecurrentCell, seen
from unigrad.ops.activations import sigmoid
from unigrad.ops.affine import linear
from unigrad.ops.elementary import tanh
from unigrad.ops.joining import concat, split
from unigrad.ops.linear import matmul
from unigrad.ops.recurrent import _gru_step, _gru_step_reset_before, lstm_step


class SimpleRNNCell(RecurrentCell):
    """One step of Elman's network: h' = activation(x W + b + h U).

    Args:
        units: the length of the state.
        activation: a function, or the name of one.
        **settings: those of `GRUCell` but for ``reset_after``; ``two_biases`` adds a second bias,
            as torch's.

    Source: Elman, "Finding structure in time" (1990).
    """

    def __init__(self, units: int, activation: Activation = "tanh", **settings: Any) -> None:
        super().__init__(units, **settings)
        self.activation = get_activation(activation)

    def step(self, projected: Tensor, state: Any, kept: Tensor | None = None) -> Tensor:
        """Return the next state from a projected input."""
        total = projected + matmul(seen(state, kept), self.recurrent_kernel)
        return total if self.activation is None else self.activation(total)


class SimpleRNN(Recurrent, SimpleRNNCell):
    """Elman's network along the second axis of (batch, time, inputs).

    Masks, directions, states and dropout are as for `GRU`; the formula is that of `SimpleRNNCell`.

    Example:
        >>> import unigrad as ug
        >>> SimpleRNN(4, return_sequences=True)(ug.ones((2, 3, 5))).shape
        (2, 3, 4)
    """


class GRUCell(RecurrentCell):
    """One step of a GRU: h' = (1 - z) n + z h.

    With r = σ(x Wᵣ + bᵣ + h Uᵣ + cᵣ), z = σ(x W_z + b_z + h U_z + c_z) and, for ``reset_after``
    (the default; two biases, as torch and cuDNN), n = tanh(x Wₙ + bₙ + r (h Uₙ + cₙ)); else, as in
    the paper, n = tanh(x Wₙ + bₙ + (r h) Uₙ) and c = 0.

    The gates lie along the last axis in the order reset, update, new: ``kernel`` W is
    (inputs, 3 units), ``recurrent_kernel`` U (units, 3 units), ``bias`` b and ``recurrent_bias``
    c (3 units).

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014).

    Args:
        units: the length of the state.
        reset_after: whether the reset gate acts after the product with U.
        use_bias: whether there are biases.
        kernel_initializer: how W is drawn, per gate.
        recurrent_initializer: how U is drawn, per gate.
        bias_initializer: how the biases are drawn.
        key, name: see `Module`.
    """

    gates = 3

    def __init__(self, units: int, reset_after: bool = True, **settings: Any) -> None:
        super().__init__(units, **{"two_biases": reset_after, **settings})
        self.reset_after = reset_after

    def project(self, x: Any) -> Tensor:
        """Return x W + b, the part of a step that does not depend on the state."""
        if self.bias is None:
            return matmul(x, self.kernel)
        return linear(x, self.kernel, self.bias)

    def step(self, projected: Tensor, state: Any, kept: Tensor | None = None) -> Tensor:
        """Return the next state from a projected input."""
        kernel = _value(self.recurrent_kernel)
        if kept is not None:
            return self._dropped_step(projected, state, kernel, kept)
        if not self.reset_after:
            out: Tensor = _gru_step_reset_before(projected, state, kernel)
        else:
            out = _gru_step(projected, state, kernel, self._second_bias(kernel))
        return out

    def _second_bias(self, kernel: Tensor) -> Tensor:
        if self.recurrent_bias is None:
            return zeros_like(kernel[0])
        return _value(self.recurrent_bias)

    def _dropped_step(self, projected: Tensor, state: Any, kernel: Tensor, kept: Tensor) -> Tensor:
        """Take a step whose products see a part of the state."""
        units = self.units
        x_reset, x_update, x_new = split(projected, 3, axis=-1)
        part = seen(state, kept)
        gates = matmul(part, kernel[:, : 2 * units])
        if self.reset_after:
            bias = self._second_bias(kernel)
            gates = gates + bias[: 2 * units]
            last = matmul(part, kernel[:, 2 * units :]) + bias[2 * units :]
        h_reset, h_update = split(gates, 2, axis=-1)
        reset, update = sigmoid(x_reset + h_reset), sigmoid(x_update + h_update)
        if self.reset_after:
            new = tanh(x_new + reset * last)
        else:
            new = tanh(x_new + matmul(reset * part, kernel[:, 2 * units :]))
        out: Tensor = new + update * (state - new)
        return out


class GRU(Recurrent, GRUCell):
    """A GRU along the second axis of (batch, time, inputs).

    With a mask (batch, time), a padded step (False) carries the state on and gives zeros; its
    input does not count, infinities and NaN included. The settings are those of `Recurrent`
    (``return_sequences``, ``return_state``, ``go_backwards``, ``dropout``, ``recurrent_dropout``)
    and of `GRUCell`.

    Example:
        >>> import unigrad as ug
        >>> gru = GRU(4, return_sequences=True, return_state=True)
        >>> outputs, state = gru(ug.asarray([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]))
        >>> outputs.shape, state.shape
        ((1, 3, 4), (1, 4))
    """


class LSTMCell(RecurrentCell):
    """One step of an LSTM: c' = f c + i g, h' = o tanh(c').

    With a = x W + b + h U, the gates i, f, g, o lie in this order along its last axis; i = σ(aᵢ),
    f = σ(a_f), g = tanh(a_g), o = σ(aₒ). The state is the pair (h, c).

    Source: Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers,
    Schmidhuber & Cummins (2000).

    Args:
        units: the length of the state.
        forget_bias: what the forget gate's bias begins with, besides what is drawn.
        **settings: those of `GRUCell` but for ``reset_after``; ``two_biases`` adds a second bias,
            as torch's.
    """

    gates = 4

    def __init__(self, units: int, forget_bias: float = 1.0, **settings: Any) -> None:
        super().__init__(units, **settings)
        self.forget_bias = forget_bias

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights."""
        super().build(input_shape)
        if self.bias is not None and self.forget_bias:
            drawn, units = self.bias.read(), self.units
            parts = drawn[:units], drawn[units : 2 * units] + self.forget_bias, drawn[2 * units :]
            self.bias.assign(concat(parts))

    def step(self, projected: Tensor, state: Any, kept: Tensor | None = None) -> Any:
        """Return the next pair of states from a projected input."""
        hidden, cell = state
        total = projected + matmul(seen(hidden, kept), self.recurrent_kernel)
        return lstm_step(total, cell)

    def zero_state(self, zeros: Tensor) -> Any:
        """Return a pair of zeros."""
        return zeros, zeros


class LSTM(Recurrent, LSTMCell):
    """An LSTM along the second axis of (batch, time, inputs); its state is the pair (h, c).

    Masks, directions, states and dropout are as for `GRU`; the formula is that of `LSTMCell`.

    Example:
        >>> import unigrad as ug
        >>> outputs, (hidden, cell) = LSTM(4, return_state=True)(ug.ones((2, 3, 5)))
        >>> outputs.shape, hidden.shape, cell.shape
        ((2, 4), (2, 4), (2, 4))
    """


def _value(weight: Any) -> Tensor:
    """Return a weight's value: a module's copy may hold tensors in place of variables."""
    value: Tensor = weight.read() if isinstance(weight, Variable) else weight
    return value
