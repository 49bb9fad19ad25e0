"""The gated recurrent unit: one step (`GRUCell`) and a sequence of them (`GRU`)."""

from __future__ import annotations

from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.control import scan
from unigrad.core.arguments import as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.ops.affine import linear
from unigrad.ops.comparison import where
from unigrad.ops.recurrent import _gru_step, _gru_step_reset_before
from unigrad.ops.shaping import expand_dims, permute_dims


class GRUCell(Module):
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
        kernel_initializer: how W is drawn, per gate.
        recurrent_initializer: how U is drawn, per gate.
        bias_initializer: how the biases are drawn.
        key, name: see `Module`.
    """

    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable
    recurrent_bias: Variable | None

    def __init__(
        self,
        units: int,
        reset_after: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.units = units
        self.reset_after = reset_after
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights. Each gate's part of a kernel is drawn as a matrix of its own."""
        units = self.units
        self.kernel = self.add_weight(
            "kernel", (input_shape[-1], 3 * units), _per_gate(self.kernel_initializer)
        )
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", (units, 3 * units), _per_gate(self.recurrent_initializer)
        )
        self.bias = self.add_weight("bias", (3 * units,), self.bias_initializer)
        self.recurrent_bias = (
            self.add_weight("recurrent_bias", (3 * units,), self.bias_initializer)
            if self.reset_after
            else None
        )

    def project(self, x: Any) -> Tensor:
        """Return x W + b, the part of a step that does not depend on the state."""
        return linear(x, self.kernel, self.bias)

    def step(self, projected: Tensor, state: Tensor) -> Tensor:
        """Return the next state from a projected input."""
        kernel = self.recurrent_kernel.read()
        if self.recurrent_bias is None:
            out: Tensor = _gru_step_reset_before(projected, state, kernel)
        else:
            out = _gru_step(projected, state, kernel, self.recurrent_bias.read())
        return out

    def call(self, x: Any, state: Any) -> Tensor:
        """Return the next state (batch, units) from an input (batch, inputs) and the state."""
        return self.step(self.project(x), as_tensor(state))


class GRU(GRUCell):
    """A GRU along the second axis of (batch, time, inputs).

    With a mask (batch, time), a padded step (False) carries the state on and gives zeros; its
    input does not count, infinities and NaN included.

    Args:
        units: the length of the state.
        return_sequences: return the states of all steps (batch, time, units), not just the last.
        return_state: return the last state as well: ``(outputs, state)``.
        reset_after: see `GRUCell`.
        go_backwards: run from the last step to the first; outputs keep the input's order, so that
            output t has seen the inputs from t on.
        **settings: the other settings of `GRUCell`.

    Example:
        >>> import unigrad as ug
        >>> gru = GRU(4, return_sequences=True, return_state=True)
        >>> outputs, state = gru(ug.asarray([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]))
        >>> outputs.shape, state.shape
        ((1, 3, 4), (1, 4))
    """

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        return_state: bool = False,
        reset_after: bool = True,
        go_backwards: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(units, reset_after=reset_after, **settings)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards

    def call(self, x: Any, state: Any = None, *, mask: Any = None) -> Any:
        """Run over a sequence.

        Args:
            x: (batch, time, inputs).
            state: the first state (batch, units); zeros by default.
            mask: bools (batch, time), False where the input is padding.

        Raises:
            ShapeError: when ``x`` has not three axes or no step, or the mask is not (batch, time).
        """
        x = as_tensor(x)
        if x.ndim != 3:
            raise ShapeError(f"{self.name}: expected (batch, time, inputs), not {x.shape}")
        if not x.shape[1]:
            raise ShapeError(f"{self.name}: the input {x.shape} has no step")
        if mask is not None:
            mask = as_tensor(mask, x)
            if mask.shape != x.shape[:2]:
                raise ShapeError(f"{self.name}: a mask {mask.shape} for an input {x.shape}")
            # Chosen before the step: infinite or NaN padding would come back in the gradient.
            x = where(expand_dims(mask, axis=-1), x, 0.0)
        projected = permute_dims(self.project(x), (1, 0, 2))
        first = zeros_like(projected[0, :, : self.units]) if state is None else as_tensor(state)
        if mask is None:
            last, states = scan(self._plain_step, first, projected, reverse=self.go_backwards)
        else:
            steps = expand_dims(permute_dims(mask, (1, 0)), axis=-1)
            last, states = scan(
                self._masked_step, first, (projected, steps), reverse=self.go_backwards
            )
        outputs = permute_dims(states, (1, 0, 2)) if self.return_sequences else last
        return (outputs, last) if self.return_state else outputs

    def _plain_step(self, state: Tensor, projected: Tensor) -> tuple[Tensor, Tensor]:
        state = self.step(projected, state)
        return state, state

    def _masked_step(self, state: Tensor, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        projected, real = inputs
        new = self.step(projected, state)
        return where(real, new, state), where(real, new, 0.0)


def _per_gate(initializer: Initializer) -> Initializer:
    """Draw three matrices side by side, so that fans are those of one gate."""
    from unigrad.initializers import get
    from unigrad.ops.joining import concat
    from unigrad.random import fold_in

    def draw(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        one = (shape[0], shape[1] // 3)
        return concat([get(initializer)(fold_in(key, i), one, dtype) for i in range(3)], axis=-1)

    return draw
