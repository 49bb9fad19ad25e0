"""Changes of gradients before a step: weight decay, centralisation, noise, a factor."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, overload

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import exp, log
from unigrad.ops.reductions import mean
from unigrad.optimizers.clipping import Stateless, not_negative
from unigrad.optimizers.numbers import plain_number
from unigrad.optimizers.transformation import (
    Column,
    Moment,
    Selection,
    Transformation,
    selected,
)
from unigrad.optimizers.updates import narrow
from unigrad.random.continuous import normal
from unigrad.random.keys import checked_key, fold_in


@overload
def add_weight_decay(decay: float, /, *, only: Selection | None = None) -> Transformation: ...
@overload
def add_weight_decay(gradients: Any, parameters: Any, decay: float) -> Any: ...
def add_weight_decay(
    gradients: Any, parameters: Any = None, decay: Any = None, *, only: Selection | None = None
) -> Any:
    """Return g + λ w: the gradient of the loss with λ/2 ‖w‖² added.

    Args:
        gradients: a pytree of gradients; with λ alone (``add_weight_decay(0.1)``) a transformation
            is returned.
        parameters: w, a tree like it.
        decay: λ.
        only: of a transformation, which parameters decay: a regular expression to search for in
            their names, or a function of name and parameter.

    Example:
        >>> add_weight_decay([1.0], [2.0], 0.5)[0].item()
        2.0
    """
    if parameters is not None:
        return tree.map(lambda g, w: as_tensor(g) + decay * as_tensor(w), gradients, parameters)
    share = not_negative("add_weight_decay", "decay", gradients)
    return Stateless("add_weight_decay", partial(_decayed, share, only))


def _decayed(
    share: float, only: Selection | None, moment: Moment, parameters: Column, gradients: Column
) -> Column:
    chosen = selected(only, moment.names() if only else [], parameters)
    return [
        g + share * w if one else g for g, w, one in zip(gradients, parameters, chosen, strict=True)
    ]


def centralize(*, output_axis: int = -1) -> Transformation:
    """Take the mean over all axes but that of the outputs from gradients of two axes or more.

    Source: Yong et al., "Gradient centralization: a new optimization technique for deep neural
    networks" (2020), eq. 1.

    Args:
        output_axis: the last here; 0 in torch's layout, and in optax's ``centralize``.

    Example:
        >>> import unigrad as ug
        >>> g = [ug.asarray([[1.0, 2.0], [3.0, 6.0]])]
        >>> centralize().update(g, {"step": 0}, g)[0][0].tolist()
        [[-1.0, -2.0], [1.0, 2.0]]
    """
    return Stateless("centralize", partial(_all_centred, output_axis))


def _all_centred(output_axis: int, moment: Moment, parameters: Column, gradients: Column) -> Column:
    return [_centred(g, output_axis) for g in gradients]


def _centred(g: Tensor, output_axis: int) -> Tensor:
    if g.ndim < 2:
        return g
    axes = tuple(i for i in range(g.ndim) if i != output_axis % g.ndim)
    return g - mean(g, axis=axes, keepdims=True)


def add_noise(key: TensorLike, eta: float = 0.01, gamma: float = 0.55) -> Transformation:
    """Add Gaussian noise of variance η / (1 + t)^γ, with t the number of steps done.

    Source: Neelakantan et al., "Adding gradient noise improves learning for very deep networks"
    (2015), eq. 1.

    Args:
        key: a key of `ug.random`, on the parameters' backend; step and position are folded in.
        eta: η.
        gamma: γ.

    Example:
        >>> import unigrad as ug
        >>> noise = add_noise(ug.random.key(0), eta=1e-12)
        >>> abs(noise.update([3.0], {"step": 0}, [0.0])[0][0].item() - 3.0) < 1e-4
        True
    """
    key = checked_key("add_noise", key)
    eta = not_negative("add_noise", "eta", eta)
    gamma = not_negative("add_noise", "gamma", gamma)
    return Stateless("add_noise", partial(_noisy, key, eta, gamma))


def _noisy(
    key: TensorLike,
    eta: float,
    gamma: float,
    moment: Moment,
    parameters: Column,
    gradients: Column,
) -> Column:
    now = fold_in(key, moment.done)
    time = moment.step.astype("float64")
    deviation = eta**0.5 * exp(-0.5 * gamma * log(time))
    return [
        g + narrow(deviation, g.dtype) * normal(fold_in(now, i), g.shape, dtype=g.dtype)
        for i, g in enumerate(gradients)
    ]


def scale(factor: float) -> Transformation:
    """Multiply gradients by a number: -1 climbs a hill instead of descending.

    Example:
        >>> scale(-1.0).update([3.0], {"step": 0}, [0.0])[0][0].item()
        -3.0
    """
    if not math.isfinite(plain_number(factor)):
        raise SettingError(f"scale: factor={factor}: expected a finite number")
    return Stateless("scale", partial(_all_times, factor))


def _all_times(factor: float, moment: Moment, parameters: Column, gradients: Column) -> Column:
    return [factor * g for g in gradients]
