"""What recurrent layers share: a cell, which is one step, and `Recurrent`, a sequence of them."""

from __future__ import annotations

from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.layers.training import is_training
from unigrad.nn.embedding import check_rate
from unigrad.nn.recurrent import checked_sequence, output, over_time
from unigrad.ops.affine import linear
from unigrad.ops.comparison import where
from unigrad.ops.linear import matmul
from unigrad.ops.shaping import permute_dims
from unigrad.random import Generator, bernoulli


class RecurrentCell(Module):
    """One step of a recurrent layer, and its weights: gates side by side along the last axis.

    ``kernel`` W is (inputs, gates · units), ``recurrent_kernel`` U (units, gates · units), ``bias``
    b and, where a cell has two, ``recurrent_bias`` c (gates · units).

    Args:
        units: the length of the state.
        use_bias: whether there are biases.
        two_biases: whether there is one for each product.
        kernel_initializer: how W is drawn, per gate.
        recurrent_initializer: how U is drawn, per gate.
        bias_initializer: how the biases are drawn.
        key, name: see `Module`.
    """

    #: How many gates there are.
    gates = 1
    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None
    recurrent_bias: Variable | None

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        two_biases: bool = False,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.units = count(self.name, "units", units, 1)
        self.use_bias = use_bias
        self.two_biases = two_biases
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights. Each gate's part of a kernel is drawn as a matrix of its own."""
        width = self.gates * self.units
        self.kernel = self.add_weight(
            "kernel", (input_shape[-1], width), per_gate(self.kernel_initializer, self.gates)
        )
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel",
            (self.units, width),
            per_gate(self.recurrent_initializer, self.gates),
        )
        self.bias = self._add_bias("bias", self.use_bias)
        self.recurrent_bias = self._add_bias("recurrent_bias", self.use_bias and self.two_biases)

    def _add_bias(self, name: str, wanted: bool) -> Variable | None:
        shape = (self.gates * self.units,)
        return self.add_weight(name, shape, self.bias_initializer) if wanted else None

    def project(self, x: Any) -> Tensor:
        """Return x W + b, the part of a step that does not depend on the state.

        A second bias that is merely added is in it.
        """
        if self.bias is None:
            return matmul(x, self.kernel)
        bias = self.bias if self.recurrent_bias is None else self.bias + self.recurrent_bias
        return linear(x, self.kernel, bias)

    def step(self, projected: Tensor, state: Any, kept: Tensor | None = None) -> Any:
        """Return the next state from a projected input.

        ``kept`` is multiplied to what the recurrent kernel sees of the state.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def zero_state(self, zeros: Tensor) -> Any:
        """Return the first state, of zeros (batch, units)."""
        return zeros

    def call(self, x: Any, state: Any) -> Any:
        """Return the next state from an input (batch, inputs) and the state."""
        return self.step(self.project(x), tree.map(as_tensor, state))


class Recurrent(RecurrentCell):
    """A cell along the second axis of (batch, time, inputs), in one `scan`.

    With a mask (batch, time), a padded step (False) carries the state on and gives zeros; its
    input does not count, infinities and NaN included.

    Args:
        units: the length of the state.
        return_sequences: return the outputs of all steps (batch, time, units), not just the last.
        return_state: return the last state as well: ``(outputs, state)``.
        go_backwards: run from the last step to the first; outputs keep the input's order, so that
            output t has seen the inputs from t on.
        dropout: while training, the rate at which elements of the inputs are dropped, the same
            ones in all steps.
        recurrent_dropout: that of what the recurrent kernel sees of the state.
        seed: for the masks; by default drawn from the layer's key.
        **settings: those of the cell.

    Source of the two rates: Gal & Ghahramani, "A theoretically grounded application of dropout in
    recurrent neural networks" (2016).
    """

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(units, **settings)
        for rate in (dropout, recurrent_dropout):
            check_rate(self.name, rate)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self._seed = seed
        self.generator: Generator | None = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights and, if anything is dropped, the generator."""
        super().build(input_shape)
        if self.dropout or self.recurrent_dropout:
            self.generator = Generator(self._key.as_seed() if self._seed is None else self._seed)

    def call(self, x: Any, state: Any = None, *, mask: Any = None) -> Any:
        """Run over a sequence.

        Args:
            x: (batch, time, inputs).
            state: the first state, (batch, units) or what the cell has; zeros by default.
            mask: bools (batch, time), False where the input is padding.

        Raises:
            ShapeError: when ``x`` has not three axes or no step, or the mask is not (batch, time).
        """
        x, mask = checked_sequence(self.name, as_tensor(x), mask)
        x = self._dropped(x)
        projected = permute_dims(self.project(x), (1, 0, 2))
        zeros = zeros_like(projected[0, :, : self.units])
        first = self.zero_state(zeros) if state is None else tree.map(as_tensor, state)
        kept = self._kept(zeros)
        last, outputs = over_time(
            lambda before, row: self.step(row, before, kept),
            first,
            projected,
            mask,
            self.go_backwards,
        )
        wanted = permute_dims(outputs, (1, 0, 2)) if self.return_sequences else output(last)
        return (wanted, last) if self.return_state else wanted

    def _dropped(self, x: Tensor) -> Tensor:
        """Drop elements of the inputs, alike in all steps."""
        if not self.dropout or not is_training():
            return x
        assert self.generator is not None
        shape = (x.shape[0], 1, x.shape[2])
        real = bernoulli(self.generator.next_key(), 1.0 - self.dropout, shape)
        return where(real, x * (1.0 / (1.0 - self.dropout)), 0.0)

    def _kept(self, zeros: Tensor) -> Tensor | None:
        """Return what the recurrent kernel's view of the state is multiplied by, if anything."""
        if not self.recurrent_dropout or not is_training():
            return None
        assert self.generator is not None
        rate = self.recurrent_dropout
        real = bernoulli(self.generator.next_key(), 1.0 - rate, zeros.shape)
        return where(real, zeros + 1.0 / (1.0 - rate), 0.0)


def seen(state: Tensor, kept: Tensor | None) -> Tensor:
    """Return what the recurrent kernel sees of a state."""
    return state if kept is None else state * kept


def per_gate(initializer: Initializer, gates: int) -> Initializer:
    """Draw matrices side by side, so that fans are those of one gate."""
    from unigrad.initializers import get
    from unigrad.ops.joining import concat
    from unigrad.random import fold_in

    def draw(key: Any, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        one = (shape[0], shape[1] // gates)
        drawn = [get(initializer)(fold_in(key, i), one, dtype) for i in range(gates)]
        return concat(drawn, axis=-1)

    return draw
