"""One step of a recurrent network as one op: few calls where calls are what costs."""

from __future__ import annotations

from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.activations import sigmoid
from unigrad.ops.elementary import tanh
from unigrad.ops.joining import split
from unigrad.ops.linear import matmul

__all__: list[str] = []


@composite
def _gru_step(projected: Tensor, state: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The GRU with its reset gate after the product.

    Source: Cho et al. (2014), in the variant of cuDNN. ``projected`` is x W + b (…, 3u), gates
    reset, update, new; ``kernel`` is (u, 3u).
    """
    x_reset, x_update, x_new = split(projected, 3, axis=-1)
    h_reset, h_update, h_new = split(matmul(state, kernel) + bias, 3, axis=-1)
    reset = sigmoid(x_reset + h_reset)
    update = sigmoid(x_update + h_update)
    new = tanh(x_new + reset * h_new)
    return new + update * (state - new)


@composite
def _gru_step_reset_before(projected: Tensor, state: Tensor, kernel: Tensor) -> Tensor:
    """The GRU with its reset gate before the product, as Cho et al. (2014) wrote it."""
    units = state.shape[-1]
    x_reset, x_update, x_new = split(projected, 3, axis=-1)
    gates = matmul(state, kernel[:, : 2 * units])
    h_reset, h_update = split(gates, 2, axis=-1)
    reset = sigmoid(x_reset + h_reset)
    update = sigmoid(x_update + h_update)
    new = tanh(x_new + matmul(reset * state, kernel[:, 2 * units :]))
    return new + update * (state - new)


def lstm_step(total: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Return the next h and c from x W + b + h U (…, 4u), gates i, f, g, o, and from c."""
    i, f, g, o = split(total, 4, axis=-1)
    cell = sigmoid(f) * cell + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(cell), cell
