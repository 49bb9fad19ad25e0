"""`Dense`: a matrix, a bias, an activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.core.errors import ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.activations import Activation, get_activation
from unigrad.layers.module import Module
from unigrad.ops.affine import linear
from unigrad.ops.linear import matmul

Initializer = str | Callable[..., Any]


class Dense(Module):
    """y = activation(x W + b) over the last axis; W has shape (inputs, units).

    Args:
        units: the length of the result's last axis.
        activation: a function, or the name of one; None for none.
        use_bias: whether to add b.
        kernel_initializer: how W is drawn.
        bias_initializer: how b is drawn.
        key, name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> Dense(3, activation="tanh")(ug.asarray([[1.0, 2.0]])).shape
        (1, 3)
    """

    kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        units: int,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.units = count(self.name, "units", units, 1)
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the kernel and the bias.

        Raises:
            ShapeError: when the input has no axis.
        """
        if not input_shape:
            raise ShapeError(f"{self.name}: the input has no axis to multiply along")
        shape = (input_shape[-1], self.units)
        self.kernel = self.add_weight("kernel", shape, self.kernel_initializer)
        self.bias = (
            self.add_weight("bias", (self.units,), self.bias_initializer) if self.use_bias else None
        )

    def call(self, x: Any) -> Tensor:
        """Compute the layer. Raises `ShapeError` for another length of the last axis."""
        y = matmul(x, self.kernel) if self.bias is None else linear(x, self.kernel, self.bias)
        return y if self.activation is None else self.activation(y)
