"""Normalisation: `LayerNorm`, `RMSNorm`, `GroupNorm` and `BatchNorm`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from unigrad.core.arguments import as_tensor, cast, hidden, to_floating, visible
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.module import Module
from unigrad.layers.training import is_training
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import maximum, square
from unigrad.ops.comparison import logical_or, where
from unigrad.ops.identity import stop_gradient
from unigrad.ops.nn.normalization import batch_norm, group_norm, layer_norm, rms_norm
from unigrad.ops.reductions import max as greatest
from unigrad.ops.reductions import mean, sum, widened
from unigrad.ops.shaping import broadcast_to, moveaxis, reshape
from unigrad.ops.statistics import power_of


class _Normalization(Module):
    """What normalises, then multiplies by γ and adds β where it has them.

    Args:
        epsilon: ε.
        use_scale, use_offset: whether there are γ and β.
        name: see `Module`.
    """

    scale: Variable | None
    offset: Variable | None

    def __init__(
        self,
        epsilon: float,
        use_scale: bool = True,
        use_offset: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.epsilon = epsilon
        self.use_scale = use_scale
        self.use_offset = use_offset

    def _add_weights(self, shape: tuple[int, ...]) -> None:
        self.scale = self.add_weight("scale", shape, "ones") if self.use_scale else None
        self.offset = self.add_weight("offset", shape, "zeros") if self.use_offset else None


class LayerNorm(_Normalization):
    """y = γ (x - mean) / √(variance + ε) + β over the last axis, or the last few.

    Half precision is normalised in float32, and rows whose squares leave the dtype's range in units
    in which they do not.

    Source: Ba, Kiros & Hinton, "Layer normalization" (2016).

    Args:
        epsilon: ε.
        axes: over how many of the last axes; γ and β have their shape.
        use_scale, use_offset: whether there are γ and β.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> LayerNorm()(ug.asarray([[1.0, 3.0]])).numpy().round(3).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self,
        epsilon: float = 1e-5,
        axes: int = 1,
        use_scale: bool = True,
        use_offset: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, use_scale, use_offset, name)
        if axes < 1:
            raise SettingError(f"LayerNorm: normalises one of the last axes or more, not {axes}")
        self.axes = axes

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make γ and β."""
        if len(input_shape) < self.axes:
            raise ShapeError(f"{self.name}: an input {input_shape} has not {self.axes} axes")
        self._add_weights(input_shape[-self.axes :])

    def call(self, x: Any) -> Tensor:
        """Normalise."""
        return layer_norm(x, self.scale, self.offset, axes=self.axes, epsilon=self.epsilon)


class RMSNorm(_Normalization):
    """y = γ x / √(mean(x²) + ε) over the last axis.

    Half precision is normalised in float32; squares do not leave the dtype's range.

    Source: Zhang & Sennrich, "Root mean square layer normalization" (2019).

    Args:
        epsilon: ε.
        use_scale: whether there is γ.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> RMSNorm()(ug.asarray([[3.0, 3.0]])).numpy().round(3).tolist()
        [[1.0, 1.0]]
    """

    def __init__(
        self, epsilon: float = 1e-6, use_scale: bool = True, name: str | None = None
    ) -> None:
        super().__init__(epsilon, use_scale, False, name)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make γ."""
        self._add_weights(input_shape[-1:])

    def call(self, x: Any) -> Tensor:
        """Normalise."""
        return rms_norm(x, self.scale, epsilon=self.epsilon)


class GroupNorm(_Normalization):
    """Normalise (batch, …, channels) over all but the batch, in groups of channels.

    As many groups as channels make it instance normalisation.

    Source: Wu & He, "Group normalization" (2018).

    Args:
        groups: into how many groups the channels are split.
        epsilon: ε.
        use_scale, use_offset: whether there are γ and β, one for each channel.
        data_format: "channels_last", or "channels_first" for inputs (batch, channels, …).
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> GroupNorm(1)(ug.asarray([[[1.0], [3.0]]])).numpy().round(3).tolist()
        [[[-1.0], [1.0]]]
    """

    def __init__(
        self,
        groups: int,
        epsilon: float = 1e-5,
        use_scale: bool = True,
        use_offset: bool = True,
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, use_scale, use_offset, name)
        self.groups = count(self.name, "groups", groups, 1)
        self.first = is_first(data_format)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make γ and β."""
        channels = input_shape[1 if self.first else -1]
        if channels % self.groups:
            raise ShapeError(f"{self.name}: {channels} channels are not {self.groups} groups")
        self._add_weights((channels,))

    def call(self, x: Any) -> Tensor:
        """Normalise."""
        x = to_last(to_floating(as_tensor(x)), self.first)
        normal = group_norm(x, self.scale, self.offset, groups=self.groups, epsilon=self.epsilon)
        return to_first(normal, self.first)


class BatchNorm(_Normalization):
    """Normalise each channel over the batch and all places of it.

    While training the moments are those of the batch, and the running ones follow: running =
    momentum · running + (1 - momentum) · batch. Otherwise the running moments are used. They are
    Variables that no optimizer trains, so they change in compiled steps, too. A batch in which
    nothing counts leaves them as they are.

    Source: Ioffe & Szegedy, "Batch normalization" (2015).

    Args:
        momentum: how much of the running moments a step keeps (1 less torch's).
        epsilon: ε.
        unbiased: whether the running variance follows n / (n - 1) times the batch's, as torch's.
        use_scale, use_offset: whether there are γ and β.
        data_format: "channels_last", or "channels_first" for inputs (batch, channels, …).
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> layer = BatchNorm(momentum=0.5)
        >>> layer(ug.asarray([[1.0], [3.0]]), training=True).numpy().round(2).tolist()
        [[-1.0], [1.0]]
        >>> layer.running_mean.numpy().tolist()
        [1.0]
    """

    running_mean: Variable
    running_variance: Variable

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        unbiased: bool = False,
        use_scale: bool = True,
        use_offset: bool = True,
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, use_scale, use_offset, name)
        self.momentum = momentum
        self.unbiased = unbiased
        self.first = is_first(data_format)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make γ, β and the running moments."""
        shape = (input_shape[1 if self.first else -1],)
        self._add_weights(shape)
        self.running_mean = self.add_weight("running_mean", shape, "zeros", trainable=False)
        self.running_variance = self.add_weight("running_variance", shape, "ones", trainable=False)

    def call(self, x: Any, *, mask: Any = None) -> Tensor:
        """Normalise.

        Args:
            x: (batch, …, channels).
            mask: bools (batch, …); what is False counts in no moment, and is normalised by those
                of the others. Where it is NaN, infinite or so large that its square is, it is taken
                as 0, so that it counts in no gradient either.

        Raises:
            ShapeError: when there is no channel axis besides the batch's, or a mask does not fit.
        """
        x = to_last(to_floating(as_tensor(x)), self.first)
        if x.ndim < 2:
            raise ShapeError(f"{self.name}: an input {x.shape} has no channels besides the batch")
        real = None if mask is None else self._mask_of(x, as_tensor(mask, x))
        if real is not None:
            # Chosen before the formula: 0 times what is infinite or NaN in padding is NaN.
            wide = widened(x)
            most = float(np.finfo(wide.dtype).max) ** 0.5
            x = where(logical_or(real, absolute(wide) < most), x, 0.0)
        if is_training():
            normal = self._by_batch(x, real)
        else:
            moments = as_tensor(self.running_mean), as_tensor(self.running_variance)
            normal = batch_norm(x, *moments, self.scale, self.offset, epsilon=self.epsilon)
        return to_first(normal, self.first)

    def _by_batch(self, x: Tensor, real: Tensor | None) -> Tensor:
        """Normalise by the batch's moments, and let the running ones follow.

        Where their squares leave the range, and where nobody can see that they do not, elements are
        taken times a power of two per channel, which rounds nothing.
        """
        wide = widened(x)
        if not (wide.size and hidden(wide)):
            average, variance, count = _moments(wide, real)
            seen = visible(variance)
            if seen is None or not wide.size or np.isfinite(seen).all():
                self._follow_batch(average, variance, count)
                moments = average, variance
                return batch_norm(x, *moments, self.scale, self.offset, epsilon=self.epsilon)
        counted = wide if real is None else where(real, wide, 0.0)
        peak = greatest(absolute(stop_gradient(counted)), axis=tuple(range(wide.ndim - 1)))
        scale = power_of(maximum(peak, 1.0))
        scaled = wide * scale
        average, variance, count = _moments(scaled, real)
        self._follow_batch(average / scale, variance / scale / scale, count)
        moments = average, variance + square(scale) * self.epsilon
        return batch_norm(cast(scaled, x.dtype), *moments, self.scale, self.offset, epsilon=0.0)

    def _follow_batch(self, average: Tensor, variance: Tensor, count: Any) -> None:
        """Let the running moments follow a batch's in which something counts."""
        if isinstance(count, float) and not count:
            return
        if self.unbiased:
            # A number where there is no mask. Of one element the variance is 0 either way.
            rest = count - 1.0
            rest = maximum(rest, 1.0) if isinstance(rest, Tensor) else max(rest, 1.0)
            variance = variance * (count / rest)
        self._follow(self.running_mean, average, count)
        self._follow(self.running_variance, variance, count)

    def _mask_of(self, x: Tensor, mask: Tensor) -> Tensor:
        if mask.shape != x.shape[:-1]:
            raise ShapeError(f"{self.name}: a mask {mask.shape} for an input {x.shape}")
        return broadcast_to(reshape(mask, (*mask.shape, 1)), x.shape)

    def _follow(self, running: Variable, value: Tensor, count: Any) -> None:
        before = running._untaped()
        kept = before * self.momentum + cast(stop_gradient(value), before.dtype) * (
            1.0 - self.momentum
        )
        if isinstance(count, Tensor):
            kept = where(count > 0.0, kept, before)
        running.assign(kept)


def _moments(x: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor, Any]:
    """Return the mean and variance of each channel, and how many elements they are of."""
    axes = tuple(range(x.ndim - 1))
    if real is None:
        average = mean(x, axis=axes)
        return average, mean(square(x - average), axis=axes), float(prod(x.shape[:-1]))
    count = sum(cast(real, x.dtype), axis=axes)
    average = sum(where(real, x, 0.0), axis=axes) / maximum(count, 1.0)
    deviations = where(real, x - average, 0.0)
    return average, sum(square(deviations), axis=axes) / maximum(count, 1.0), count


def is_first(data_format: str) -> bool:
    """Tell whether a data format has its channels before the places.

    Raises:
        SettingError: when it is none.
    """
    if data_format not in ("channels_last", "channels_first"):
        raise SettingError(
            f"data_format is 'channels_last' or 'channels_first', not {data_format!r}"
        )
    return data_format == "channels_first"


def to_last(x: Tensor, first: bool) -> Tensor:
    """Return (batch, channels, …) as (batch, …, channels)."""
    return moveaxis(x, 1, -1) if first and x.ndim > 2 else x


def to_first(x: Tensor, first: bool) -> Tensor:
    """Return (batch, …, channels) as (batch, channels, …)."""
    return moveaxis(x, -1, 1) if first and x.ndim > 2 else x
