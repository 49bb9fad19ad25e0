"""Convolutions and pooling as layers, channels last unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.activations import Activation, get_activation
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.layers.normalization import is_first, to_first, to_last
from unigrad.ops.convolution import Padding, conv, conv_transpose, depthwise_conv
from unigrad.ops.pooling import average_pool, max_pool
from unigrad.ops.reductions import max, mean
from unigrad.ops.shaping import as_shape

Lengths = int | Sequence[int]


class _Convolution(Module):
    """activation(conv(x, W) + b).

    Args:
        filters: how many channels the result has.
        window: the kernel's lengths, one for all axes or one each.
        strides, padding, dilation: as for `ug.conv`.
        groups: into how many groups both channels are split.
        activation: a function, or the name of one; None for none.
        use_bias: whether to add b.
        kernel_initializer: how W is drawn.
        bias_initializer: how b is drawn.
        data_format: "channels_last", or "channels_first" for (batch, channels, …) both ways.
        key, name: see `Module`.
    """

    #: How many spatial axes there are.
    rank = 0
    kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        filters: int,
        window: Lengths,
        strides: Lengths = 1,
        padding: Padding = "valid",
        dilation: Lengths = 1,
        groups: int = 1,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        data_format: str = "channels_last",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.filters = count(self.name, "filters", filters, 1)
        self.window = as_shape(self.name, window)
        if isinstance(window, int):
            self.window = self.window * self.rank
        self.strides = strides
        self.padding = padding
        self.dilation = dilation
        self.groups = count(self.name, "groups", groups, 1)
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.first = is_first(data_format)

    def kernel_shape(self, inputs: int) -> tuple[int, ...]:
        """Return the kernel's shape for so many channels."""
        if inputs % self.groups:
            raise ShapeError(f"{self.name}: {inputs} channels are not {self.groups} groups")
        return (*self.window, inputs // self.groups, self.filters)

    def outputs(self, inputs: int) -> int:
        """Return how many channels the result has."""
        return self.filters

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the kernel and the bias.

        Raises:
            ShapeError: when the input has not the batch's axis, the channels' and those between.
        """
        if len(input_shape) != self.rank + 2:
            raise ShapeError(
                f"{self.name}: an input {input_shape} has not {self.rank} axes between the batch's "
                "and the channels'"
            )
        inputs = input_shape[1 if self.first else -1]
        self.kernel = self.add_weight("kernel", self.kernel_shape(inputs), self.kernel_initializer)
        self.bias = (
            self.add_weight("bias", (self.outputs(inputs),), self.bias_initializer)
            if self.use_bias
            else None
        )

    def call(self, x: Any) -> Tensor:
        """Compute the layer."""
        y = self.convolved(to_last(as_tensor(x), self.first))
        if self.bias is not None:
            y = y + self.bias
        y = to_first(y, self.first)
        return y if self.activation is None else self.activation(y)

    def convolved(self, x: Tensor) -> Tensor:
        """Return the convolution alone."""
        return conv(
            x,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class Conv1D(_Convolution):
    """A convolution of (batch, time, channels): activation(conv(x, W) + b).

    Args:
        filters: how many channels the result has.
        window: the kernel's length.
        strides, padding, dilation: as for `ug.conv`; ``padding="causal"`` looks back only.
        groups: into how many groups both channels are split.
        activation: a function, or the name of one; None for none.
        use_bias: whether to add b.
        kernel_initializer: how W, (window, channels / groups, filters), is drawn.
        bias_initializer: how b is drawn.
        data_format: "channels_last", or "channels_first" for (batch, channels, time) both ways.
        key, name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> Conv1D(4, 3, padding="same")(ug.ones((2, 5, 3))).shape
        (2, 5, 4)
    """

    rank = 1


class Conv2D(_Convolution):
    """A convolution of (batch, height, width, channels); the settings are those of `Conv1D`.

    Example:
        >>> import unigrad as ug
        >>> Conv2D(4, 3, strides=2, padding="same")(ug.ones((2, 6, 6, 3))).shape
        (2, 3, 3, 4)
    """

    rank = 2


class Conv3D(_Convolution):
    """A convolution of (batch, depth, height, width, channels); settings as for `Conv1D`.

    Example:
        >>> import unigrad as ug
        >>> Conv3D(2, (1, 2, 2))(ug.ones((1, 2, 3, 4, 1))).shape
        (1, 2, 2, 3, 2)
    """

    rank = 3


class _Depthwise(_Convolution):
    """A convolution of each channel with kernels of its own."""

    def __init__(self, window: Lengths, multiplier: int = 1, **settings: Any) -> None:
        super().__init__(multiplier, window, **settings)

    def kernel_shape(self, inputs: int) -> tuple[int, ...]:
        """Return the kernel's shape for so many channels."""
        return (*self.window, inputs, self.filters)

    def outputs(self, inputs: int) -> int:
        """Return how many channels the result has."""
        return inputs * self.filters

    def convolved(self, x: Tensor) -> Tensor:
        """Return the convolution alone."""
        return depthwise_conv(
            x,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation,
        )


class DepthwiseConv1D(_Depthwise):
    """A convolution of each channel of (batch, time, channels) with ``multiplier`` own kernels.

    W is (window, channels, multiplier); channel i gives the results i · multiplier and following.

    Args:
        window: the kernel's length.
        multiplier: how many results each channel gives.
        **settings: the others of `Conv1D`, but for ``groups``.

    Example:
        >>> import unigrad as ug
        >>> DepthwiseConv1D(3, multiplier=2)(ug.ones((2, 5, 3))).shape
        (2, 3, 6)
    """

    rank = 1


class DepthwiseConv2D(_Depthwise):
    """A convolution of each channel of (batch, height, width, channels); see `DepthwiseConv1D`.

    Example:
        >>> import unigrad as ug
        >>> DepthwiseConv2D(3)(ug.ones((2, 5, 5, 3))).shape
        (2, 3, 3, 3)
    """

    rank = 2


class _Transposed(_Convolution):
    """activation(conv_transpose(x, W) + b)."""

    def __init__(
        self, filters: int, window: Lengths, output_padding: Lengths = 0, **settings: Any
    ) -> None:
        super().__init__(filters, window, **settings)
        self.output_padding = output_padding

    def kernel_shape(self, inputs: int) -> tuple[int, ...]:
        """Return the kernel's shape for so many channels."""
        if self.filters % self.groups or inputs % self.groups:
            raise ShapeError(
                f"{self.name}: {inputs} and {self.filters} channels are not {self.groups} groups"
            )
        return (*self.window, self.filters // self.groups, inputs)

    def convolved(self, x: Tensor) -> Tensor:
        """Return the convolution alone."""
        return conv_transpose(
            x,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class Conv1DTranspose(_Transposed):
    """A transposed convolution of (batch, time, channels), as `ug.conv_transpose`.

    W is (window, filters / groups, channels).

    Args:
        filters: how many channels the result has.
        window: the kernel's length.
        output_padding: further elements behind.
        **settings: the others of `Conv1D`.

    Example:
        >>> import unigrad as ug
        >>> Conv1DTranspose(4, 3, strides=2, padding="same")(ug.ones((2, 5, 3))).shape
        (2, 10, 4)
    """

    rank = 1


class Conv2DTranspose(_Transposed):
    """A transposed convolution of (batch, height, width, channels); see `Conv1DTranspose`.

    Example:
        >>> import unigrad as ug
        >>> Conv2DTranspose(4, 2, strides=2)(ug.ones((2, 3, 3, 1))).shape
        (2, 6, 6, 4)
    """

    rank = 2


class MaxPool(Module):
    """The greatest element of each window, as `ug.max_pool`, whatever the number of axes.

    Args:
        window: the window's lengths, one for all axes or one each.
        strides: steps between windows; the window's lengths by default.
        padding: as for `ug.conv`.
        data_format: "channels_last", or "channels_first" for (batch, channels, …) both ways.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> MaxPool(2)(ug.ones((1, 4, 4, 3))).shape
        (1, 2, 2, 3)
    """

    def __init__(
        self,
        window: Lengths = 2,
        strides: Lengths | None = None,
        padding: Padding = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.window = window
        self.strides = strides
        self.padding = padding
        self.first = is_first(data_format)

    def call(self, x: Any) -> Tensor:
        """Pool."""
        x = to_last(as_tensor(x), self.first)
        pooled = max_pool(x, self.window, strides=self.strides, padding=self.padding)
        return to_first(pooled, self.first)


class AveragePool(MaxPool):
    """The mean of each window, as `ug.average_pool`; the settings are those of `MaxPool`.

    Args:
        count_padding: whether the zeros of the padding count, as in torch by default.

    Example:
        >>> import unigrad as ug
        >>> AveragePool(2)(ug.ones((1, 4, 3))).shape
        (1, 2, 3)
    """

    def __init__(self, window: Lengths = 2, count_padding: bool = False, **settings: Any) -> None:
        super().__init__(window, **settings)
        self.count_padding = count_padding

    def call(self, x: Any) -> Tensor:
        """Pool."""
        pooled = average_pool(
            to_last(as_tensor(x), self.first),
            self.window,
            strides=self.strides,
            padding=self.padding,
            count_padding=self.count_padding,
        )
        return to_first(pooled, self.first)


class GlobalMaxPool(Module):
    """The greatest element of each channel: (batch, …, channels) → (batch, channels).

    Args:
        data_format: "channels_last", or "channels_first" for inputs (batch, channels, …).
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> GlobalMaxPool()(ug.ones((2, 4, 4, 3))).shape
        (2, 3)
    """

    def __init__(self, data_format: str = "channels_last", name: str | None = None) -> None:
        super().__init__(name=name)
        self.first = is_first(data_format)

    def call(self, x: Any) -> Tensor:
        """Pool."""
        x = to_last(as_tensor(x), self.first)
        return max(x, axis=tuple(range(1, x.ndim - 1)))


class GlobalAveragePool(GlobalMaxPool):
    """The mean of each channel over all places; the settings are those of `GlobalMaxPool`.

    Example:
        >>> import unigrad as ug
        >>> GlobalAveragePool()(ug.ones((2, 4, 3))).shape
        (2, 3)
    """

    def call(self, x: Any) -> Tensor:
        """Pool."""
        x = to_last(as_tensor(x), self.first)
        return mean(x, axis=tuple(range(1, x.ndim - 1)))
