"""One step of training, and one of evaluation, as functions of a batch that can be compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unigrad.autodiff.tape import GradientTape
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.dtypes import FLOATING
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.layers.training import training_mode
from unigrad.metrics import Metric
from unigrad.optimizers import Optimizer
from unigrad.training.precision import MixedPrecision

#: Of a model and a batch; it returns a 0-d Tensor, or that and a dict of more numbers.
Loss = Callable[[Any, Any], Any]
Values = dict[str, Any]
Step = Callable[[Any], tuple[Tensor, Values]]


def placed(batch: Any) -> Any:
    """Return a batch with Tensors on the current backend in place of arrays and numbers.

    Example:
        >>> placed({"x": [1.0], "name": "a"})["name"]
        'a'
    """
    return tree.map(lambda one: one if isinstance(one, str | bytes) else as_tensor(one), batch)


def rows_of(batch: Any) -> int:
    """Return the length of the first array in a batch: how many examples it has.

    Example:
        >>> import numpy as np
        >>> rows_of({"x": np.ones((4, 2))})
        4
    """
    for leaf in tree.leaves(batch):
        shape = getattr(leaf, "shape", ())
        if shape:
            return int(shape[0])
    return 1


def computed(loss: Loss, model: Any, batch: Any) -> tuple[Tensor, Values]:
    """Return a loss and what else its function gives.

    Raises:
        ShapeError: when the loss is no single number.
        DTypeError: when it is no floating one.
        SettingError: when what comes with it is no dict.
    """
    found = loss(model, batch)
    value, values = found if isinstance(found, tuple) and len(found) == 2 else (found, {})
    value = as_tensor(value)
    if value.ndim:
        raise ShapeError(f"Trainer: the loss has shape {value.shape}; take its mean or its sum")
    if value.dtype not in FLOATING:
        raise DTypeError(f"Trainer: the loss is {value.dtype.name}, and has no gradient")
    if not isinstance(values, Mapping):
        raise SettingError(
            f"Trainer: a loss comes with a dict of numbers by name, not a {type(values).__name__}"
        )
    return value, dict(values)


def training_step(
    model: Any,
    loss: Loss,
    optimizer: Optimizer,
    metrics: Mapping[str, Metric],
    precision: MixedPrecision | None,
) -> Step:
    """Return the function of a batch that trains, and returns the loss before and its values.

    It trains the variables that are trainable then.
    """

    def step(batch: Any) -> tuple[Tensor, Values]:
        variables = model.trainable_variables
        optimizer.build(variables)
        with training_mode(), GradientTape() as tape:
            if precision is None:
                value, values = computed(loss, model, batch)
                objective = value
            else:
                narrow = precision.narrowed(model)
                value, values = computed(loss, narrow, precision.narrowed(batch))
                objective = precision.scaled(value)
        gradients = tape.gradient(objective, variables)
        if precision is not None:
            gradients = precision.unscaled(gradients)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return value, counted(metrics, values)

    return step


def evaluation_step(
    model: Any, loss: Loss, metrics: Mapping[str, Metric], precision: MixedPrecision | None
) -> Step:
    """Return the function of a batch that returns the loss and its values."""

    def step(batch: Any) -> tuple[Tensor, Values]:
        with training_mode(False):
            if precision is None:
                value, values = computed(loss, model, batch)
            else:
                narrow = precision.narrowed(model)
                value, values = computed(loss, narrow, precision.narrowed(batch))
        return value, counted(metrics, values)

    return step


def counted(metrics: Mapping[str, Metric], values: Values) -> Values:
    """Let metrics take in what is theirs; return the rest.

    Raises:
        SettingError: when a metric is given nothing.
    """
    rest = dict(values)
    for name, metric in metrics.items():
        if name not in rest:
            raise SettingError(
                f"Trainer: the loss gives nothing for the metric {name!r}, only {sorted(values)}"
            )
        given = rest.pop(name)
        metric.update(*(given if isinstance(given, tuple | list) else (given,)))
    return rest
